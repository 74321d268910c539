package slack

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
)

// Answers takes what people press.
type Answers interface {
	// Answer gives a person's vote on the watch's question. The text says to the person
	// what became of it; an error says why it does not count.
	Answer(ctx context.Context, watch string, vote authority.Vote) (text string, err error)
}

const (
	// answerTimeout is for one answer, and for telling what became of it.
	answerTimeout = 10 * time.Second
	// parting is for those under way when all must end: another replica waits to take over.
	parting = 2 * time.Second
	// mostPresses is how many answers are under way at once. One more is not taken:
	// who pressed sees that it failed.
	mostPresses = 32
)

// Buttons hears the buttons of every channel that is an app: by Socket Mode while Run
// runs, and as the handler of signed callbacks.
type Buttons struct {
	answers Answers
	log     *slog.Logger
	sockets []*bot // one for each app-level token
	signed  []*bot // one for each signing secret
	since   time.Time
	slots   chan struct{}   // one is held for each answer that is under way
	seen    memory          // of what was heard, to hear it once
	leaving context.Context // ends with Run
	leave   context.CancelFunc
}

// NewButtons returns the buttons of those of the channels that have some.
func NewButtons(channels map[string]actions.Notifier, answers Answers, log *slog.Logger) *Buttons {
	b := &Buttons{answers: answers, log: log, since: time.Now(), slots: make(chan struct{}, mostPresses), seen: memory{last: map[string]time.Time{}}}
	b.leaving, b.leave = context.WithCancel(context.Background())
	for _, name := range slices.Sorted(maps.Keys(channels)) {
		to, ok := actions.Plain(channels[name]).(*bot)
		if !ok {
			continue
		}
		same := func(of func(*bot) string) func(*bot) bool {
			return func(other *bot) bool { return of(other) == of(to) }
		}
		switch {
		case to.app != nil && !slices.ContainsFunc(b.sockets, same(func(b *bot) string { return b.app.token.Reveal() })):
			b.sockets = append(b.sockets, to)
		case !to.signing.IsZero() && !slices.ContainsFunc(b.signed, same(func(b *bot) string { return b.signing.Reveal() })):
			b.signed = append(b.signed, to)
		}
	}
	return b
}

// Run keeps one connection of Socket Mode for each app until ctx ends. What goes wrong
// is logged and tried again.
func (b *Buttons) Run(ctx context.Context) {
	var wait sync.WaitGroup
	for _, to := range b.sockets {
		s := &socket{api: to.app, log: b.log, take: func(id string, payload []byte) bool { return b.once(ctx, to, id, payload) }}
		wait.Go(func() { s.run(ctx) })
	}
	<-ctx.Done()
	b.leave()
	wait.Wait()
	for range mostPresses {
		b.slots <- struct{}{} // those under way come to their end, and no other begins
	}
}

// once takes the payload of an envelope. One that was not acknowledged comes again.
func (b *Buttons) once(ctx context.Context, to *bot, id string, payload []byte) bool {
	if b.seen.has(id, time.Now()) {
		return true
	}
	taken := b.take(ctx, to, payload)
	if !taken {
		b.seen.forget(id)
	}
	return taken
}

// take takes a payload of interactivity, and answers beside; false: not now.
func (b *Buttons) take(ctx context.Context, to *bot, payload []byte) bool {
	p, err := readPress(payload)
	if errors.Is(err, errNotOurs) {
		return true
	}
	if err != nil {
		b.log.Warn("slack: a button cannot be read", "channel", to.channel, "err", err)
		return true // it will not read better a second time
	}
	select {
	case b.slots <- struct{}{}:
	default:
		return false
	}
	go func() {
		defer func() { <-b.slots }()
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
		defer cancel()
		defer context.AfterFunc(b.leaving, func() { time.AfterFunc(parting, cancel) })()
		to.tell(ctx, p, b.answer(ctx, p))
	}()
	return true
}

// answer gives the vote, and returns what is told to the person.
func (b *Buttons) answer(ctx context.Context, p press) (text string) {
	log := b.log.With("watch", p.Watch, "question", p.Question, "choice", string(p.Choice), "user", p.user)
	defer func() {
		if value := recover(); value != nil {
			log.Error("slack: an answer caused a panic", "cause", fmt.Sprint(value))
			text = "Not counted: something went wrong here. See Bakewatch's log."
		}
	}()
	text, err := b.answers.Answer(ctx, p.Watch, authority.Vote{
		Question: p.Question, Choice: p.Choice, Proof: authority.Proof{Way: authority.Slack, Subject: p.user},
	})
	if err != nil {
		log.Warn("slack: an answer does not count", "err", err)
		return "Not counted: " + err.Error()
	}
	log.Info("slack: an answer counts")
	return text
}

// memory remembers for a while what was heard, so that it is heard once.
type memory struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// has says whether the id was heard before, and remembers it.
func (m *memory) has(id string, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.last, func(_ string, at time.Time) bool { return now.Sub(at) > 2*freshness })
	_, known := m.last[id]
	m.last[id] = now
	return known
}

func (m *memory) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.last, id)
}
