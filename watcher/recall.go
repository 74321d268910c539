package watcher

import (
	"context"
	"fmt"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// reading is how far a rule has come with learning what was normal before the
// deployment. Until it knows, it is inconclusive, and its looks wait.
type reading struct {
	evidence rules.Historical
	past     rules.Past      // what it wants to know next
	times    int             // how often it wanted something
	failed   int             // how often that could not be read
	waiting  bool            // it stands in the queue
	parts    []*recollection // one a query of past; nil: it is not its turn yet
	learning bool            // it has them, and is at it beside the loop
}

// mostTimes is how often one rule may want more of the past: its own, and that of each
// service that it borrows.
const mostTimes = 32

// want begins the reading of a rule that judges by the past.
func (f *feed) want(evidence rules.Historical) {
	if past, more := evidence.Wants(); more {
		f.reading = &reading{evidence: evidence, past: past, times: 1}
	}
}

// mostFailures is how often what a rule can do without may not be read, before it does.
const mostFailures = 3

// dispensable says that the rule can do without what could not be read, and has waited
// for it long enough.
func (r *reading) dispensable() bool { return r.past.Optional() && r.failed >= mostFailures }

// learn hands the rule what it wanted, and takes down what it wants next. It runs
// beside the loop: while it reads, nothing else touches the rule's evidence.
func (r *reading) learn(results [][]rules.Result, bad []rules.Span) (next *reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the rule cannot read this history: %v", p)
		}
	}()
	r.evidence.Learn(results, bad)
	past, more := r.evidence.Wants()
	switch {
	case !more:
		return nil, nil
	case r.times == mostTimes:
		return nil, fmt.Errorf("the rule wanted more of the past %d times", mostTimes)
	}
	return &reading{evidence: r.evidence, past: past, times: r.times + 1, waiting: true}, nil
}

// recall has the rules wait that do not know their past yet. One whose past could not
// be read asks again at the next instant.
func (o *Owner) recall(h *held, s *sight, last time.Time) {
	for _, f := range s.feeds {
		if f.reading != nil && !f.reading.waiting && (f.err == nil || last.After(f.missed)) {
			f.reading.waiting = true
			o.past.waiting = append(o.past.waiting, member{h, s, f})
		}
	}
}

// readPast tells rules what was read of their past, and asks for the rest, beside the loop.
func (o *Owner) readPast(ctx context.Context, now time.Time) {
	o.past.leave()
	o.past.forget(now)
	o.past.admit(now)
	for _, m := range o.past.waiting {
		switch whole, failed := m.feed.reading.state(); {
		case failed != nil && m.feed.reading.dispensable():
			o.learn(m, failed)
		case failed != nil:
			m.feed.unread(failed, m.sight.latest(now))
			o.looked(ctx, m.held, m.sight, now)
		case whole:
			o.learn(m, nil)
		}
	}
	for b, asked := range o.past.due() {
		o.askPast(b, asked)
	}
}

// state says whether all that the rule waits for is there, or why some of it is not.
func (r *reading) state() (whole bool, failed error) {
	if r.parts == nil || r.learning {
		return false, nil
	}
	whole = true
	for _, part := range r.parts {
		if part.err != nil {
			return false, part.err
		}
		whole = whole && len(part.results) == part.count
	}
	return whole, nil
}

// unread makes the rule blind until its past was read.
func (f *feed) unread(err error, last time.Time) {
	f.err, f.missed = err, last
	f.answer = rules.Answer{Rule: f.rule, Verdict: rules.VerdictOf(err), Ceiling: rules.Auto, Why: "reading history: " + err.Error()}
	f.reading.waiting, f.reading.parts, f.reading.failed = false, nil, f.reading.failed+1
}

// learn has a rule learn from what was read, which takes a while. What could not be
// read, and it can do without, has the error.
func (o *Owner) learn(m member, unread error) {
	r, bad := m.feed.reading, m.held.badSpans()
	o.tellWeather(m.held, r.evidence)
	results := make([][]rules.Result, len(r.parts))
	for i, part := range r.parts {
		results[i] = part.whole(unread)
	}
	r.learning = true
	o.beside.looks.Go(func() {
		o.beside.learning <- struct{}{}
		next, err := r.learn(results, bad)
		<-o.beside.learning
		o.back(func(ctx context.Context) { o.learned(ctx, m, next, err) })
	})
}

// learned lets a rule that knows its past have its looks, or wait for more of it, in
// its old place in the queue.
func (o *Owner) learned(ctx context.Context, m member, next *reading, err error) {
	f, now := m.feed, time.Now().UTC()
	f.reading, f.err, f.answer = next, nil, unseen(f.rule)
	if err != nil {
		f.fail(err)
	}
	o.readPast(ctx, now)
	o.looked(ctx, m.held, m.sight, now)
}

// askPast sends one request about the past.
func (o *Owner) askPast(b batch, asked []*recollection) {
	queries := make([]rules.Query, len(asked))
	for i, r := range asked {
		queries[i] = r.query
	}
	pace := o.beside.pace(paced{b.source, true})
	o.beside.looks.Go(func() {
		results := complete(o.sample(b, queries, pace), len(queries), b)
		o.back(func(ctx context.Context) {
			for i, r := range asked {
				r.take(results[i])
			}
			o.readPast(ctx, time.Now().UTC())
		})
	})
}

// back has the loop do something, unless it takes no more input.
func (o *Owner) back(do func(context.Context)) {
	select {
	case o.inbox <- do:
	case <-o.ended:
	}
}
