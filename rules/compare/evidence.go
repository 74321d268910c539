package compare

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

// evidence folds the looks of one rule at one deployment.
type evidence struct {
	Config
	past
	deployment rules.Deployment
	start      counting.Start
	asked      counting.Asked // about the version
	show       int            // which of the queries people are shown
	arms       []arm
	present    []arm // those that can be asked about
	against    []rules.Control
	weather    weather
	gate       rules.Evidence // of the plain limit besides; nil: there is none

	begun   bool
	judge   *eprocess.Judge
	model   eprocess.Model
	known   bool                               // there is a history
	unasked map[rules.Control]eprocess.Askable // why no improvement on it can be asked for
	beyond  beyond
	already bool // it was bad before the deployment
	nulls   []rules.Control
	null    float64         // of the first of nulls
	tested  eprocess.Counts // by the load test
	tests   bool            // the load test tells

	seen   eprocess.Counts   // of the version, in all looks
	recent []eprocess.Counts // and in the last ones
	window []counted         // the looks of the sliding window
	curve  curve
	last   time.Time
	first  time.Time // the first look that was judged
	note   string
	lacks  bool // a count was not there and was taken for zero
	said   rules.Answer
}

// counted is one look that counts: of the version, and of the controls beside it.
type counted struct {
	at      time.Time
	version eprocess.Counts
	beside  []eprocess.Counts
	weather []eprocess.Counts
}

var (
	_ rules.Historical = (*evidence)(nil)
	_ rules.Borrower   = (*evidence)(nil)
	_ rules.Plotter    = (*evidence)(nil)
)

// begin makes the judge of what is known of the past.
func (e *evidence) begin() {
	if e.begun {
		return
	}
	e.begun = true
	e.model, e.known = e.past.model()
	setup := eprocess.Setup{
		Bets: e.bets(), History: e.model, Known: e.known, Fewer: e.Fewer, Matters: e.worse(e.model.Level), Large: e.large(),
	}
	if e.improves() {
		setup.Better = e.better
	}
	for _, control := range e.against {
		switch {
		case control == rules.Before && e.known:
			e.hold(&setup, control, e.model)
		case control == rules.LoadTest:
			if e.tested, e.tests = e.LoadTest(e.mark); e.tests {
				e.hold(&setup, control, e.loadTest())
			}
		}
	}
	for _, a := range e.present {
		setup.Controls = append(setup.Controls, e.normal())
		setup.Elsewhen = append(setup.Elsewhen, a.control == rules.LastWeek)
	}
	setup.Borrows = len(e.weather) > 0
	e.weather.begin()
	if e.Limit != nil {
		setup.Limit, setup.Limited = *e.Limit, true
	}
	e.already = e.known && e.past.already(e.model, setup.Threshold)
	e.judge = eprocess.NewJudge(setup)
	e.forget()
}

// normal is the model of a control beside the version: the service's own history or,
// where there is none, the limit that people have set.
func (e *evidence) normal() eprocess.Model {
	level := e.unknown()
	switch {
	case e.known:
		return e.model
	case e.Limit != nil:
		level = *e.Limit
	}
	m := eprocess.Fixed(level, eprocess.Model{}, false)
	m.Fewer = e.Fewer
	return m
}

// untold says that nobody knows whether what runs beside the version suffers as well.
func (e *evidence) untold(f eprocess.Finding) bool {
	speaks := slices.ContainsFunc(f.Beside, func(b eprocess.Beside) bool { return b.Speaks })
	return speaks && !e.known && e.Limit == nil
}

// loadTest is the model of what a load test measured.
func (e *evidence) loadTest() eprocess.Model {
	return eprocess.Measured(e.tested, e.worse, e.model, e.known)
}

// See folds one look. One that is not later than the last changes nothing.
func (e *evidence) See(at time.Time, got []rules.Result) rules.Answer {
	if !e.last.IsZero() && !at.After(e.last) {
		return e.said
	}
	e.begin()
	e.last = at
	e.said = e.fold(at, got)
	if e.gate != nil {
		e.said = gated(e.said, e.gate.See(at, got[:min(len(got), len(e.asked.Queries))]))
	}
	return e.said
}

func (e *evidence) fold(at time.Time, got []rules.Result) rules.Answer {
	answer := e.blank(at)
	if e.unmarked() {
		answer.Verdict, answer.Why = rules.NoData, "nothing tells what is slow: "+e.past.why
		return answer
	}
	version, err := e.read(got)
	e.weather.see(at, got[min(len(got), e.owned()):])
	first := e.start.Baseline(at, err == nil)
	if why, early := e.start.Early(at); early {
		answer.Why = why
		return answer
	}
	if first && err == nil {
		answer.Why = "the first data after a gap: counted from here on"
		return answer
	}
	beside := e.besides(got)
	e.take(at, version, beside)
	finding := e.judge.Finding()
	e.curve.add(at, time.Duration(e.Setting.Interval), version, beside, finding.Wealth)
	if err != nil {
		answer.Verdict, answer.Why = rules.VerdictOf(err), reason(err)
		return answer
	}
	return e.weigh(answer, finding)
}

// take hands a look to the judge and into the window.
func (e *evidence) take(at time.Time, version eprocess.Counts, beside []eprocess.Counts) {
	if e.first.IsZero() {
		e.first = at
	}
	raised := 0.0
	if len(e.weather) > 0 {
		e.recent = follow(e.recent, version)
		raised = e.weather.raised(e.recent)
	}
	e.judge.See(version, beside, raised)
	e.seen = total([]eprocess.Counts{e.seen, version})
	e.window = append(e.window, counted{at, version, beside, e.weather.now()})
	length := max(time.Duration(e.Setting.Window), time.Duration(e.Setting.Interval))
	e.window = slices.DeleteFunc(e.window, func(c counted) bool { return at.Sub(c.at) >= length })
}

