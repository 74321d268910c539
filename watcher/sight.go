package watcher

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// sight is the second fold: what an owner has seen of one watch. It lives in
// memory only, and whoever owns the lane rebuilds it from Prometheus.
type sight struct {
	pace
	watch      uint64
	verify     bool              // the target is looked at, to verify a rollback
	values     map[string]string // what the placeholders of its queries stand for
	feeds      []*feed
	alarms     rules.Chance   // of the plan
	said       []rules.Answer // at the last look
	calm       int            // looks in a row that found every limit kept
	counted    time.Time      // the instant up to which they were counted
	blindSince time.Time
}

// feed is one rule's evidence and how far it has got.
type feed struct {
	rule     string
	shadow   bool
	queries  []rules.Query
	evidence rules.Evidence
	next     time.Time // the first instant that was not seen yet
	answer   rules.Answer
	err      error     // why the last look failed; nil: it did not
	asked    bool      // a look is under way
	missed   time.Time // the last instant that was asked for, or came while a look was under way
	interval time.Duration
	reading  *reading // nil: it knows what was normal, or needs not
	bets     bool     // its answers carry a test
	wealth   float64  // and what that has won, when it had a verdict last
	trail    trail    // what it takes to say who is to blame
}

// newSight begins the evidence about what the watch judges now. If the plan's rules
// cannot be built, because an older version opened the watch, all of them are blind.
func newSight(w *Watch, build func(rules.Plan) ([]rules.Rule, error)) *sight {
	d := w.Subject()
	s := &sight{pace: paceOf(w), watch: w.Seq, verify: w.Done != nil, values: d.Values(), alarms: w.Plan.FalseAlarms}
	built, err := build(w.Plan)
	if err == nil && len(built) != len(w.Plan.Rules) {
		err = errNotBuilt
	}
	if err != nil {
		for _, spec := range w.Plan.Rules {
			s.feeds = append(s.feeds, blindFeed(spec, fmt.Errorf("the plan's rules cannot be built: %w", err)))
		}
		return s
	}
	for i, rule := range built {
		spec := w.Plan.Rules[i]
		s.feeds = append(s.feeds, s.begin(spec, rule, d))
	}
	return s
}

// begin begins the evidence of one rule. A rule that panics is blind.
func (s *sight) begin(spec rules.Spec, rule rules.Rule, d rules.Deployment) (f *feed) {
	defer func() {
		if p := recover(); p != nil {
			f = blindFeed(spec, fmt.Errorf("the rule cannot begin: %v", p))
		}
	}()
	f = &feed{
		rule: spec.Name, shadow: spec.Mode == rules.Shadow, interval: s.interval,
		queries: rule.Queries(d), evidence: s.evidence(rule, d), next: s.after(d.At),
		answer: unseen(spec.Name), wealth: 1,
	}
	if historical, is := f.evidence.(rules.Historical); is {
		f.bets = true
		f.want(historical)
	}
	f.trail = trailOf(rule, f.evidence, d)
	return f
}

// evidence begins what the rule folds its looks into. The target of a rollback is held
// against limits alone, where the rule can do so.
func (s *sight) evidence(rule rules.Rule, d rules.Deployment) rules.Evidence {
	if verifier, is := rule.(rules.Verifier); is && s.verify {
		return verifier.Verify(d)
	}
	return rule.Begin(d)
}

// unseen is the answer of a rule before its first look.
func unseen(rule string) rules.Answer {
	return rules.Answer{Rule: rule, Ceiling: rules.Auto, Why: "not looked at yet"}
}

// never is an instant that no look reaches.
var never = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)

func blindFeed(spec rules.Spec, err error) *feed {
	f := &feed{rule: spec.Name, shadow: spec.Mode == rules.Shadow}
	f.fail(err)
	return f
}

// fail makes the rule blind for good: asking again does not help.
func (f *feed) fail(err error) {
	f.reading, f.next, f.err = nil, never, err
	f.answer = rules.Answer{Rule: f.rule, Verdict: rules.Blind, Ceiling: rules.Auto, Why: err.Error()}
}

// fits says whether the sight is still of what the watch judges now: a later step may
// have named the slot.
func (s *sight) fits(w *Watch) bool {
	return s != nil && w != nil && s.watch == w.Seq && s.verify == (w.Done != nil) && maps.Equal(s.values, w.Subject().Values())
}

