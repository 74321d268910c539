package shop

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Config says what the shop is like.
type Config struct {
	Service      string        // its name in metrics and orders; default: shop
	Instances    int           // 1 to 16; default: 3
	Slow         time.Duration // how long a slow answer takes; default: 400ms
	RestartDelay time.Duration // how long a crashed instance is down; default: 200ms
	Drain        time.Duration // how long what is replaced may finish its requests; default: 1s
	Logger       *slog.Logger  // default: none
}

func (c *Config) defaults() error {
	c.Service = cmp.Or(c.Service, "shop")
	c.Instances = cmp.Or(c.Instances, 3)
	c.Slow = cmp.Or(c.Slow, 400*time.Millisecond)
	c.RestartDelay = cmp.Or(c.RestartDelay, 200*time.Millisecond)
	c.Drain = cmp.Or(c.Drain, time.Second)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	if c.Instances < 1 || c.Instances > 16 {
		return fmt.Errorf("shop: %d instances; 1 to 16 are possible", c.Instances)
	}
	return nil
}

// version is one version of the shop: its name and what is wrong with it.
type version struct {
	name      string
	behaviour Behaviour
	scanned   time.Time // when it was built and scanned
}

// Shop is a small service in several instances. Its methods may be called from
// anywhere at any time.
type Shop struct {
	config    Config
	ctx       context.Context //nolint:containedctx // the life of the shop, which outlives each call
	instances []*instance
	control   net.Listener
	orders    orders
	running   sync.WaitGroup
	outage    atomic.Bool // of what all versions need

	deploying sync.Mutex // one deployment at a time

	mu       sync.Mutex
	versions map[string]version
	live     string
}

// Open opens the shop's addresses on free ports of 127.0.0.1. Nothing is live until
// the first Deploy. The shop closes when the context ends; Wait for it.
func Open(ctx context.Context, config Config) (*Shop, error) {
	if err := config.defaults(); err != nil {
		return nil, err
	}
	s := &Shop{config: config, ctx: ctx, versions: map[string]version{}, orders: orders{done: map[string]struct{}{}}}
	listeners, err := listen(ctx, config.Instances+1)
	if err != nil {
		return nil, err
	}
	s.control = listeners[0]
	for _, listener := range listeners[1:] {
		i := &instance{door: &door{Listener: listener}, config: config, outage: &s.outage, log: config.Logger}
		s.instances = append(s.instances, i)
		s.running.Go(i.door.serve)
	}
	s.running.Go(s.serveControl)
	s.running.Go(s.close)
	return s, nil
}

// listen opens n listeners, or none.
func listen(ctx context.Context, n int) ([]net.Listener, error) {
	var config net.ListenConfig
	listeners := make([]net.Listener, 0, n)
	for range n {
		listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			for _, open := range listeners {
				err = errors.Join(err, open.Close())
			}
			return nil, fmt.Errorf("shop: %w", err)
		}
		listeners = append(listeners, listener)
	}
	return listeners, nil
}

// close waits for the context's end, then closes what is open.
func (s *Shop) close() {
	<-s.ctx.Done()
	s.deploying.Lock() // no version takes a place from here on
	defer s.deploying.Unlock()
	for _, i := range s.instances {
		_ = i.door.Close()
		if i.gone != nil {
			<-i.gone
		}
	}
}

// Wait returns when the context has ended and everything of the shop has stopped.
func (s *Shop) Wait() { s.running.Wait() }

// Deploy makes a new version live: each instance in turn is replaced, at the same
// address, by one whose metrics begin at zero.
func (s *Shop) Deploy(name string, behaviour Behaviour) error {
	return s.Canary(name, behaviour, s.config.Instances)
}

// Canary makes a new version live in so many of the instances, and leaves the others
// as they are.
func (s *Shop) Canary(name string, behaviour Behaviour, places int) error {
	if name == "" {
		return errors.New("shop: a version needs a name")
	}
	if _, err := ParseBehaviour(string(behaviour)); err != nil {
		return fmt.Errorf("shop: %w", err)
	}
	if places < 1 || places > s.config.Instances {
		return fmt.Errorf("shop: %d instances; there are %d", places, s.config.Instances)
	}
	s.mu.Lock()
	s.versions[name] = version{name: name, behaviour: behaviour, scanned: time.Now()}
	s.mu.Unlock()
	return s.replace(name, s.instances[:places], true)
}

// Switch makes a version live everywhere that was deployed before. It does nothing to
// instances that run it already.
func (s *Shop) Switch(name string) error { return s.replace(name, s.instances, false) }

// replace puts a version into the instances, anew also where it runs already.
func (s *Shop) replace(name string, places []*instance, anew bool) error {
	s.deploying.Lock()
	defer s.deploying.Unlock()
	if err := s.ctx.Err(); err != nil {
		return fmt.Errorf("shop: closed: %w", err)
	}
	s.mu.Lock()
	v, known := s.versions[name]
	s.mu.Unlock()
	if !known {
		return fmt.Errorf("shop: there is no version %q", name)
	}
	var before []<-chan struct{}
	for _, i := range places {
		if i.runs == name && !anew {
			continue
		}
		i.runs = name
		if gone := i.put(s.ctx, v); gone != nil {
			before = append(before, gone)
		}
	}
	for _, gone := range before {
		<-gone
	}
	s.mu.Lock()
	s.live = name
	s.mu.Unlock()
	return nil
}

// Suffer makes every request, of whatever version, fail as often as those of a version
// with errors do, until it is called with false.
func (s *Shop) Suffer(outage bool) { s.outage.Store(outage) }

// Live returns the version that was put live last; while instances are being replaced,
// the one before; nothing before the first Deploy.
func (s *Shop) Live() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.live
}

// Targets returns the host:port of every instance. They stay the same for the
// shop's life; each has its metrics at /metrics.
func (s *Shop) Targets() []string {
	targets := make([]string, len(s.instances))
	for i, instance := range s.instances {
		targets[i] = instance.door.Addr().String()
	}
	return targets
}

// ControlURL returns the URL at which rollbacks are ordered: POST /rollback, GET /live.
func (s *Shop) ControlURL() string { return "http://" + s.control.Addr().String() }

// serveControl serves the control address until the context ends.
func (s *Shop) serveControl() {
	server := &http.Server{
		Handler: s.controlHandler(), ReadHeaderTimeout: 5 * time.Second,
		ErrorLog: slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		<-s.ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), s.config.Drain)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
	}()
	if err := server.Serve(s.control); !errors.Is(err, http.ErrServerClosed) {
		s.config.Logger.Error("the control address stopped serving", "error", err)
	}
	<-stopped
}
