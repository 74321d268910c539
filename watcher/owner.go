package watcher

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Config is what an Owner needs.
type Config struct {
	Name    string // of this replica; stands in every entry it writes
	Epoch   uint64 // of its lease
	Journal Journal
	Sampler Sampler
	Actor   Actor
	// Build makes the rules of a plan (package rules/kinds).
	Build func(rules.Plan) ([]rules.Rule, error)
	// PlanFor finds the plan a deployment falls under, or nil. It is called by whoever announces.
	PlanFor func(rules.Deployment) *rules.Plan
	// Guards says what lowers power now in one service; nil: nothing does.
	Guards func(service string) Guards
	Switch Switch
	// Rota says who is on call in the plan's groups that have a schedule. It does no IO:
	// whoever runs the owner keeps it up to date. nil: the plan's people are asked.
	Rota func(rules.Plan) Rota
	// Budget is how many rollbacks all lanes together may see without people; nil: any number.
	Budget func() *rules.Allowance
	// Directory knows who the people are; nil: whoever is on a local connection is believed.
	Directory func() authority.Directory
	Log       *slog.Logger
	Watch     Observer // what is counted; nil: nothing is
}

// Actor carries out grants (actions.Runner).
type Actor interface {
	// Run tries a grant whose intent this process has just written; Resume settles
	// one that another process, or this one before a restart, may have tried.
	Run(ctx context.Context, g actions.Grant) actions.Outcome
	Resume(ctx context.Context, g actions.Grant) actions.Outcome
}

// Observer is told what happens, to count it.
type Observer interface {
	Appended(e Entry)
	// Detected is called for every decision: how long after the deployment it was made.
	Detected(after time.Duration)
	// Watching is called at every look at the clock: how many watches are open.
	Watching(open int)
	// Ticked is called when rules were asked: what it cost the loop, without the
	// waiting, and how many looks were due while the one before was under way.
	Ticked(took time.Duration, missed int)
}

func (c *Config) defaults() error {
	if c.Journal == nil || c.Sampler == nil || c.Actor == nil || c.Build == nil || c.PlanFor == nil {
		return errors.New("watcher: an owner needs a journal, a sampler, an actor, a builder of rules, and plans")
	}
	if c.Guards == nil {
		c.Guards = func(string) Guards { return Guards{} }
	}
	if c.Directory == nil {
		c.Directory = func() authority.Directory { return authority.Directory{Believe: true} }
	}
	if c.Rota == nil {
		c.Rota = func(rules.Plan) Rota { return Rota{} }
	}
	if c.Budget == nil {
		c.Budget = func() *rules.Allowance { return nil }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Watch == nil {
		c.Watch = nobody{}
	}
	return nil
}

type nobody struct{}

func (nobody) Detected(time.Duration)    {}
func (nobody) Appended(Entry)            {}
func (nobody) Watching(int)              {}
func (nobody) Ticked(time.Duration, int) {}

// pulse is how often the loop looks at the clock.
const pulse = time.Second / 4

// Owner is the loop of one replica: it drives every lane. One goroutine owns the
// lanes; looks at Prometheus and rollbacks run beside it and come back as input. Only
// events are taken in several at a time, while the loop waits for all of them.
type Owner struct {
	Config
	lanes  map[rules.LaneID]*held
	flags  map[rules.LaneID][]*held // the lanes of a service's toggles, by the lane without a flag
	inbox  chan func(context.Context)
	events chan event
	ends   chan ending   // of rollbacks
	ran    atomic.Bool   // Run was called
	ended  chan struct{} // closed when the loop takes no more input
	gone   chan struct{} // closed when the loop is over
	beside beside
	past   past
	news   news
	budget *budget
	// unwritten are ends of rollbacks that the journal has not taken yet.
	unwritten []ending
}

// held is a lane with what the owner has seen of its open watch.
type held struct {
	Lane
	sight  *sight
	looked time.Time // the last instant whose looks were folded
	panics int
}

// NewOwner returns an owner that has read nothing yet.
func NewOwner(c Config) (*Owner, error) {
	if err := c.defaults(); err != nil {
		return nil, err
	}
	return &Owner{
		Config: c, lanes: map[rules.LaneID]*held{}, flags: map[rules.LaneID][]*held{},
		inbox: make(chan func(context.Context)), events: make(chan event), ends: make(chan ending), ended: make(chan struct{}), gone: make(chan struct{}),
		beside: newBeside(), past: past{kept: map[string]*recollection{}}, budget: &budget{lane: Lane{ID: BudgetLane}, all: c.Budget},
	}, nil
}

// Load folds every lane of the journal. Nothing is done yet.
func (o *Owner) Load(ctx context.Context) error {
	err := o.Journal.Load(ctx, func(id rules.LaneID, entries []Entry) error {
		if id == BudgetLane {
			o.budget.lane = Fold(id, entries)
			return nil
		}
		h := o.held(id)
		h.Lane = Fold(id, entries)
		if grant, owed := h.Todo(); owed {
			o.beside.grants[grant.Key()] = &carried{try: o.Actor.Resume}
		}
		if h.Aside != "" {
			o.Log.Error("a lane is left alone", "lane", id.String(), "why", h.Aside)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("read the journal: %w", err)
	}
	return nil
}

// ErrFenced is the cause of a context that ends because another replica may act now.
var ErrFenced = errors.New("another replica may act now")

// Run drives all lanes until ctx ends, then waits at most grace for rollbacks that
// are under way; not at all if ctx ended with cause ErrFenced. One that takes longer
// is left to whoever reads the journal next. An owner runs once.
func (o *Owner) Run(ctx context.Context, grace time.Duration) error {
	if o.ran.Swap(true) {
		return errors.New("watcher: an owner runs once")
	}
	acting, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer close(o.gone)
	defer stop()
	o.beside.ctx = acting
	for id := range o.lanes {
		_ = o.handle(ctx, id, Input{})
	}
	t := time.NewTicker(pulse)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			if errors.Is(context.Cause(ctx), ErrFenced) {
				grace = 0
			}
			o.drain(stop, grace)
			return nil
		case do := <-o.inbox:
			do(ctx)
		case event := <-o.events:
			o.takeIn(ctx, event)
		case end := <-o.ends:
			o.finish(acting, end) // also when ctx has just ended: what was done is written down
		case now := <-t.C:
			o.Tick(ctx, now)
		}
	}
}

// parting is how long rollbacks may take to come back once they were stopped.
const parting = time.Second

// drain lets rollbacks under way come to their end and be journaled; nothing new begins.
func (o *Owner) drain(stop func(), grace time.Duration) {
	close(o.ended)
	ctx := context.WithoutCancel(o.beside.ctx)
	late, over := time.After(grace), time.After(grace+parting)
	last, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	o.offerAgain(last)
	for o.beside.acting > 0 {
		select {
		case end := <-o.ends:
			o.finish(ctx, end)
		case <-late:
			stop()
		case <-over:
			return
		}
	}
	stop()
	o.beside.looks.Wait() // their answers are not needed any more
}

func (o *Owner) held(id rules.LaneID) *held {
	h, ok := o.lanes[id]
	if !ok {
		h = &held{Lane: Lane{ID: id}}
		o.lanes[id] = h
		if service := id.OfService(); service != id {
			o.flags[service] = append(o.flags[service], h)
		}
	}
	return h
}
