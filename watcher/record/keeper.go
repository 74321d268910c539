package record

import (
	"cmp"
	"encoding/json"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Keeper reads a journal's entries one after the other, and keeps the rules' records.
type Keeper struct {
	since  time.Time
	lanes  map[rules.LaneID]*lane
	newest map[rules.LaneID]watcher.Entry     // the last opened entry, by lane without its flag
	asked  map[rules.LaneID]map[string]string // and what its rules ask, by name
}

// New returns a keeper who counts the watches that were opened since then.
func New(since time.Time) *Keeper {
	return &Keeper{since: since, lanes: map[rules.LaneID]*lane{}, newest: map[rules.LaneID]watcher.Entry{}, asked: map[rules.LaneID]map[string]string{}}
}

// lane is what is known of a lane.
type lane struct {
	live    string // the version that is live, as far as the entries say
	open    *watch
	watches []*watch // those that count, oldest first, the open one too
}

// watch is what is known of one watch.
type watch struct {
	lane    *lane
	seq     uint64
	version string
	at      time.Time         // of the deployment
	asks    map[string]string // what each of its rules asks

	opened   *watcher.Entry   // nil once it has ended: a plan is large, and there may be many
	ruling   authority.Ruling // as it stands; empty once it has ended
	breaches map[string]*breach
	decided  string    // by what, as of watcher.Decision; empty: nothing was
	acted    bool      // something was done, and worked
	kept     bool      // people said keep
	back     time.Time // when people went back themselves; zero: they did not
	wrong    bool      // a person says that it was a false alarm
	ended    time.Time
	outcome  watcher.Outcome // empty: it is open
}

// breach is the breach of one rule in one watch.
type breach struct {
	at     time.Time // when it was first written down
	would  rules.Power
	healed bool // it was healthy when it was looked at last
	blamed bool // by the decision
	begun  bool // a person wished to go back while it lasted
}

// See folds the journal's next entry. What belongs to a watch whose beginning was cut off by
// age is left out.
func (k *Keeper) See(e watcher.Entry) {
	if e.Kind == watcher.Spent {
		return
	}
	l := k.lanes[e.Lane]
	if l == nil {
		l = &lane{}
		k.lanes[e.Lane] = l
	}
	if e.Kind == watcher.Opened {
		k.opens(l, e)
		return
	}
	if e.Kind == watcher.Noted {
		l.noted(e)
	}
	if l.open != nil {
		l.open.see(e)
	}
	if e.Kind == watcher.Closed {
		l.open = nil
		if e.Ledger != nil {
			l.live = e.Ledger.Live // after a rollback or a cancellation another one
		}
	}
}

// opens begins a watch, which ends the open one, and may be people's way back from those before.
func (k *Keeper) opens(l *lane, e watcher.Entry) {
	if e.Deployment == nil || e.Plan == nil {
		return
	}
	if l.open != nil {
		l.open.ends(e.At, e.Outcome)
	}
	l.leads(e)
	l.live = e.Deployment.Version
	l.open = &watch{
		lane: l, seq: e.Seq, version: e.Deployment.Version, at: e.Deployment.At, asks: k.asks(e),
		opened: &e, breaches: map[string]*breach{},
	}
	k.newest[e.Lane.OfService()] = e
	if !e.At.Before(k.since) {
		l.watches = append(l.watches, l.open)
	}
}

// noted takes what a note says about watches that may have ended.
func (l *lane) noted(e watcher.Entry) {
	switch e.Topic {
	case watcher.Wrong:
		for _, w := range l.watches {
			w.wrong = w.wrong || w.seq == e.About
		}
	case watcher.NoPlan:
		l.leads(e)
		if e.Deployment != nil {
			l.live = e.Deployment.Version
		}
	case watcher.KeptByPeople, watcher.LeftBySilence, watcher.Unheard, watcher.OlderEvent, watcher.NewerWaits, watcher.NewerCancelled, watcher.FloorLifted,
		watcher.WentBlind, watcher.SeesAgain, watcher.StillRolling, watcher.Extended, watcher.StagePassed, watcher.StageHeld, watcher.SetAside, watcher.Refused, watcher.Healed:
	}
}

// see folds an entry of the open watch.
func (w *watch) see(e watcher.Entry) {
	switch e.Kind {
	case watcher.Ruled, watcher.Decided:
		if e.Ruling == nil {
			return
		}
		w.ruling = *e.Ruling
		if e.Decision != nil {
			w.decided = e.Decision.By
		}
		w.answered(e, e.Ruling.Answers)
	case watcher.Verdicts:
		w.answered(e, e.Answers)
	case watcher.Noted:
		w.kept = w.kept || e.Topic == watcher.KeptByPeople
	case watcher.Done:
		w.acted = w.acted || e.Done != nil && e.Done.Result == actions.ResultDone
	case watcher.Closed:
		w.ends(e.At, e.Outcome)
	case watcher.Opened, watcher.Step, watcher.Voted, watcher.Reminded, watcher.Spent, watcher.Intended, watcher.Verified, watcher.Told:
	}
}

func (w *watch) ends(at time.Time, outcome watcher.Outcome) {
	w.ended, w.outcome = at, outcome
	w.opened, w.ruling = nil, authority.Ruling{}
}

// answered writes down which rules are breached: also one in shadow beside others, which
// no ruling blames.
func (w *watch) answered(e watcher.Entry, answers []rules.Answer) {
	for _, a := range answers {
		b := w.breaches[a.Rule]
		if b != nil {
			b.healed = a.Verdict == rules.Healthy
		}
		if a.Verdict != rules.Breached {
			continue
		}
		if b == nil {
			b = &breach{at: e.At}
			w.breaches[a.Rule] = b
		}
		b.would = max(b.would, authority.Enforced(w.caseOf(e.At), a))
		b.begun = b.begun || e.Ruling != nil && e.Ruling.Begun != nil
		b.blamed = b.blamed || e.Kind == watcher.Decided && slices.Contains(e.Ruling.Blamed, a.Rule)
	}
}

// caseOf is the case for what a breach would have led to. What is no merit or fault of a rule
// (disarmed, a budget that is spent, clocks that disagree) is left out.
func (w *watch) caseOf(now time.Time) authority.Case {
	d := *w.opened.Deployment
	c := authority.Case{
		Deployment: d, Plan: *w.opened.Plan, Target: w.ruling.Target, Now: now, Barred: slices.Clone(d.Authors),
		Rollback: w.opened.Rollback, SameAgain: w.opened.Ledger != nil && slices.Contains(w.opened.Ledger.Bad, d.Version),
	}
	if d.By != "" {
		c.Barred = append(c.Barred, d.By)
	}
	return c
}

// Result returns the records as of now, by service, environment and the plan's order of
// rules. Rules that the newest watch does not know any more have none.
func (k *Keeper) Result(now time.Time) []Record {
	records := []Record{}
	for id, e := range k.newest {
		for _, spec := range e.Plan.Rules {
			records = append(records, k.record(id, e, spec, now))
		}
	}
	slices.SortStableFunc(records, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Environment, b.Environment))
	})
	return records
}

