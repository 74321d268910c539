package suspect_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/suspect"
)

var live = time.Date(2026, 5, 4, 2, 0, 0, 0, time.UTC)

func after(d time.Duration) time.Time { return live.Add(d) }

// facts are those of a breach that began a minute and a half after the deployment,
// with nothing else known.
func facts(changes ...func(*suspect.Facts)) suspect.Facts {
	f := suspect.Facts{Version: "2.4.0", Previous: "2.3.9", Live: live, Onset: after(90 * time.Second), At: after(5 * time.Minute), Bad: 41, Total: 1000}
	for _, change := range changes {
		change(&f)
	}
	return f
}

func instances(counts ...float64) (all []rules.Instance) {
	for i := 0; i+1 < len(counts); i += 2 {
		all = append(all, rules.Instance{Name: fmt.Sprintf("10.0.0.%d:80", 1+i/2), Bad: counts[i], Total: counts[i+1]})
	}
	return all
}

type change = func(*suspect.Facts)

func space(fresh, rest []rules.Instance) change {
	return func(f *suspect.Facts) { f.Space = rules.Space{New: fresh, Rest: rest} }
}

func compared(all ...rules.Compared) change {
	return func(f *suspect.Facts) { f.Compared = append(f.Compared, all...) }
}

func elsewhere(all ...rules.Weather) change {
	return func(f *suspect.Facts) { f.Weather = append(f.Weather, all...) }
}

func others(all ...suspect.Other) change {
	return func(f *suspect.Facts) { f.Others = append(f.Others, all...) }
}

func dependency(name string, since time.Time) change {
	return func(f *suspect.Facts) {
		f.Dependencies = append(f.Dependencies, suspect.Dependency{Name: name, Since: since})
	}
}

var (
	onlyOurs  = space(instances(20, 400, 25, 410), instances(1, 400, 0, 390))
	allAlike  = space(instances(20, 400, 25, 410), instances(19, 400, 22, 390))
	oneAlone  = space(instances(0, 400, 45, 410, 0, 405), instances(0, 400))
	apart     = compared(rules.Compared{With: rules.Previous, Bad: 3, Total: 1000, Level: 0.003})
	suffers   = compared(rules.Compared{With: rules.Previous, Bad: 40, Total: 1000, Level: 0.003, Shares: true})
	history   = compared(rules.Compared{With: rules.Before, Bad: 300, Total: 100_000, Level: 0.003})
	weather   = compared(rules.Compared{Bad: 90, Total: 3000, Level: 0.001, Shares: true})
	borrowed  = elsewhere(rules.Weather{Service: "search", Rose: 0.03, Shares: true})
	early     = func(f *suspect.Facts) { f.Early, f.Onset = true, after(-12*time.Minute) }
	noOnset   = func(f *suspect.Facts) { f.Onset = time.Time{} }
	plain     = func(f *suspect.Facts) { f.Plain = true }
	long      = func(f *suspect.Facts) { f.Onset, f.At = after(25*time.Minute), after(27*time.Minute) }
	unrelated = others(suspect.Other{Name: "ads 7", Live: after(time.Minute)})
	needed    = others(suspect.Other{Name: "payments 3.1.0", Live: after(time.Minute), Needed: true})
	neededBad = others(suspect.Other{Name: "payments 3.1.0", Live: after(time.Minute), Needed: true, Breached: true})
	justNow   = others(suspect.Other{Name: "payments 3.1.0", Live: after(24 * time.Minute), Needed: true, Breached: true})
	tooLate   = others(suspect.Other{Name: "payments 3.1.0", Live: after(4 * time.Minute), Needed: true, Breached: true})
	longAgo   = others(suspect.Other{Name: "payments 3.1.0", Live: after(-2 * time.Hour), Needed: true, Breached: true})
	halfHour  = others(suspect.Other{Name: "payments 3.1.0", Live: after(-30 * time.Minute), Needed: true})
	neighbour = others(suspect.Other{Name: "batch 12", Live: after(time.Minute), Breached: true, Shared: 0.5})
	farther   = others(suspect.Other{Name: "batch 12", Live: after(time.Minute), Breached: true, Shared: 0.1})
	broken    = dependency("postgres-main", after(time.Minute))
	brokenToo = dependency("postgres-main", after(4*time.Minute))
)