// due calls owe for every rule that owes a look, with the instants from first to last.
// One whose last look is still under way misses this instant, and fetches it later.
func (s *sight) due(now time.Time, owe func(f *feed, first, last time.Time)) (missed int) {
	last := s.latest(now)
	for _, f := range s.feeds {
		switch {
		case f.reading != nil:
			// Its looks wait, and are caught up then.
		case f.next.After(last), (f.asked || f.err != nil) && !last.After(f.missed):
			// Seen, under way, or failed: a server in trouble is not hammered.
		case f.asked:
			f.missed = last
			missed++
		default:
			f.missed = last
			owe(f, f.next, last)
		}
	}
	return missed
}

// see folds one look of one rule. A look that failed because the server did is owed
// again. One that never has an answer (there is nothing, series that do not match
// while pods change) is left out: it must not hide all that comes after it.
func (f *feed) see(at time.Time, results []rules.Result) {
	f.err = f.failure(results)
	if f.err != nil {
		f.answer = rules.Answer{Rule: f.rule, Verdict: rules.VerdictOf(f.err), Ceiling: rules.Auto, At: at, Why: f.err.Error()}
		if !f.owed() {
			f.next = at.Add(f.interval)
		}
		return
	}
	f.answer = f.evidence.See(at, results)
	f.answer.Rule, f.answer.At = f.rule, at
	f.bets = f.bets || f.answer.Test != nil
	f.trail.follow(f.answer, f.interval)
	f.next = at.Add(f.interval)
}

// owed says whether the look that failed is to be asked for again.
func (f *feed) owed() bool {
	if f.err == nil {
		return false
	}
	failed, ok := errors.AsType[*rules.SampleError](f.err)
	return !ok || failed.Reason.Passes()
}

// fold folds the answers to one request: results[i][j] is query i at the j-th instant.
// It stops at the first instant that is owed again.
func (f *feed) fold(b batch, results [][]rules.Result) {
	defer f.caught()
	at, step := b.from, b.step
	for j := 0; !at.After(b.to); j++ {
		row := make([]rules.Result, len(results))
		for i := range results {
			row[i] = results[i][j]
		}
		f.see(at, row)
		if f.owed() || step == 0 {
			return
		}
		at = at.Add(step)
	}
}

// caught makes a panic of one rule's judging that rule's own trouble.
func (f *feed) caught() {
	if p := recover(); p != nil {
		f.err = rules.Failed(rules.WrongType, "the rule cannot judge this answer: %v", p)
		f.answer = rules.Answer{Rule: f.rule, Verdict: rules.Blind, Ceiling: rules.Auto, Why: f.err.Error()}
	}
}

// seen returns the instant before which nothing is to be asked again: the latest,
// or none while a rule that is being caught up has more to fetch. A look that
// failed waits for the next instant, so that a server in trouble is not hammered; one
// that reads its past is heard of when it knows it.
func (s *sight) seen(now time.Time) time.Time {
	last := s.latest(now)
	for _, f := range s.feeds {
		if f.err == nil && !f.next.After(last) && (f.reading == nil || !f.reading.waiting) {
			return time.Time{}
		}
	}
	return last
}

// asking says whether a look of any rule is under way.
func (s *sight) asking() bool {
	return slices.ContainsFunc(s.feeds, func(f *feed) bool { return f.asked })
}

// failure is why the rule cannot judge the look: the first error of a query that it
// cannot do without.
func (f *feed) failure(results []rules.Result) error {
	for i, r := range results {
		if r.Err != nil && !f.queries[i].Optional {
			return r.Err
		}
	}
	return nil
}

// look says what the evidence says now. It is called once a tick, after its looks came back.
func (s *sight) look(now time.Time) *Look {
	last, blind, behind, calm := s.latest(now), false, false, len(s.feeds) > 0
	s.said = s.answers(last)
	for i, f := range s.feeds {
		if f.shadow {
			continue
		}
		verdict := s.said[i].Verdict
		blind = blind || verdict == rules.Blind
		behind = behind || f.behind(last) != ""
		calm = calm && (verdict == rules.Healthy || verdict == rules.LowTraffic)
	}
	s.count(now, last, blind, calm)
	return &Look{
		Watch: s.watch, Verify: s.verify, Answers: s.said, Partly: s.asking(), Behind: behind, Calm: s.calm, BlindSince: s.blindSince,
	}
}

// count keeps how long the sight has been calm, in looks, and blind, in time.
func (s *sight) count(now, last time.Time, blind, calm bool) {
	switch {
	case !calm:
		s.calm, s.counted = 0, last
	case last.After(s.counted) && !s.asking():
		s.calm, s.counted = s.calm+1, last
	}
	switch {
	case !blind:
		s.blindSince = time.Time{}
	case s.blindSince.IsZero():
		s.blindSince = now
	}
}

var errNotBuilt = errors.New("a rule is missing")
