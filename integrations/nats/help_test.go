package nats_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	client "github.com/nats-io/nats.go"

	"github.com/bakewatch/bakewatch/integrations/nats"
)

// patience is how long tests wait for what must happen; nothing asserts a speed.
const patience = 30 * time.Second

// eventually waits until the condition holds.
func eventually(t testing.TB, what string, condition func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !condition() {
		select {
		case <-deadline.C:
			t.Fatalf("never happened: %s", what)
		case <-tick.C:
		}
	}
}

// receive waits for a value.
func receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	select {
	case value := <-from:
		return value
	case <-time.After(patience):
		t.Fatalf("never came: %s", what)
		panic("unreachable")
	}
}

// external starts a NATS server of an operator: apart from the connection, with
// JetStream and without any stream.
func external(t testing.TB, options server.Options) *server.Server {
	t.Helper()
	options.Host, options.NoSigs, options.NoLog = "127.0.0.1", true, true
	options.JetStream, options.DisableJetStreamBanner = true, true
	if options.Port == 0 {
		options.Port = server.RANDOM_PORT
	}
	if options.StoreDir == "" {
		options.StoreDir = t.TempDir()
	}
	s, err := server.NewServer(&options)
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the external server does not start")
	}
	return s
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// publish sends one event and waits until the stream has it.
func publish(t testing.TB, conn *nats.Conn, subject string, data []byte, headers client.Header) uint64 {
	t.Helper()
	ack, err := conn.JetStream().PublishMsg(t.Context(), &client.Msg{Subject: subject, Data: data, Header: headers})
	if err != nil {
		t.Fatalf("publish %s: %v", subject, err)
	}
	return ack.Sequence
}

// running runs a loop until the test's end, or until stop is called, which waits for it.
func running(t testing.TB, loop func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- loop(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := receive(t, "the loop's end", done); err != nil {
			t.Errorf("the loop ended with: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// proxy stands between a client and a server and can lose the server's answers.
type proxy struct {
	listener net.Listener
	to       string

	mu    sync.Mutex
	mute  bool
	conns []net.Conn
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed below
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: listener, to: to}
	t.Cleanup(p.close)
	go p.accept()
	return p
}

func (p *proxy) url() string { return "nats://" + p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		in, err := p.listener.Accept()
		if err != nil {
			return
		}
		out, err := net.Dial("tcp", p.to) //nolint:noctx // closed with the proxy
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in, out)
		p.mu.Unlock()
		go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
		go func() { _, _ = io.Copy(loud{p, in}, out); _ = in.Close() }()
	}
}

// loseAnswers makes the server's words vanish; cut ends all connections and hears again.
func (p *proxy) loseAnswers() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = true
}

// close parts the two for good.
func (p *proxy) close() {
	_ = p.listener.Close()
	p.cut()
}

func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.mute = false
	for _, conn := range p.conns {
		_ = conn.Close()
	}
	p.conns = nil
}

type loud struct {
	p  *proxy
	to net.Conn
}

func (l loud) Write(b []byte) (int, error) {
	l.p.mu.Lock()
	mute := l.p.mute
	l.p.mu.Unlock()
	if mute {
		return len(b), nil
	}
	return l.to.Write(b)
}