// read reads what was asked about the version.
func (e *evidence) read(got []rules.Result) (eprocess.Counts, error) {
	each := len(e.asked.Queries)
	if want := e.owned() + e.weather.queries(); len(got) != want {
		return eprocess.Missing, rules.Failed(rules.WrongType, "%d results for %d queries", len(got), want)
	}
	for _, result := range got[:each] {
		if result.Err != nil {
			return eprocess.Missing, result.Err
		}
	}
	look, err := e.Read(got[:each], e.mark)
	if err != nil {
		return eprocess.Missing, err
	}
	e.note, e.show, e.lacks = look.Note, look.Shown, look.Missing
	return e.beyond.counts(look)
}

// owned is how many of the results of a look are of the version and its own controls.
func (e *evidence) owned() int { return len(e.asked.Queries) * (1 + len(e.present)) }

// besides reads what was asked about the controls beside the version: Missing where
// one has no data.
func (e *evidence) besides(got []rules.Result) []eprocess.Counts {
	each := len(e.asked.Queries)
	beside := make([]eprocess.Counts, len(e.present))
	for i := range beside {
		beside[i] = eprocess.Missing
		if from := each * (1 + i); from+each <= len(got) {
			beside[i], _ = readLook(e.Config, got[from:from+each], e.mark, &e.beyond)
		}
	}
	return beside
}

// blank returns what every answer says.
func (e *evidence) blank(at time.Time) rules.Answer {
	return rules.Answer{Rule: e.Setting.Name, Ceiling: rules.Auto, At: at, Unit: string(e.unit()), Limit: e.Limit, Query: e.asked.Text(e.show)}
}

// weigh says what the finding means.
func (e *evidence) weigh(answer rules.Answer, f eprocess.Finding) rules.Answer {
	e.measure(&answer)
	answer.Query = e.asked.Text(e.show)
	answer.Compared = e.compared(f)
	if f.Borrows {
		answer.Weather = e.elsewhere(answer, f)
	}
	if e.Fewer && (e.beyond.far() || e.past.beyond.far()) {
		answer.Verdict, answer.Why = rules.NoData, fmt.Sprintf("more %s than %s: they are no share of them, which a test needs", e.Subject, e.Of)
		return answer
	}
	if !e.judged(f) {
		answer.Verdict, answer.Why = rules.NoData, "nothing to compare with: "+missing(answer.Compared)
		return answer
	}
	answer.Test = &rules.Test{Wealth: f.Wealth}
	switch {
	case f.Suspicious(e.bets().Threshold) || e.above() || !e.improvable(f):
		answer.AtEnd = rules.Inconclusive
	case !f.Telling:
		answer.AtEnd = rules.LowTraffic
	case f.Short:
		answer.AtEnd = rules.Inconclusive
	default:
		answer.AtEnd = rules.Healthy
	}
	if f.Proved && answer.AtEnd != rules.Inconclusive {
		answer.Verdict, answer.Proved = rules.Healthy, true
	}
	if e.lacks || f.Weak(e.bets().Threshold) {
		answer.Ceiling = rules.Ask
	}
	e.attribute(&answer)
	answer.Why = e.why(answer, f)
	return answer
}

// above says that more was bad than the limit allows, or less was wanted than is the
// goal, all looks taken together, whether or not that is proved.
func (e *evidence) above() bool {
	switch {
	case e.Limit == nil, e.seen.Total <= 0:
		return false
	case e.Fewer:
		return share(e.seen) < *e.Limit
	}
	return share(e.seen) > *e.Limit
}

// judged says whether there is anything to judge by.
func (e *evidence) judged(f eprocess.Finding) bool {
	return len(e.nulls) > 0 || e.Limit != nil || !f.Alone
}

// attribute says what the counts alone tell of who is to blame.
func (e *evidence) attribute(answer *rules.Answer) {
	if e.already {
		answer.Attribution = rules.Attribution{Blame: rules.Ambient, Why: []string{"it began before the deployment"}}
	}
}

// measure fills in the counts of the window.
func (e *evidence) measure(answer *rules.Answer) {
	all := e.counts(-1)
	answer.Bad, answer.Total = all.Bad, all.Total
	if e.Fewer {
		answer.Bad, answer.Part = 0, all.Bad
	}
	answer.Window = rules.Duration(time.Duration(len(e.window)) * time.Duration(e.Setting.Interval))
	if all.Total > 0 {
		share := all.Bad / all.Total
		answer.Value = &share
	}
}

// counts adds up one arm over the window: a control, or -1 for the version.
func (e *evidence) counts(arm int) (all eprocess.Counts) {
	for _, look := range e.window {
		c := look.version
		if arm >= 0 {
			c = look.beside[arm]
		}
		if c.Known() {
			all.Total, all.Bad = all.Total+c.Total, all.Bad+c.Bad
		}
	}
	return all
}

// Onset implements rules.Dated: when the regression began, by the best guess.
func (e *evidence) Onset() (time.Time, bool) {
	if e.judge == nil {
		return time.Time{}, false
	}
	looks, ok := e.judge.Onset()
	return e.first.Add(time.Duration(looks-1) * time.Duration(e.Setting.Interval)), ok
}

// Curve implements rules.Plotter.
func (e *evidence) Curve() rules.Curve {
	limit := e.null
	if len(e.nulls) == 0 && e.Limit != nil {
		limit = *e.Limit
	}
	return e.curve.points(limit)
}

// reason returns a failure without the name of its class, which the verdict says.
func reason(err error) string {
	if failed, ok := errors.AsType[*rules.SampleError](err); ok {
		return failed.Err.Error()
	}
	return err.Error()
}
