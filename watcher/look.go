package watcher

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// beside is what runs beside the loop and comes back as input.
type beside struct {
	ctx      context.Context     // it outlives the loop's own by the grace time
	grants   map[string]*carried // by key: what this process may carry out
	acting   int                 // rollbacks under way
	looks    sync.WaitGroup
	paces    map[paced]chan struct{} // limits how many requests for many instants run at once
	learning chan struct{}           // limits how many rules learn from their past at once
}

func newBeside() beside {
	return beside{grants: map[string]*carried{}, paces: map[paced]chan struct{}{}, learning: make(chan struct{}, 2)}
}

// paced is what requests for many instants are for, at one server. Each has its own
// limit: looks that were missed do not stand in line behind a week of the past, of
// which each request costs the server a hundred times as much.
type paced struct {
	source string
	past   bool
}

// How many requests for many instants run at once, at one server.
const (
	missedAtOnce = 8
	pastAtOnce   = 2
)

// pace returns what limits them.
func (b *beside) pace(of paced) chan struct{} {
	if b.paces[of] == nil {
		most := missedAtOnce
		if of.past {
			most = pastAtOnce
		}
		b.paces[of] = make(chan struct{}, most)
	}
	return b.paces[of]
}

// batch is one request to the sampler: rules of any watches that owe the same instants.
type batch struct {
	source   string // one server's trouble does not hold up what others are asked
	from, to time.Time
	step     time.Duration // 0: one instant
	deadline time.Duration // for one instant, until the next one is due
}

// looks returns how many instants it covers.
func (b batch) looks() int {
	if b.step == 0 {
		return 1
	}
	return int(b.to.Sub(b.from)/b.step) + 1
}

// member is one rule in a batch.
type member struct {
	held  *held
	sight *sight
	feed  *feed
}

// chunk is how many instants one catching-up request covers at most, and catchUp how
// long it may take.
const (
	chunk   = 500
	catchUp = 2 * time.Minute
)

// Tick is one look at the clock: every rule that owes a look is asked about, all
// rules that owe the same instants in one request, and lanes that wait for time are driven.
func (o *Owner) Tick(ctx context.Context, now time.Time) {
	o.offerAgain(ctx)
	batches, watches, missed := map[batch][]member{}, 0, 0
	for id, h := range o.lanes {
		if h.Watch == nil || h.Aside != "" {
			h.sight = nil
			continue
		}
		watches++
		if h.Watch.waits() {
			_ = o.handle(ctx, id, Input{})
		}
		if h.Watch != nil && h.Watch.judged() {
			_ = o.guarded(ctx, h, func() error { missed += o.gather(ctx, h, now, batches); return nil })
		}
	}
	for b, members := range batches {
		o.ask(b, members)
	}
	o.readPast(ctx, now)
	o.Watch.Watching(watches)
	if len(batches) > 0 || missed > 0 {
		o.Watch.Ticked(time.Since(now), missed)
	}
}

// waits says whether time alone may change the watch: a question has a deadline, and
// so has a rollback that another replica began.
func (w *Watch) waits() bool { return w.Question != nil || w.acting() }

// judged says whether the rules are asked now: not while a rollback is under way.
func (w *Watch) judged() bool { return !w.acting() }

// gather adds the looks that the watch owes to the batches.
func (o *Owner) gather(ctx context.Context, h *held, now time.Time, batches map[batch][]member) (missed int) {
	if !h.sight.fits(h.Watch) {
		h.sight = nil
		if !paceOf(h.Watch).begun(h.Watch, now) {
			return 0 // nothing is built before its time: many may open at once
		}
		h.sight, h.looked = newSight(h.Watch, o.Build), time.Time{}
	}
	s, owed := h.sight, false
	last := s.latest(now)
	if !last.After(h.looked) {
		return 0
	}
	o.recall(h, s, last)
	missed = s.due(now, func(f *feed, first, last time.Time) {
		owed, f.asked = true, true
		if longest := first.Add((chunk - 1) * s.interval); last.After(longest) {
			last = longest
		}
		b := batch{source: h.Watch.Plan.Source, from: first, to: last, step: s.interval, deadline: catchUp}
		if first.Equal(last) {
			b.step, b.deadline = 0, s.interval
		}
		batches[b] = append(batches[b], member{h, s, f})
	})
	if !owed && missed == 0 {
		o.looked(ctx, h, s, now)
	}
	return missed
}

// ask sends one request beside the loop.
func (o *Owner) ask(b batch, members []member) {
	var queries []rules.Query
	for _, m := range members {
		queries = append(queries, m.feed.queries...)
	}
	pace := o.beside.pace(paced{source: b.source})
	o.beside.looks.Go(func() {
		results := complete(o.sample(b, queries, pace), len(queries), b)
		o.back(func(ctx context.Context) { o.answered(ctx, b, members, results) })
	})
}

// sample asks for one instant, or for several at once where looks were missed. The
// latter are paced: after a restart or an outage all watches catch up together.
func (o *Owner) sample(b batch, queries []rules.Query, pace chan struct{}) (results [][]rules.Result) {
	defer func() {
		if p := recover(); p != nil {
			o.Log.Error("the sampler caused a panic", "cause", fmt.Sprint(p))
			results = nil
		}
	}()
	if b.step == 0 {
		ctx, cancel := context.WithTimeout(o.beside.ctx, b.deadline)
		defer cancel()
		for _, r := range o.Sampler.Sample(ctx, b.from, queries) {
			results = append(results, []rules.Result{r})
		}
		return results
	}
	pace <- struct{}{}
	defer func() { <-pace }()
	ctx, cancel := context.WithTimeout(o.beside.ctx, b.deadline)
	defer cancel()
	return o.Sampler.Range(ctx, b.from, b.to, b.step, queries)
}

// complete makes what a sampler left out an answer that is not understood: one that is
// missing must never be taken for another's.
func complete(results [][]rules.Result, queries int, b batch) [][]rules.Result {
	if len(results) == queries && !slices.ContainsFunc(results, func(r []rules.Result) bool { return len(r) != b.looks() }) {
		return results
	}
	none := slices.Repeat([]rules.Result{{Err: rules.Failed(rules.ServerError, "the sampler did not answer every query")}}, b.looks())
	return slices.Repeat([][]rules.Result{none}, queries)
}

// answered folds what came back, and drives the lanes it belongs to.
func (o *Owner) answered(ctx context.Context, b batch, members []member, results [][]rules.Result) {
	touched := map[*held]*sight{}
	for _, m := range members {
		n := len(m.feed.queries)
		o.tellWeather(m.held, m.feed.evidence)
		m.feed.fold(b, results[:n])
		results, m.feed.asked = results[n:], false
		touched[m.held] = m.sight
	}
	for h, s := range touched {
		o.looked(ctx, h, s, time.Now().UTC())
	}
}

// looked drives a lane with what its evidence says now.
func (o *Owner) looked(ctx context.Context, h *held, s *sight, now time.Time) {
	if h.sight != s || !s.fits(h.Watch) {
		return
	}
	h.looked = s.seen(now)
	look := s.look(now)
	if !o.attribute(h, s, look, now) {
		return // where it is comes first; the lane is driven then
	}
	_ = o.handle(ctx, h.ID, Input{Look: look, Peer: o.peer(h, look)})
}
