package watcher_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// memory is a journal in memory that keeps what the port promises: compare-and-set
// per lane, and entries that went through JSON as they would through NATS.
type memory struct {
	sync.Mutex
	entries  []watcher.Entry
	refuse   error                                           // every append fails with it
	overtake func()                                          // runs right before a decision is appended, outside the lock
	delay    func() (before, after time.Duration, lost bool) // of every append, for races
	block    bool                                            // an append waits for its context's end
}

func (m *memory) Append(ctx context.Context, e watcher.Entry) (watcher.Entry, error) {
	m.Lock()
	block, delay := m.block, m.delay
	m.Unlock()
	if block {
		<-ctx.Done()
		return e, ctx.Err()
	}
	if delay == nil {
		return m.append(e)
	}
	before, after, lost := delay()
	<-time.After(before)
	written, err := m.append(e)
	<-time.After(after)
	if err == nil && lost {
		return e, errors.New("the acknowledgement was lost")
	}
	return written, err
}

func (m *memory) append(e watcher.Entry) (watcher.Entry, error) {
	if overtake := m.overtake; overtake != nil && e.Kind == watcher.Decided {
		m.overtake = nil
		overtake()
	}
	m.Lock()
	defer m.Unlock()
	if m.refuse != nil {
		return e, m.refuse
	}
	last := uint64(0)
	for _, x := range m.entries {
		if x.Lane == e.Lane {
			last = x.Seq
		}
	}
	if last != e.Seq {
		return e, watcher.ErrConflict
	}
	text, err := json.Marshal(e)
	if err != nil {
		return e, err
	}
	var back watcher.Entry
	if err := json.Unmarshal(text, &back); err != nil {
		return e, err
	}
	back.Seq = uint64(len(m.entries) + 1)
	back.Hash = fmt.Sprint("hash of ", back.Seq)
	m.entries = append(m.entries, back)
	return back, nil
}

func (m *memory) Read(_ context.Context, lane rules.LaneID) ([]watcher.Entry, error) {
	m.Lock()
	defer m.Unlock()
	var of []watcher.Entry
	for _, e := range m.entries {
		if e.Lane != lane {
			continue
		}
		if e.Kind == watcher.Opened || e.Kind == watcher.Closed {
			of = nil
		}
		of = append(of, e)
	}
	return of, nil
}

func (m *memory) Load(ctx context.Context, fold func(rules.LaneID, []watcher.Entry) error) error {
	m.Lock()
	lanes := map[rules.LaneID]bool{}
	for _, e := range m.entries {
		lanes[e.Lane] = true
	}
	m.Unlock()
	for lane := range lanes {
		entries, _ := m.Read(ctx, lane)
		if err := fold(lane, entries); err != nil {
			return err
		}
	}
	return nil
}

func (m *memory) length() int {
	m.Lock()
	defer m.Unlock()
	return len(m.entries)
}

// kinds returns what happened, in a word an entry; verdicts are left out.
func (m *memory) kinds() string {
	m.Lock()
	defer m.Unlock()
	var words []string
	for _, e := range m.entries {
		switch e.Kind {
		case watcher.Verdicts:
		case watcher.Noted:
			words = append(words, string(e.Topic))
		case watcher.Closed:
			words = append(words, string(e.Outcome))
		default:
			words = append(words, string(e.Kind))
		}
	}
	return strings.Join(words, " ")
}

// last returns the entry that was written last.
func (m *memory) last() watcher.Entry {
	m.Lock()
	defer m.Unlock()
	return m.entries[len(m.entries)-1]
}

// world is the outside: a service in which some versions are bad, the Prometheus
// that sees it, and the tool that rolls it back.
type world struct {
	sync.Mutex
	live       string
	bad        []string
	down       bool // Prometheus does not answer
	silent     bool // Prometheus has nothing
	calls      []string
	hang       chan struct{} // a rollback waits for it
	tells      bool          // the tool knows what is live
	learns     bool          // it will know later
	idempotent bool
	deaf       bool // a rollback that hangs does not hear that its time is over
	fails      error
	moved      time.Time // when live last changed
}

