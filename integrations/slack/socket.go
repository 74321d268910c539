package slack

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"
	"github.com/coder/websocket"

	"github.com/bakewatch/bakewatch/actions"
)

const (
	helloTimeout = 10 * time.Second // from dialling to Slack's hello
	pingEvery    = 20 * time.Second
	pingTimeout  = 10 * time.Second
	// farewell is how long a connection is still read that Slack is about to close:
	// what was sent on it must not be lost.
	farewell = 30 * time.Second
	// steady is how long a connection must have lasted for the next to be made at once.
	steady       = time.Minute
	maxPause     = time.Minute
	messageLimit = 1 << 20 // bytes of one message
)

// socket keeps a connection of Socket Mode open.
type socket struct {
	api *api // with the app-level token
	log *slog.Logger
	// take takes the payload of an interaction, with its envelope's id; false: not now.
	take func(id string, payload []byte) bool
}

// envelope is a message over the connection.
type envelope struct {
	Type    string          `json:"type"`
	Reason  string          `json:"reason"` // of a disconnect
	ID      string          `json:"envelope_id"`
	Payload json.RawMessage `json:"payload"`
}

// run connects, and connects anew whenever a connection ends, until ctx ends.
func (s *socket) run(ctx context.Context) {
	var wait sync.WaitGroup
	defer wait.Wait()
	pace := backoff.NewExponentialBackOff(backoff.WithMaxInterval(maxPause), backoff.WithMaxElapsedTime(0))
	for ctx.Err() == nil {
		began := time.Now()
		conn, err := s.connect(ctx)
		if err != nil {
			s.rest(ctx, max(pace.NextBackOff(), askedPause(err)), err)
			continue
		}
		s.log.Info("slack: Socket Mode is connected: buttons are heard")
		leaving := make(chan struct{})
		wait.Go(func() { s.serve(ctx, conn, sync.OnceFunc(func() { close(leaving) })) })
		<-leaving
		if time.Since(began) >= steady {
			pace.Reset()
			continue
		}
		s.rest(ctx, pace.NextBackOff(), nil)
	}
}

func (s *socket) rest(ctx context.Context, pause time.Duration, err error) {
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.log.Error("slack: Socket Mode cannot be connected: buttons are not heard; it is tried again", "err", err, "again_in", pause)
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func askedPause(err error) time.Duration {
	var classed *actions.Error
	if errors.As(err, &classed) {
		return classed.After
	}
	return 0
}

// connect asks for an address, which is good once, dials it and waits for the hello.
func (s *socket) connect(ctx context.Context) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	got, err := s.api.call(ctx, "apps.connections.open", struct{}{})
	if err != nil {
		return nil, err
	}
	address := got.URL
	for from, to := range map[string]string{"wss://": "https://", "ws://": "http://"} {
		if rest, ok := strings.CutPrefix(address, from); ok {
			address = to + rest
		}
	}
	to, err := s.api.own(address)
	if err != nil {
		return nil, fmt.Errorf("apps.connections.open: %w", err)
	}
	conn, _, err := websocket.Dial(ctx, address, &websocket.DialOptions{HTTPClient: s.api.client.HTTP()}) //nolint:bodyclose // the library closes it
	if err != nil {
		return nil, fmt.Errorf("%s: %s", to, s.api.client.Redact(to, err.Error())) // the ticket is a secret
	}
	conn.SetReadLimit(messageLimit)
	if hello, err := read(ctx, conn); err != nil || hello.Type != "hello" {
		_ = conn.CloseNow()
		return nil, fmt.Errorf("%s: no hello, but %q: %w", to, hello.Type, errors.Join(err, ctx.Err()))
	}
	return conn, nil
}

func read(ctx context.Context, conn *websocket.Conn) (e envelope, err error) {
	_, text, err := conn.Read(ctx)
	if err == nil && json.Unmarshal(text, &e) != nil {
		return envelope{}, nil // whatever it is, it asks for nothing
	}
	return e, err
}

// serve reads a connection until it ends. leave is called as soon as the next one
// should be made: while Slack lets both live, no button finds none.
func (s *socket) serve(ctx context.Context, conn *websocket.Conn, leave func()) {
	defer leave()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer conn.CloseNow() //nolint:errcheck // nothing is to be saved
	go ping(ctx, conn)
	for {
		e, err := read(ctx, conn)
		if err != nil {
			if ctx.Err() == nil {
				s.log.Info("slack: a connection of Socket Mode has ended", "err", err)
			}
			return
		}
		if e.Type == "disconnect" {
			s.log.Info("slack: Slack ends a connection of Socket Mode", "reason", e.Reason)
			leave()
			time.AfterFunc(farewell, cancel)
		}
		if err := s.hear(ctx, conn, e); err != nil {
			return
		}
	}
}

// hear takes what an envelope brings and acknowledges it. What cannot be taken now is
// not acknowledged: who pressed sees that it failed.
func (s *socket) hear(ctx context.Context, conn *websocket.Conn, e envelope) error {
	if e.ID == "" || e.Type == "interactive" && !s.take(e.ID, e.Payload) {
		return nil
	}
	text, err := marshal(map[string]string{"envelope_id": e.ID})
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, text)
}

// ping ends a connection over which nothing comes back.
func ping(ctx context.Context, conn *websocket.Conn) {
	t := time.NewTicker(pingEvery)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			alive, cancel := context.WithTimeout(ctx, pingTimeout)
			err := conn.Ping(alive)
			cancel()
			if err != nil {
				_ = conn.CloseNow()
				return
			}
		}
	}
}
