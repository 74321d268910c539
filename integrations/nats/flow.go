package nats

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/semaphore"
)

// Bounds of what a flow holds in memory at once.
const (
	flowSlots  = 256
	flowBytes  = 32 << 20
	flowBuffer = 16 << 20 // fetched ahead by the client
	// ackWait is also how long an event rests that a killed process had in work.
	ackWait = 10 * time.Second
	// grace is what messages in work get to end in once the flow shall stop.
	grace = 5 * time.Second
	// restSlack lets a refused message come back before those that waited behind it.
	restSlack = 25 * time.Millisecond
)

// flow pulls messages of a durable consumer and has several settled at once, but
// those of the same key one after the other. It holds a bounded number of messages
// and about flowBytes bytes, and keeps the server patient with all of them.
type flow struct {
	open func(context.Context) (jetstream.Consumer, error)
	key  func(jetstream.Msg) string
	// settle handles one message, and acknowledges or refuses it. It returns how
	// long the key shall rest: then what waits behind is handed back as well.
	settle func(context.Context, jetstream.Msg) (rest time.Duration)
	log    *slog.Logger
	limit  int   // of one message, in bytes
	room   int64 // for so many messages at once
	hands  int64 // settle so many at once

	slots, bytes, working *semaphore.Weighted

	mu     sync.Mutex
	queues map[string][]jetstream.Msg // of the keys that are being worked on
	rests  map[string]time.Time       // keys that rest, and until when
	held   map[jetstream.Msg]struct{}
	work   sync.WaitGroup
}

// run works until the context ends and returns nil after the last message was
// settled. It goes on by itself after interruptions.
func (f *flow) run(ctx context.Context) error {
	f.slots, f.bytes, f.working = semaphore.NewWeighted(f.room), semaphore.NewWeighted(flowBytes), semaphore.NewWeighted(f.hands)
	f.queues, f.rests, f.held = map[string][]jetstream.Msg{}, map[string]time.Time{}, map[jetstream.Msg]struct{}{}
	patience, stop := context.WithCancel(context.WithoutCancel(ctx))
	var keeper sync.WaitGroup
	keeper.Go(func() { f.keep(patience) })
	defer keeper.Wait()
	defer stop()

	working, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(grace, cut) })()
	defer f.finish()

	pace := quick()
	err := backoff.Retry(func() error {
		err := f.pull(ctx, working, pace.Reset)
		if ctx.Err() == nil {
			f.log.Warn("taking messages was interrupted", slog.Any("error", err))
		}
		return err
	}, backoff.WithContext(pace, ctx))
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// finish waits for what is in work and hands back what has not begun.
func (f *flow) finish() {
	f.work.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	for msg := range f.held {
		_ = msg.Nak()
	}
}

// pull takes messages until ctx ends; they are settled under the context working.
func (f *flow) pull(ctx, working context.Context, well func()) error {
	consumer, err := f.open(ctx)
	if err != nil {
		return err
	}
	messages, err := consumer.Messages(
		jetstream.PullMaxBytes(max(flowBuffer, 2*f.limit)), // less than one message would stall
		jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return err
	}
	defer f.leave(messages)
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return err // among them: no heartbeat. The consumer may be gone, so it is opened anew.
		}
		well()
		if err := f.take(ctx, working, msg); err != nil {
			return err
		}
	}
}

// leave ends the pull and hands back what was fetched ahead, so that it need not
// time out; but only when the pull is gone, for otherwise it would come back here.
func (f *flow) leave(messages jetstream.MessagesContext) {
	messages.Drain()
	var fetched []jetstream.Msg
	for {
		msg, err := messages.Next(jetstream.NextMaxWait(time.Second))
		if err != nil {
			break // closed; or the server is away, and the messages time out
		}
		fetched = append(fetched, msg)
	}
	for _, msg := range fetched {
		_ = msg.Nak() // or it comes again by itself
	}
}

// take waits for room and queues the message behind others of its key.
func (f *flow) take(ctx, working context.Context, msg jetstream.Msg) error {
	f.mu.Lock()
	f.held[msg] = struct{}{}
	f.mu.Unlock()
	if err := f.slots.Acquire(ctx, 1); err != nil {
		return err
	}
	if err := f.bytes.Acquire(ctx, weight(msg)); err != nil {
		return err
	}
	key := f.key(msg)
	f.mu.Lock()
	defer f.mu.Unlock()
	if rest := time.Until(f.rests[key]); rest > restSlack {
		f.handBack(msg, rest)
		return nil
	}
	delete(f.rests, key)
	queue, busy := f.queues[key]
	f.queues[key] = append(queue, msg)
	if !busy {
		f.work.Go(func() { f.drain(ctx, working, key) })
	}
	return nil
}

// drain settles the messages of one key until none is left, or the flow ends.
func (f *flow) drain(ctx, working context.Context, key string) {
	for {
		msg, ok := f.next(ctx, key)
		if !ok {
			return
		}
		_ = f.working.Acquire(context.Background(), 1) // whoever has it gives it back: working is bounded
		rest := f.settle(working, msg)
		f.working.Release(1)
		f.mu.Lock()
		f.release(msg)
		if rest > 0 {
			f.rest(key, rest)
		}
		f.mu.Unlock()
	}
}

func (f *flow) next(ctx context.Context, key string) (jetstream.Msg, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	queue := f.queues[key]
	if len(queue) == 0 || ctx.Err() != nil {
		delete(f.queues, key)
		return nil, false
	}
	f.queues[key] = queue[1:]
	return queue[0], true
}

// rest hands back what waits behind a message that was refused, so that it comes
// after it again. The caller holds the lock.
func (f *flow) rest(key string, rest time.Duration) {
	if len(f.rests) > 4*flowSlots {
		f.forgetRests()
	}
	f.rests[key] = time.Now().Add(rest)
	for _, msg := range f.queues[key] {
		f.handBack(msg, rest)
	}
	f.queues[key] = nil
}

func (f *flow) forgetRests() {
	for key, until := range f.rests {
		if time.Now().After(until) {
			delete(f.rests, key)
		}
	}
}

func (f *flow) handBack(msg jetstream.Msg, rest time.Duration) {
	if err := msg.NakWithDelay(rest + restSlack); err != nil {
		f.log.Debug("a message could not be handed back; it comes again by itself", slog.Any("error", err))
	}
	f.release(msg)
}

func (f *flow) release(msg jetstream.Msg) {
	delete(f.held, msg)
	f.bytes.Release(weight(msg))
	f.slots.Release(1)
}

// keep tells the server now and then that the held messages are being worked on.
func (f *flow) keep(ctx context.Context) {
	ticker := time.NewTicker(ackWait / 3)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		f.mu.Lock()
		for msg := range f.held {
			_ = msg.InProgress() // refused only once it is settled
		}
		f.mu.Unlock()
	}
}

func weight(msg jetstream.Msg) int64 {
	return min(int64(len(msg.Data()))+1024, flowBytes)
}