func (w *world) Sample(_ context.Context, _ time.Time, queries []rules.Query) []rules.Result {
	w.Lock()
	defer w.Unlock()
	out := make([]rules.Result, len(queries))
	for i, q := range queries {
		switch {
		case w.down:
			out[i].Err = rules.Failed(rules.ServerError, "503")
		case w.silent:
		case slices.Contains(w.bad, q.Values["version"]):
			out[i].Samples = []rules.Sample{{Value: 5}}
		default:
			out[i].Samples = []rules.Sample{{Value: 0}}
		}
	}
	return out
}

func (w *world) Range(ctx context.Context, from, to time.Time, step time.Duration, queries []rules.Query) [][]rules.Result {
	out := make([][]rules.Result, len(queries))
	for at := from; !at.After(to); at = at.Add(step) {
		for i, r := range w.Sample(ctx, at, queries) {
			out[i] = append(out[i], r)
		}
	}
	return out
}

func (w *world) Bind(_ map[string]any, s actions.Subject) (actions.Executor, error) {
	return hand{w, s}, nil
}

// hand is the executor for one subject.
type hand struct {
	*world
	subject actions.Subject
}

func (h hand) Rollback(ctx context.Context, key string) error {
	h.Lock()
	h.calls = append(h.calls, key)
	hang, fails := h.hang, h.fails
	if fails == nil {
		h.live = h.subject.To
	}
	h.Unlock()
	if hang != nil && h.deaf {
		<-hang
	}
	if hang != nil {
		select {
		case <-hang:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fails
}

func (h hand) Live(context.Context) (string, error) {
	h.Lock()
	defer h.Unlock()
	if !h.tells {
		return "", actions.ErrCannotTell
	}
	return h.live, nil
}

func (h hand) Idempotent() bool { return h.idempotent }

// limit is a rule that is breached after three bad looks in a row.
type limit struct {
	name  string
	every time.Duration
}

func (l limit) Queries(d rules.Deployment) []rules.Query {
	return []rules.Query{{Template: l.name, Values: d.Values()}}
}
func (l limit) Begin(rules.Deployment) rules.Evidence { return &strikes{every: l.every} }

type strikes struct {
	n     int
	last  time.Time
	every time.Duration
}

func (s *strikes) See(at time.Time, got []rules.Result) rules.Answer {
	if !s.last.IsZero() && at.Sub(s.last) != s.every {
		panic(fmt.Sprintf("looks are not in order: %s after %s", at, s.last))
	}
	s.last = at
	if len(got[0].Samples) == 0 {
		return rules.Answer{Verdict: rules.NoData, Ceiling: rules.Auto, Why: "nothing"}
	}
	if got[0].Samples[0].Value <= 1 {
		s.n = 0
		return rules.Answer{Verdict: rules.Healthy, Ceiling: rules.Auto, Why: "errors 0 %"}
	}
	if s.n++; s.n < 3 {
		return rules.Answer{Verdict: rules.Inconclusive, Ceiling: rules.Auto, Why: "errors 5 %, not for long"}
	}
	return rules.Answer{Verdict: rules.Breached, Ceiling: rules.Auto, Why: "errors 5 % > limit 1 %"}
}

func build(p rules.Plan) ([]rules.Rule, error) {
	var built []rules.Rule
	for _, spec := range p.Rules {
		built = append(built, limit{spec.Name, time.Duration(p.Interval)})
	}
	return built, nil
}

func minutes(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Minute) }

// plan is what the tests' plans have in common; each changes what it is about.
func plan(changes ...func(*rules.Plan)) *rules.Plan {
	yes := true
	p := &rules.Plan{
		Service: "checkout", Owner: "team-checkout", Source: "main", Interval: rules.Duration(15 * time.Second),
		Settle: rules.Duration(5 * time.Second), Bake: minutes(30), RollOut: minutes(30), BlindFor: minutes(5),
		Rules:       []rules.Spec{{Name: "errors", Kind: "query", Severity: rules.Critical, Mode: rules.Enforce}},
		Rollbacks:   []rules.Rollback{{Use: "tool", Target: rules.LastPassed, Timeout: minutes(5), Verify: minutes(10), Reversible: &yes}},
		Authorities: []rules.Authority{{Decide: rules.Auto}},
		Notify:      rules.Notification{Chat: []string{"chat"}},
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func asks(silence rules.Silence) func(*rules.Plan) {
	return func(p *rules.Plan) {
		p.Groups = map[string][]string{"oncall": {"ben", "ana", "eve"}}
		p.Authorities = []rules.Authority{{Decide: rules.Ask, Needs: map[string]int{"oncall": 1}, Within: minutes(10), Silence: silence, Withdraw: true}}
	}
}

// scene is a running Bakewatch in a world.
type scene struct {
	t *testing.T
	*world
	journal *memory
	plan    *rules.Plan
	guards  watcher.Guards
	grace   time.Duration
	config  func(*watcher.Config) // changes what a replica is made of
	owners  []*replica
}

// replica is one process.
type replica struct {
	*watcher.Owner
	kill func()
	gone chan struct{}
}

var lane = rules.LaneID{Environment: "production", Service: "checkout"}

// stage runs a scene under fake time, in an empty journal.
func stage(t *testing.T, w *world, p *rules.Plan, play func(s *scene)) {
	t.Helper()
	stageWith(t, &scene{world: w, plan: p}, play)
}

// stageWith is stage for a scene that is not like the others.
func stageWith(t *testing.T, s *scene, play func(s *scene)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s.t, s.journal = t, &memory{}
		defer func() { // also after a failure: a loop left running would run for ever in fake time
			for _, r := range s.owners {
				r.kill()
				<-r.gone
			}
		}()
		s.start("a")
		play(s)
	})
}

func (s *scene) start(name string) *replica {
	s.t.Helper()
	owner, err := watcher.NewOwner(s.settings(name))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, kill := context.WithCancel(s.t.Context())
	if err := owner.Load(ctx); err != nil {
		s.t.Fatal(err)
	}
	r := &replica{Owner: owner, kill: kill, gone: make(chan struct{})}
	go func() { _ = owner.Run(ctx, s.grace); close(r.gone) }()
	s.owners = append(s.owners, r)
	return r
}

// settings are what a replica of this scene is made of.
func (s *scene) settings(name string) watcher.Config {
	config := watcher.Config{
		Name: name, Journal: s.journal, Sampler: s.world, Build: build,
		Actor:   actions.Runner{Executors: func(string) (actions.Binder, bool) { return s.world, true }, Log: quiet},
		PlanFor: func(rules.Deployment) *rules.Plan { return s.plan },
		Guards:  func(string) watcher.Guards { return s.guards },
	}
	if s.config != nil {
		s.config(&config)
	}
	return config
}

// deploy announces a version to every replica and makes it live in the world.
func (s *scene) deploy(version string, changes ...func(*rules.Deployment)) {
	s.t.Helper()
	d := rules.Deployment{
		ID: "event-" + version, Service: "checkout", Environment: "production", Version: version,
		Step: rules.Finished, Strategy: rules.Rolling, At: time.Now(), By: "ana",
	}
	for _, change := range changes {
		change(&d)
	}
	s.Lock()
	s.live, s.moved = version, time.Now()
	s.Unlock()
	for _, r := range s.owners {
		err := r.Announce(s.t.Context(), d)
		if err != nil && !errors.Is(err, watcher.ErrStopped) {
			s.t.Fatal(err)
		}
	}
}

// passed deploys a version and lets it pass.
func (s *scene) passed(version string) {
	s.t.Helper()
	s.deploy(version)
	s.wait(31 * time.Minute)
	if got := s.outcome(); got != watcher.Passed {
		s.t.Fatalf("%s: %q, want it passed; journal: %s", version, got, s.journal.kinds())
	}
}

func (s *scene) wait(d time.Duration) {
	<-time.After(d) // the bubble's fake time
	synctest.Wait()
}

// outcome returns how the last watch that ended has ended.
func (s *scene) outcome() watcher.Outcome {
	past := s.ledger().Past
	if len(past) == 0 {
		return ""
	}
	return past[len(past)-1].Outcome
}

func (s *scene) ledger() watcher.Ledger {
	entries, _ := s.journal.Read(s.t.Context(), lane)
	return watcher.Fold(lane, entries).Ledger
}

// since returns what was journaled after the mark.
func (s *scene) since(mark string) string {
	return strings.TrimSpace(strings.TrimPrefix(s.journal.kinds(), mark))
}
