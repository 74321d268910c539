package shop

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// instance is one place where the shop runs: an address, and the process behind it,
// which is supervised: one that crashes is started again.
type instance struct {
	door   *door
	config Config
	outage *atomic.Bool
	log    *slog.Logger
	runs   string // the version's name; the shop replaces one at a time

	mu   sync.Mutex         // held while a process takes its place behind the door
	stop context.CancelFunc // ends the run of the version that is live; nil: none yet
	gone <-chan struct{}    // closed when that run has ended
}

// put starts the version behind the door and ends the one before, which finishes
// its requests. The channel is closed when the old one is gone; nil: there was none.
func (i *instance) put(ctx context.Context, v version) <-chan struct{} {
	ctx, cancel := context.WithCancel(ctx)
	gone := make(chan struct{})
	r := &run{instance: i, version: v}

	i.mu.Lock()
	before, beforeGone := i.stop, i.gone
	i.stop, i.gone = cancel, gone
	first := r.start()
	if before != nil {
		before() // only now, so that nobody finds the door without a process
	}
	i.mu.Unlock()

	go func() {
		defer close(gone)
		r.supervise(ctx, first)
	}()
	return beforeGone
}

// run is the time that one version is live in an instance.
type run struct {
	*instance
	version  version
	restarts atomic.Uint64
}

// supervise waits for the process to crash and starts another, until the context ends.
func (r *run) supervise(ctx context.Context, p *process) {
	for p != nil {
		select {
		case <-ctx.Done():
			p.end(r.config.Drain)
			return
		case <-p.crashed:
			p.kill()
			r.log.Debug("an instance crashed", "address", r.door.Addr().String(), "version", r.version.name)
		}
		p = r.again(ctx)
	}
}

// again starts a new process after a crash, or returns nil if the run has ended.
func (r *run) again(ctx context.Context) *process {
	select {
	case <-ctx.Done():
		return nil
	case <-time.After(r.config.RestartDelay):
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if ctx.Err() != nil {
		return nil // another version has taken the place
	}
	r.restarts.Add(1)
	return r.start()
}

// start puts a new process behind the door. The instance's lock is held.
func (r *run) start() *process {
	crashed := make(chan struct{})
	served := &pages{version: r.version, slow: r.config.Slow, outage: r.outage, crashed: crashed}
	p := &process{feed: newFeed(r.door.Addr()), crashed: crashed, served: make(chan struct{})}
	p.server = &http.Server{
		Handler:           served.handler(r.config.Service, func() float64 { return float64(r.restarts.Load()) }),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          slog.NewLogLogger(r.log.Handler(), slog.LevelDebug),
	}
	p.feed.watch(p.server)
	go func() {
		defer close(p.served)
		if err := p.server.Serve(p.feed); !errors.Is(err, http.ErrServerClosed) {
			r.log.Error("an instance stopped serving", "error", err)
		}
	}()
	r.door.behind.Store(p.feed)
	return p
}

// process is one life of an instance.
type process struct {
	server  *http.Server
	feed    *feed
	crashed <-chan struct{}
	served  chan struct{} // closed when nothing is accepted any more
}

// kill drops every connection, as a dead process does.
func (p *process) kill() {
	_ = p.server.Close() // what it had open is to be lost
	<-p.served
}

// end lets the process finish its requests, for so long at most.
func (p *process) end(drain time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	p.feed.leave(ctx)
	if p.server.Shutdown(ctx) != nil {
		_ = p.server.Close()
	}
	<-p.served
}
