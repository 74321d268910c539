package replay

import (
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Finding is what would have happened to one deployment.
type Finding struct {
	Recording  string
	Deployment Deployment
	// Power is the most that any ruling would have done: auto means rolled back, ask
	// means that people would have been asked.
	Power rules.Power
	// Asked and Decided are how long after the deployment people would have been asked,
	// and the rollback decided; 0: never.
	Asked, Decided time.Duration
	// Rule and Why are the rule that spoke, and its arithmetic when it was detected; where
	// it never was, when people would have been told.
	Rule, Why string
	// Outcome is how the watch ended; empty if it was rolled back, or its data ended first.
	Outcome watcher.Outcome
	// Most is the answer with the most evidence of all looks; its zero value: there was none.
	Most rules.Answer
	// Said is what the rules said last.
	Said []rules.Answer
	// Peers are what the peers made of it, in the order of Config.Peers.
	Peers []PeerFinding
}

// PeerFinding is what one peer made of a deployment.
type PeerFinding struct {
	// After is how long after the deployment it would have rolled back; 0: never.
	After time.Duration
	// Unable says that it could not judge, for want of what was before.
	Unable bool
}

// Detected says whether the deployment would have been stopped: rolled back, or people
// asked whether to.
func (f Finding) Detected() bool { return f.Power >= rules.Ask }

// After is how long after the deployment it was detected.
func (f Finding) After() time.Duration {
	if f.Asked > 0 {
		return f.Asked
	}
	return f.Decided
}

// Prepare divides the rows of a recording so that rules can look as often as they are
// meant to (Series.Refine). Run does so as well; who runs many deployments of one
// recording saves the time. It is an error if the recording cannot be watched so.
func (c Config) Prepare(r Recording) (Recording, error) {
	if err := c.check(r); err != nil {
		return Recording{}, err
	}
	return r.refined(c.every(r)), nil
}

// Run watches one deployment of a recording.
func (c Config) Run(r Recording, d Deployment) (Finding, error) {
	r, err := c.Prepare(r)
	if err != nil {
		return Finding{}, err
	}
	c.Interval = c.every(r)
	return c.run(r, d, c.plan(r))
}

// run watches one deployment of a recording that was prepared, by this plan.
func (c Config) run(r Recording, d Deployment, plan rules.Plan) (Finding, error) {
	w := &watched{config: c, recording: r, plan: plan, finding: Finding{Recording: r.Name, Deployment: d}}
	if err := w.begin(); err != nil {
		return Finding{}, err
	}
	// A bake is extended twice at most; then the state machine ends the watch.
	last := d.At.Add(4 * c.Bake)
	for at := w.first(); !at.After(last); at = at.Add(c.Interval) {
		w.ask(at)
		if w.open() {
			w.look(at)
		}
	}
	return w.finding, nil
}

// watched is one deployment of a recording while it is watched.
type watched struct {
	config    Config
	recording Recording
	plan      rules.Plan
	lane      watcher.Lane
	queries   [][]rules.Query
	evidence  []rules.Evidence
	wealth    []float64 // of each rule's test when it had a verdict last
	peers     []Watchman
	finding   Finding
}

// begin opens the watch. The version before it is taken for one that passed, so that
// there is something to go back to.
func (w *watched) begin() error {
	deployment := rules.Deployment{
		ID: w.finding.Deployment.Name, Service: w.recording.Name, Environment: source, Version: after, Previous: before,
		Step: rules.Finished, Strategy: rules.Rolling, At: w.finding.Deployment.At.UTC(),
	}
	w.lane = watcher.Lane{ID: deployment.Lane(), Ledger: watcher.Ledger{
		Live: before, Past: []watcher.PastWatch{{Version: before, Outcome: watcher.Passed}},
	}}
	for i, spec := range w.plan.Rules {
		rule, err := build(w.recording.Measures[i], setting(w.plan, spec))
		if err != nil {
			return fmt.Errorf("replay: rule %s: %w", spec.Name, err)
		}
		evidence := rule.Begin(deployment)
		w.recording.remembers(evidence)
		w.queries, w.evidence = append(w.queries, rule.Queries(deployment)), append(w.evidence, evidence)
		w.wealth = append(w.wealth, 1)
	}
	w.beginPeers()
	w.give(watcher.Input{Now: deployment.At, Event: &watcher.Announced{Deployment: deployment, Plan: &w.plan}})
	return nil
}

// first returns the first instant of a look: the looks stand where the rows end.
func (w *watched) first() time.Time {
	at := w.finding.Deployment.At
	from, _ := w.recording.Span()
	since := at.Sub(from) % w.config.Interval
	if since < 0 {
		since += w.config.Interval
	}
	return at.Add(w.config.Interval - since)
}

func (w *watched) open() bool { return w.lane.Watch != nil && w.lane.Watch.Decision == nil }

// look takes one look at everything.
func (w *watched) look(at time.Time) {
	answers := make([]rules.Answer, len(w.evidence))
	for i, evidence := range w.evidence {
		spec := w.plan.Rules[i]
		results := make([]rules.Result, len(w.queries[i]))
		for j, q := range w.queries[i] {
			results[j] = w.recording.answer(q, at)
		}
		answers[i] = evidence.See(at, results)
		answers[i].Rule, answers[i].At = spec.Name, at
		test := answers[i].Standing(w.wealth[i])
		answers[i].Test, w.wealth[i] = &test, test.Wealth
	}
	rules.Combine(answers, w.plan.FalseAlarms)
	for _, a := range answers {
		if a.Test.Held == "" && (w.finding.Most.Test == nil || a.Test.Wealth > w.finding.Most.Test.Wealth) {
			w.finding.Most = a
		}
	}
	w.finding.Said = answers
	w.give(watcher.Input{Now: at, Look: &watcher.Look{Watch: w.lane.Watch.Seq, Answers: answers}})
}

// beginPeers lets the peers learn what was before.
func (w *watched) beginPeers() {
	at, step := w.finding.Deployment.At, w.config.Interval
	first := w.first()
	if first.Sub(at) < step { // that look began before the deployment
		first = first.Add(step)
	}
	start := w.recording.start(at, first, step)
	w.finding.Peers = make([]PeerFinding, len(w.config.Peers))
	w.peers = make([]Watchman, len(w.config.Peers))
	for i, peer := range w.config.Peers {
		w.peers[i] = peer.Begin(start)
		w.finding.Peers[i].Unable = w.peers[i] == nil
	}
}

// ask shows the peers the same look, as long as the bake and the recording last: that a
// recording has ended is no failure of the service, though some take missing counts for one.
func (w *watched) ask(at time.Time) {
	since := at.Sub(w.finding.Deployment.At)
	if _, end := w.recording.Span(); at.After(end) || since > w.config.Bake || since < w.config.Interval { // began before the deployment
		return
	}
	look := w.recording.seen(at, w.config.Interval)
	for i, found := range w.finding.Peers {
		if !found.Unable && found.After == 0 && w.peers[i].See(look) {
			w.finding.Peers[i].After = since
		}
	}
}

// give hands one input to the lane and takes what is written because of it.
func (w *watched) give(in watcher.Input) {
	for {
		e, ok := w.lane.Next(in)
		if !ok || w.lane.Aside != "" {
			return
		}
		e.Seq = w.lane.Last + 1
		w.lane = w.lane.Apply(e)
		w.note(e)
	}
}

// note keeps what people would want to know of an entry.
func (w *watched) note(e watcher.Entry) {
	f := &w.finding
	since := e.At.Sub(f.Deployment.At)
	switch e.Kind {
	case watcher.Ruled, watcher.Decided:
		if !f.Detected() && e.Ruling.Power > f.Power && len(e.Ruling.Why) > 0 {
			f.Rule, f.Why = e.Ruling.Rule, e.Ruling.Why[0]
		}
		f.Power = max(f.Power, e.Ruling.Power)
		if e.Kind == watcher.Decided {
			f.Decided = since
		} else if e.Ruling.Power == rules.Ask && f.Asked == 0 {
			f.Asked = since
		}
	case watcher.Closed:
		f.Outcome = e.Outcome
	case watcher.Opened, watcher.Step, watcher.Verdicts, watcher.Voted, watcher.Reminded, watcher.Spent, watcher.Intended, watcher.Done,
		watcher.Verified, watcher.Told, watcher.Noted:
	}
}