// record makes the record of one rule of a service.
func (k *Keeper) record(id rules.LaneID, newest watcher.Entry, spec rules.Spec, now time.Time) Record {
	r := Record{
		Service: id.Service, Environment: id.Environment, Rule: spec.Name,
		Mode: spec.Mode, Severity: cmp.Or(spec.Severity, rules.Critical), Decides: decides(newest, spec),
	}
	var found []time.Duration
	for _, w := range k.watched(id, spec) {
		r.Watched++
		b := w.breaches[spec.Name]
		if b == nil {
			continue
		}
		found = append(found, b.at.Sub(w.at))
		r.add(w, b, now)
	}
	r.Precision = shareOf(r.Agreed, r.Agreed+r.Disagreed)
	r.Detection = rules.Duration(median(found))
	r.Proposal = r.propose()
	return r
}

// add counts one breach.
func (r *Record) add(w *watch, b *breach, now time.Time) {
	r.Breached++
	r.Would.count(b.would)
	if w.acted && b.blamed {
		r.Acted++
	}
	switch w.said(b, now) {
	case agreed:
		r.Agreed++
	case disagreed:
		r.Disagreed++
	case unopposed:
		r.Unopposed++
	case unanswered:
		r.Unanswered++
	}
}

// watched returns the watches of a service, in every of its lanes, in which the rule asked
// the same as it does now, oldest first.
func (k *Keeper) watched(id rules.LaneID, spec rules.Spec) (watches []*watch) {
	for lane, l := range k.lanes {
		if lane.OfService() == id {
			watches = append(watches, l.watches...)
		}
	}
	slices.SortFunc(watches, func(a, b *watch) int { return cmp.Compare(a.seq, b.seq) })
	asks := question(spec)
	for i, w := range slices.Backward(watches) {
		if w.asks[spec.Name] != asks {
			return watches[i+1:]
		}
	}
	return watches
}

// asks returns what each rule of the plan asks. Most plans are those of the watch before.
func (k *Keeper) asks(e watcher.Entry) map[string]string {
	id := e.Lane.OfService()
	if before, is := k.newest[id]; is && e.Plan.Hash != "" && before.Plan.Hash == e.Plan.Hash {
		return k.asked[id]
	}
	asks := map[string]string{}
	for _, spec := range e.Plan.Rules {
		asks[spec.Name] = question(spec)
	}
	k.asked[id] = asks
	return asks
}

// question is what a rule asks, without how seriously it is taken and what it borrows today.
func question(spec rules.Spec) string {
	spec.Mode, spec.Severity, spec.OnNoData, spec.Stations, spec.LoadTest = 0, 0, 0, nil, nil
	text, err := json.Marshal(spec)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// decides returns the power that the plan's authority grants to a breach of the rule.
func decides(newest watcher.Entry, spec rules.Spec) rules.Power {
	c := authority.Case{Deployment: *newest.Deployment, Plan: *newest.Plan, Now: newest.At}
	breach := rules.Answer{Rule: spec.Name, Verdict: rules.Breached, Attribution: rules.Attribution{Blame: rules.ThisDeployment}}
	return authority.Granted(c, breach).Decide
}

// median of durations; 0 of none.
func median(all []time.Duration) time.Duration {
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return ((all[(len(all)-1)/2] + all[len(all)/2]) / 2).Round(time.Second)
}