// The truth table: what is known, who is to blame, and the reasons in their order.
func TestWhoIsToBlame(t *testing.T) {
	for name, test := range map[string]struct {
		known []change
		want  string
	}{
		// Nothing but time is known.
		"it began after the deployment, and nothing else happened": {nil, "this deployment: it began 2m after the deployment; nothing else was deployed"},
		"it began at once":                                                       {[]change{func(f *suspect.Facts) { f.Onset = after(20 * time.Second) }}, "this deployment: it began with the deployment; nothing else was deployed"},
		"nobody knows when it began":                                             {[]change{noOnset}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"an onset before the deployment that proves nothing":                     {[]change{func(f *suspect.Facts) { f.Onset = after(-12 * time.Minute) }}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"a plain limit blames the deployment unless something speaks against it": {[]change{noOnset, plain}, "this deployment: nothing else was deployed"},
		"history alone is no alibi for everyone else":                            {[]change{history, noOnset}, "cannot tell: nobody knows when it began; nothing else was deployed"},

		// It was worse before.
		"it was worse before":                                                    {[]change{early}, "ambient: it began 12m before the deployment"},
		"it was worse before, a plain limit":                                     {[]change{early, plain}, "ambient: it began 12m before the deployment"},
		"it was worse before, since nobody knows when":                           {[]change{early, noOnset}, "ambient: it began before the deployment"},
		"it was worse before, after another deployment":                          {[]change{early, others(suspect.Other{Name: "payments 3.1.0", Live: after(-13 * time.Minute), Needed: true})}, "another deployment (payments 3.1.0): it began 12m before the deployment; payments 3.1.0 went live 1m before it began"},
		"it was worse before, and others deployed since":                         {[]change{early, needed}, "ambient: it began 12m before the deployment"},
		"it was worse before, after another deployment, since nobody knows when": {[]change{early, noOnset, others(suspect.Other{Name: "payments 3.1.0", Live: after(-5 * time.Minute), Needed: true})}, "another deployment (payments 3.1.0): it began before the deployment; payments 3.1.0 went live 5m before it began"},
		"it was worse before, though the bets say later":                         {[]change{early, func(f *suspect.Facts) { f.Onset = after(time.Minute) }, needed}, "ambient: it began before the deployment"},
		"it was worse before, but only our instances":                            {[]change{early, onlyOurs}, "cannot tell: only 2.4.0's instances; it began 12m before the deployment; nothing else was deployed"},

		// Where it is.
		"only our instances":                             {[]change{onlyOurs}, "this deployment: only 2.4.0's instances; it began 2m after the deployment; nothing else was deployed"},
		"only our instances, whenever it began":          {[]change{onlyOurs, noOnset}, "this deployment: only 2.4.0's instances; nothing else was deployed"},
		"only our instances, whoever else deployed":      {[]change{onlyOurs, neededBad}, "this deployment: only 2.4.0's instances; it began 2m after the deployment; payments 3.1.0 is breached itself, and went live when it began"},
		"all instances alike":                            {[]change{allAlike}, "ambient: 2.3.9's instances fail as well"},
		"all instances alike, previous unknown":          {[]change{allAlike, func(f *suspect.Facts) { f.Previous = "" }}, "ambient: the old version's instances fail as well"},
		"all instances alike, a plain limit":             {[]change{allAlike, plain}, "ambient: 2.3.9's instances fail as well"},
		"all instances alike, and a suspect":             {[]change{allAlike, needed}, "another deployment (payments 3.1.0): 2.3.9's instances fail as well; payments 3.1.0 went live when it began"},
		"all instances alike, and a dependency":          {[]change{allAlike, broken}, "a dependency (postgres-main): 2.3.9's instances fail as well; postgres-main is in trouble itself"},
		"one instance alone is named":                    {[]change{oneAlone}, "cannot tell: of 3 instances of 2.4.0 only 10.0.0.2:80 is affected; nothing else was deployed"},
		"one instance alone, though the control is well": {[]change{oneAlone, apart}, "cannot tell: of 3 instances of 2.4.0 only 10.0.0.2:80 is affected; 2.3.9 does not suffer in the same minutes; nothing else was deployed"},
		"the only new instance is the version":           {[]change{space(instances(20, 400), instances(1, 400, 0, 390))}, "this deployment: only 2.4.0's instances; it began 2m after the deployment; nothing else was deployed"},
		"two of three new instances":                     {[]change{space(instances(20, 400, 25, 410, 0, 400), instances(0, 800))}, "this deployment: only 2.4.0's instances; it began 2m after the deployment; nothing else was deployed"},
		"three bad requests on one instance are chance":  {[]change{space(instances(3, 100, 0, 100, 0, 100), nil), noOnset}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"old instances without traffic say nothing":      {[]change{space(instances(45, 800), instances(0, 0)), noOnset}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"old instances with little traffic say nothing":  {[]change{space(instances(45, 800), instances(0, 20)), noOnset}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"what was always so on old instances does not count": {[]change{
			space(instances(160, 1600), instances(64, 1600)),
			compared(rules.Compared{With: rules.Before, Level: 0.04, Total: 1e6, Bad: 4e4}), noOnset,
		}, "this deployment: only 2.4.0's instances; nothing else was deployed"},

		// What controls show.
		"the previous version is well":                   {[]change{apart}, "this deployment: 2.3.9 does not suffer in the same minutes; it began 2m after the deployment; nothing else was deployed"},
		"the previous version is well, a suspect":        {[]change{apart, neededBad}, "this deployment: 2.3.9 does not suffer in the same minutes; it began 2m after the deployment; payments 3.1.0 is breached itself, and went live when it began"},
		"a control with too little traffic says nothing": {[]change{noOnset, compared(rules.Compared{With: rules.Off, Total: 100})}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"a control that is half as bad says nothing":     {[]change{noOnset, compared(rules.Compared{With: rules.Off, Bad: 16, Total: 1000})}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"the other cohort is well":                       {[]change{compared(rules.Compared{With: rules.Off, Total: 1000})}, "this deployment: who has the toggle off does not suffer in the same minutes; it began 2m after the deployment; nothing else was deployed"},
		"the previous version suffers as well":           {[]change{suffers}, "ambient: 2.3.9 suffers as well"},
		"it suffers as well, and a suspect":              {[]change{suffers, needed}, "another deployment (payments 3.1.0): 2.3.9 suffers as well; payments 3.1.0 went live when it began"},
		"everyone else suffers as well":                  {[]change{weather}, "ambient: everyone else suffers as well"},
		"a borrowed service suffers as well":             {[]change{borrowed}, "ambient: search suffers as well"},
		"a borrowed service rose, but explains nothing":  {[]change{elsewhere(rules.Weather{Service: "search", Rose: 0.03})}, "this deployment: it began 2m after the deployment; nothing else was deployed"},
		"a borrowed service that does not speak":         {[]change{elsewhere(rules.Weather{Service: "search", Shares: true, Missing: "its last deployment has not passed"})}, "this deployment: it began 2m after the deployment; nothing else was deployed"},
		"a borrowed service suffers, but only ours fail": {[]change{borrowed, onlyOurs}, "cannot tell: only 2.4.0's instances; search suffers as well; nothing else was deployed"},
		"a control that is missing says nothing":         {[]change{noOnset, compared(rules.Compared{With: rules.Previous, Missing: "gone", Shares: true, Total: 5})}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"a control without events says nothing":          {[]change{noOnset, compared(rules.Compared{With: rules.Previous})}, "cannot tell: nobody knows when it began; nothing else was deployed"},
		"controls that disagree":                         {[]change{apart, weather}, "cannot tell: 2.3.9 does not suffer in the same minutes; everyone else suffers as well; nothing else was deployed"},
		"a control against what instances show":          {[]change{suffers, onlyOurs}, "cannot tell: only 2.4.0's instances; 2.3.9 suffers as well; nothing else was deployed"},

		// Who else was there.
		"an unrelated deployment is no suspect":                   {[]change{unrelated}, "this deployment: it began 2m after the deployment; nothing that it depends on was deployed"},
		"a dependency was deployed at the same time":              {[]change{needed}, "cannot tell: payments 3.1.0 went live when it began; it began 2m after the deployment"},
		"so it was, and a plain limit":                            {[]change{needed, plain}, "cannot tell: payments 3.1.0 went live when it began; it began 2m after the deployment"},
		"a dependency was deployed much later, and it began then": {[]change{long, justNow}, "another deployment (payments 3.1.0): payments 3.1.0 is breached itself, and went live 1m before it began"},
		"a dependency was deployed after it began":                {[]change{tooLate}, "this deployment: it began 2m after the deployment; nothing else was deployed"},
		"a dependency was deployed hours ago":                     {[]change{longAgo}, "this deployment: it began 2m after the deployment; nothing else was deployed"},
		"a dependency was deployed half an hour before":           {[]change{halfHour}, "this deployment: it began 2m after the deployment; payments 3.1.0 went live 32m before it began"},
		"a neighbour on half of the hosts":                        {[]change{neighbour}, "cannot tell: batch 12 is breached itself, and went live when it began; it began 2m after the deployment"},
		"a neighbour on a tenth of the hosts":                     {[]change{farther}, "this deployment: it began 2m after the deployment; batch 12 is breached itself, and went live when it began"},
		"the likeliest of several suspects":                       {[]change{long, farther, justNow, unrelated}, "another deployment (payments 3.1.0): payments 3.1.0 is breached itself, and went live 1m before it began"},
		"a dependency in trouble since then":                      {[]change{broken}, "cannot tell: postgres-main is in trouble itself; it began 2m after the deployment"},
		"a dependency in trouble, long after we deployed":         {[]change{long, dependency("postgres-main", after(24*time.Minute))}, "a dependency (postgres-main): postgres-main is in trouble itself"},
		"a dependency that got into trouble afterwards":           {[]change{brokenToo}, "this deployment: it began 2m after the deployment; nothing else was deployed"},
		"a dependency in trouble, but the control is well":        {[]change{broken, apart}, "this deployment: 2.3.9 does not suffer in the same minutes; it began 2m after the deployment; postgres-main is in trouble itself"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := suspect.Attribute(facts(test.known...)).String(); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// blame is how much the answer lets be done about this deployment.
func blame(f suspect.Facts) rules.Power { return suspect.Attribute(f).Blame.Ceiling() }

func drawFacts(t *rapid.T) suspect.Facts {
	minutes := func(label string, from, to int) time.Time {
		return after(time.Duration(rapid.IntRange(from*4, to*4).Draw(t, label)) * 15 * time.Second)
	}
	f := facts(func(f *suspect.Facts) {
		f.Onset, f.At = minutes("onset", -20, 30), after(31*time.Minute)
		f.Early, f.Plain = rapid.Bool().Draw(t, "early"), rapid.Bool().Draw(t, "plain")
	})
	if rapid.Bool().Draw(t, "no onset") {
		f.Onset = time.Time{}
	}
	draw := func(label string) (all []rules.Instance) {
		for range rapid.IntRange(0, 4).Draw(t, label) {
			total := rapid.IntRange(0, 500).Draw(t, "total")
			all = append(all, rules.Instance{Name: fmt.Sprint(label, len(all)), Bad: float64(rapid.IntRange(0, total).Draw(t, "bad")), Total: float64(total)})
		}
		return all
	}
	f.Space = rules.Space{New: draw("new"), Rest: draw("rest")}
	for range rapid.IntRange(0, 2).Draw(t, "controls") {
		f.Compared = append(f.Compared, drawCompared(t))
	}
	for range rapid.IntRange(0, 3).Draw(t, "others") {
		f.Others = append(f.Others, suspect.Other{
			Name: fmt.Sprint("other ", len(f.Others)), Live: minutes("live", -70, 30), Breached: rapid.Bool().Draw(t, "breached"),
			Needed: rapid.Bool().Draw(t, "needed"), Shared: rapid.Float64Range(-1, 2).Draw(t, "shared"),
		})
	}
	if rapid.Bool().Draw(t, "dependency") {
		f.Dependencies = append(f.Dependencies, suspect.Dependency{Name: "dependency", Since: minutes("since", -70, 30)})
	}
	return f
}

func drawCompared(t *rapid.T) rules.Compared {
	return rules.Compared{
		With:   rapid.SampledFrom([]rules.Control{"", rules.Previous, rules.Off, rules.Before, rules.LastWeek}).Draw(t, "control"),
		Total:  float64(rapid.IntRange(0, 100).Draw(t, "events")),
		Level:  rapid.Float64Range(0, 0.2).Draw(t, "level"),
		Shares: rapid.Bool().Draw(t, "shares"),
	}
}

func TestMoreAgainstOthersNeverRaisesTheBlameOfThisDeployment(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := drawFacts(t)
		more := before
		what := rapid.SampledFrom([]string{"a suspect", "a breach", "overlap", "a dependency", "early", "a control suffers", "a borrowed service suffers", "the rest fails"}).Draw(t, "more")
		more.Others = slices.Clone(before.Others)
		switch what {
		case "a suspect":
			more.Others = append(more.Others, suspect.Other{Name: "one more", Live: after(time.Duration(rapid.IntRange(-70, 30).Draw(t, "went live")) * time.Minute), Needed: true})
		case "a breach":
			for i := range more.Others {
				more.Others[i].Breached = true
			}
		case "overlap":
			for i := range more.Others {
				more.Others[i].Shared = 1
			}
		case "a dependency":
			more.Dependencies = append(slices.Clone(before.Dependencies), suspect.Dependency{Name: "one more"})
		case "early":
			more.Early = true
		case "a control suffers":
			more.Compared = append(slices.Clone(before.Compared), rules.Compared{With: rules.LastWeek, Shares: true})
		case "a borrowed service suffers":
			more.Weather = []rules.Weather{{Service: "search", Shares: true}}
		case "the rest fails":
			more.Space.Rest = slices.Clone(before.Space.Rest)
			for i := range more.Space.Rest {
				more.Space.Rest[i].Bad = more.Space.Rest[i].Total
			}
		}
		if blame(more) > blame(before) {
			t.Fatalf("with %s: %s\nbefore: %s", what, suspect.Attribute(more), suspect.Attribute(before))
		}
	})
}

func TestEveryAnswerHasItsReasonsAndItsSuspect(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		got := suspect.Attribute(drawFacts(t))
		named := got.Blame == rules.AnotherDeployment || got.Blame == rules.ADependency
		if !slices.Contains(rules.Blame("").Words(), string(got.Blame)) || len(got.Why) == 0 || named != (got.Suspect != "") || strings.Contains(got.String(), "  ") {
			t.Fatalf("got %+v", got)
		}
	})
}

// Whatever else there is, what speaks against this deployment alone takes away the power to act.
func TestWhatSpeaksAgainstTheDeploymentIsNeverLost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := drawFacts(t)
		f.Early = true
		if blame(f) > rules.Ask {
			t.Fatalf("got %s", suspect.Attribute(f))
		}
	})
}
