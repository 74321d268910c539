package adoption_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/adoption"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

func options(goal string) *adoption.Options {
	return &adoption.Options{Uses: `used_total{feature="one_click"}`, Per: "sessions_total", Min: quantity.Must(goal)}
}

func byVersion() rules.Setting {
	setting := promtest.Setting("one click")
	setting.Select.Version, setting.Judge = "v", "threshold"
	return setting
}

// grow stores a counter that is born at the first look and grows by so much at each.
func grow(t *testing.T, server *promtest.Server, series string, looks int, step float64) {
	t.Helper()
	for i := 1; i <= looks; i++ {
		server.Add(t, series, promtest.Sample{Second: float64(15*i) - 4, Value: step * float64(i)})
	}
}

func TestUsesForEachSessionAgainstAGoal(t *testing.T) {
	for name, test := range map[string]struct {
		uses, sessions float64
		goal           string
		want           rules.Verdict
		why            string
	}{
		"enough users":              {50, 1000, "5%", rules.Healthy, "uses per session 5 % (50 in 1000 sessions) ≥ limit 5 %"},
		"too few users":             {49, 1000, "5%", rules.Breached, "uses per session 4.9 % (49 in 1000 sessions) < limit 5 %"},
		"nobody":                    {0, 1000, "5%", rules.Breached, "uses per session 0 % (0 in 1000 sessions) < limit 5 %"},
		"more than one use each":    {150, 100, "1.2", rules.Healthy, "uses per session 1.5 (150 in 100 sessions) ≥ limit 1.2"},
		"too few uses each":         {110, 100, "1.2", rules.Breached, "uses per session 1.1 (110 in 100 sessions) < limit 1.2"},
		"too few sessions to judge": {0, 399, "5%", rules.LowTraffic, "399 sessions in 15s, fewer than min_sessions 400"},
		"no sessions":               {0, 0, "500%", rules.LowTraffic, "0 sessions in 15s, fewer than min_sessions 20"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			grow(t, server, `used_total{v="2",feature="one_click"}`, 1, test.uses)
			grow(t, server, `used_total{v="2",feature="other"}`, 1, 7777)
			grow(t, server, `used_total{v="1",feature="one_click"}`, 1, 7777)
			grow(t, server, `sessions_total{v="2"}`, 1, test.sessions)
			grow(t, server, `sessions_total{v="1"}`, 1, 7777)
			got := server.Watch(t, promtest.Build(t, options(test.goal), byVersion()), 1)[0]
			if got.Verdict != test.want || !strings.Contains(got.Why, test.why) || got.Bad != 0 || got.Part != test.uses || got.Ceiling != rules.Auto {
				t.Errorf("%v (%v used it, %v), %q; want %v, %q", got.Verdict, got.Part, got.Ceiling, got.Why, test.want, test.why)
			}
		})
	}
}

func TestAGoalIsJudgedAsSoonAsThereAreEnoughSessions(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `used_total{v="2",feature="one_click"}`, 4, 1)
	grow(t, server, `sessions_total{v="2"}`, 4, 150)
	answers := server.Watch(t, promtest.Build(t, options("5%"), byVersion()), 4)
	for i, want := range []rules.Verdict{rules.LowTraffic, rules.LowTraffic, rules.Breached, rules.Breached} {
		if answers[i].Verdict != want {
			t.Errorf("look %d: %v, %s", i+1, answers[i].Verdict, answers[i].Why)
		}
	}
}

func TestNoSessionsAreNoData(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `used_total{v="2",feature="one_click"}`, 1, 100)
	if got := server.Watch(t, promtest.Build(t, options("5%"), byVersion()), 1)[0]; got.Verdict != rules.NoData || got.Why != "no series of sessions" {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestACounterOfUsesThatIsNotThereIsAtMostAskedAbout(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `sessions_total{v="2"}`, 1, 1000)
	got := server.Watch(t, promtest.Build(t, options("5%"), byVersion()), 1)[0]
	if got.Verdict != rules.Breached || got.Ceiling != rules.Ask || !strings.Contains(got.Why, "no series of uses") {
		t.Errorf("%v, at most %v, %s", got.Verdict, got.Ceiling, got.Why)
	}
}

// The version that was rolled back to does not have the feature.
func TestTheTargetOfARollbackHasNoGoal(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `sessions_total{v="1"}`, 1, 1000)
	rule := promtest.Build(t, options("5%"), byVersion())
	verifier, ok := rule.(rules.Verifier)
	if !ok {
		t.Fatal("verifies as it judges")
	}
	target := rules.Deployment{Version: "1", Previous: "2", At: promtest.Start}
	at := promtest.At(15)
	got := verifier.Verify(target).See(at, server.Ask(t, at, rule.Queries(target)))
	if got.Verdict != rules.LowTraffic || !strings.Contains(got.Why, "not the target's") {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*adoption.Options)
		key    string
	}{
		"no uses":                  {func(o *adoption.Options) { o.Uses = "" }, "uses"},
		"uses that are a rate":     {func(o *adoption.Options) { o.Uses = "rate(x[5m])" }, "uses"},
		"no sessions":              {func(o *adoption.Options) { o.Per = "" }, "per"},
		"a goal of time":           {func(o *adoption.Options) { o.Min = quantity.Must("5s") }, "min"},
		"a goal of nothing":        {func(o *adoption.Options) { o.Min = quantity.Must("0%") }, "min"},
		"fewer sessions than none": {func(o *adoption.Options) { o.MinSessions = -1 }, "min_sessions"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options("5%")
			test.change(o)
			if blamed, ok := errors.AsType[*rules.FieldError](o.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", o.Check())
			}
		})
	}
}

// The look after a deployment between two looks began before it: its counts are the
// version's own only where versions are told apart.
func TestTheFirstLookCountsWhereVersionsAreToldApart(t *testing.T) {
	for label, want := range map[string]rules.Verdict{"v": rules.Healthy, "": rules.Inconclusive} {
		server, setting := promtest.New(t), promtest.Setting("one click")
		setting.Select.Version, setting.Judge = label, "threshold"
		server.Add(t, `sessions_total{v="2"}`, promtest.Sample{Second: 11, Value: 1000})
		server.Add(t, `used_total{v="2",feature="one_click"}`, promtest.Sample{Second: 11, Value: 100})
		rule := promtest.Build(t, options("5%"), setting)
		d := rules.Deployment{Version: "2", At: promtest.At(7)}
		if got := rule.Begin(d).See(promtest.At(15), server.Ask(t, promtest.At(15), rule.Queries(d))); got.Verdict != want {
			t.Errorf("label %q: %v, %s", label, got.Verdict, got.Why)
		}
	}
}
