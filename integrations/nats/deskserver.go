package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/nats-io/nats.go/micro"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Bounds of serving the Desk.
const (
	deskTimeout = 10 * time.Second // for one request
	deskPage    = 500              // lanes
	apiVersion  = "1.0.0"
)

var errTooMuch = errors.New("the answer is larger than NATS takes")

// DeskConfig says which Desk is served, and whom it believes.
type DeskConfig struct {
	Desk  watcher.Desk
	Facts *Facts // where it is kept which requests were there
	// Cluster is the name of this Bakewatch: a request is signed for it.
	Cluster string
	// Signed says whether events, votes and orders must be signed now; nil: they need not.
	Signed func() bool
	// Identify says who a proof speaks for: what is signed by nobody is refused before
	// anything is written for it. Nil: everybody is somebody.
	Identify func(authority.Proof) (string, error)
	// Refused hears of requests that do not say who they are in a way that is accepted; may be nil.
	Refused func(method string)
	// Unproved writes down that somebody who could not show who they are has answered a
	// question; nil: it is only logged. Its error says that none is open.
	Unproved func(context.Context, watcher.Ref, watcher.Unproved) error
	Now      func() time.Time // default: time.Now
	Log      *slog.Logger     // default: that of the connection
}

func (c *DeskConfig) defaults(conn *Conn) {
	if c.Signed == nil {
		c.Signed = func() bool { return false }
	}
	if c.Identify == nil {
		c.Identify = func(p authority.Proof) (string, error) { return p.Subject, nil }
	}
	if c.Refused == nil {
		c.Refused = func(string) {}
	}
	if c.Unproved == nil {
		c.Unproved = func(context.Context, watcher.Ref, watcher.Unproved) error { return nil }
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = conn.log
	}
}

// deskServer answers requests for a Desk.
type deskServer struct {
	DeskConfig
	limit int             // of a reply, in bytes
	ctx   context.Context //nolint:containedctx // ends with the service, not with one request

	mu      sync.Mutex
	stopped bool
	work    sync.WaitGroup
}

// ServeDesk answers bakewatch.api.<method>, and bakewatch.verdict.<environment>.<service>,
// for the Desk until stop is called, which waits for the requests in work.
func (c *Conn) ServeDesk(cfg DeskConfig) (stop func() error, err error) {
	cfg.defaults(c)
	ctx, cancel := context.WithCancel(context.Background())
	s := &deskServer{
		DeskConfig: cfg, ctx: ctx,
		limit: int(c.nc.MaxPayload()) - 1024, // room for headers
	}
	service, err := micro.AddService(c.nc, micro.Config{
		Name: "bakewatch", Version: apiVersion, Description: "What people and tools may ask of Bakewatch",
	})
	if err != nil {
		cancel()
		return nil, fmt.Errorf("serve the desk: %w", err)
	}
	stop = func() error {
		err := service.Stop()
		s.mu.Lock()
		s.stopped = true
		s.mu.Unlock()
		s.work.Wait()
		cancel()
		return err
	}
	if err := errors.Join(s.endpoints(service.AddGroup(apiPrefix)), s.verdicts(service)); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the desk: %w", err), stop())
	}
	// Whoever asks after this returned is heard.
	if err := c.nc.FlushTimeout(deskTimeout); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the desk: %w", err), stop())
	}
	return stop, nil
}

func (s *deskServer) endpoints(group micro.Group) error {
	d := s.Desk
	return errors.Join(
		group.AddEndpoint(methodList, s.handler(tell(s.list))),
		group.AddEndpoint(methodShow, s.handler(tell(func(ctx context.Context, r showRequest) (watcher.WatchView, error) {
			return d.Show(ctx, r.Ref)
		}))),
		group.AddEndpoint(methodAbout, s.handler(tell(func(context.Context, nothing) (About, error) {
			return About{Cluster: s.Cluster, Signed: s.Signed()}, nil
		}))),
		group.AddEndpoint(methodAnswer, s.handler(act(s, func(ctx context.Context, r answerRequest, by authority.Proof) (watcher.WatchView, error) {
			return d.Answer(ctx, r.Ref, authority.Vote{Question: r.Vote.Question, Choice: r.Vote.Choice, Reason: r.Vote.Reason, Proof: by})
		}))),
		group.AddEndpoint(methodCancel, s.handler(act(s, word(d.Cancel)))),
		group.AddEndpoint(methodRollback, s.handler(act(s, word(d.Rollback)))),
		group.AddEndpoint(methodWrong, s.handler(act(s, word(d.Wrong)))),
		group.AddEndpoint(methodDisarm, s.handler(act(s, func(ctx context.Context, r orderRequest, by authority.Proof) (nothing, error) {
			return nothing{}, d.Disarm(ctx, r.order(by))
		}))),
		group.AddEndpoint(methodArm, s.handler(act(s, func(ctx context.Context, r orderRequest, by authority.Proof) (nothing, error) {
			return nothing{}, d.Arm(ctx, r.order(by))
		}))),
	)
}

// word makes a method of those that take a person's word about a watch.
func word(method func(context.Context, watcher.Ref, authority.Proof, string) (watcher.WatchView, error)) func(context.Context, wordRequest, authority.Proof) (watcher.WatchView, error) {
	return func(ctx context.Context, r wordRequest, by authority.Proof) (watcher.WatchView, error) {
		return method(ctx, r.Ref, by, r.Reason)
	}
}

// errUnreadable marks a request that is no JSON of the kind that is asked for.
var errUnreadable = errors.New("the request cannot be read")

// method answers one request with JSON.
type method func(context.Context, micro.Request) ([]byte, error)

// tell is a method that changes nothing: whoever may ask is told.
func tell[Q, A any](do func(context.Context, Q) (A, error)) method {
	return func(ctx context.Context, req micro.Request) ([]byte, error) {
		q, err := read[Q](req)
		if err != nil {
			return nil, err
		}
		a, err := do(ctx, q)
		if err != nil {
			return nil, err
		}
		return json.Marshal(a)
	}
}

// act is a method that does something in somebody's name.
func act[Q interface {
	claims() string
	says() string
}, A any](s *deskServer, do func(context.Context, Q, authority.Proof) (A, error)) method {
	return func(ctx context.Context, req micro.Request) ([]byte, error) {
		q, err := read[Q](req)
		if err != nil {
			return nil, err
		}
		if n := utf8.RuneCountInString(q.says()); n > watcher.LongestReason {
			return nil, fmt.Errorf("%w: reason has %d characters, at most %d are taken", errUnreadable, n, watcher.LongestReason)
		}
		by, err := s.proof(ctx, req, q.claims())
		if err != nil {
			s.unproved(ctx, req, q, err)
			return nil, err
		}
		a, err := do(ctx, q, by)
		if err != nil {
			return nil, err
		}
		return json.Marshal(a)
	}
}

func read[Q any](req micro.Request) (q Q, err error) {
	if len(req.Data()) == 0 {
		return q, nil
	}
	if err := json.Unmarshal(req.Data(), &q); err != nil {
		return q, fmt.Errorf("%w: %w", errUnreadable, err)
	}
	return q, nil
}

// handler answers a method's requests one after the other. It answers before it
// returns: the service counts errors on the request as soon as it has.
func (s *deskServer) handler(do method) micro.Handler {
	return micro.HandlerFunc(func(req micro.Request) {
		if !s.begin() {
			return // whoever asked hears nothing, and asks the next daemon
		}
		defer s.work.Done()
		s.answer(req, do)
	})
}

// begin says whether requests are still answered; if so, stop waits for this one.
func (s *deskServer) begin() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return false
	}
	s.work.Add(1)
	return true
}

func (s *deskServer) answer(req micro.Request, do method) {
	reply, err := s.call(do, req)
	if err == nil && len(reply) > s.limit {
		err = fmt.Errorf("%w: %d bytes of at most %d", errTooMuch, len(reply), s.limit)
	}
	if err == nil {
		err = req.Respond(reply)
	} else {
		err = s.fail(req, err)
	}
	if err != nil {
		s.Log.Warn("a request was not answered", slog.String("subject", req.Subject()), slog.Any("error", err))
	}
}

func (s *deskServer) fail(req micro.Request, err error) error {
	code := codeOf(err)
	switch {
	case errors.Is(err, errUnreadable):
		code = codeBadRequest
	case code == codeUnproved:
		s.Log.Warn("a request was refused", slog.String("subject", req.Subject()), slog.Any("reason", err))
		s.Refused(strings.TrimPrefix(req.Subject(), apiPrefix+"."))
	}
	return req.Error(code, headerValue(err.Error(), reasonLimit), nil)
}

func (s *deskServer) call(do method, req micro.Request) (_ []byte, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, deskTimeout)
	defer cancel()
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v", value)
			s.Log.Error("a request made the desk panic", slog.Any("panic", value))
		}
	}()
	return do(ctx, req)
}

// list returns as many lanes after the one asked for as a reply has room for, but at least one.
func (s *deskServer) list(ctx context.Context, r listRequest) (listReply, error) {
	lanes, err := s.Desk.List(ctx)
	if err != nil {
		return listReply{}, err
	}
	reply := listReply{Lanes: []watcher.LaneView{}}
	room := s.limit / 2
	for _, lane := range lanes {
		if r.After != nil && compareLanes(lane.Lane, *r.After) <= 0 {
			continue
		}
		text, err := json.Marshal(lane)
		if err != nil {
			return listReply{}, err
		}
		if room -= len(text); len(reply.Lanes) > 0 && (room < 0 || len(reply.Lanes) == deskPage) {
			reply.More = true
			break
		}
		reply.Lanes = append(reply.Lanes, lane)
	}
	return reply, nil
}

// compareLanes is the order of Desk.List.
func compareLanes(a, b rules.LaneID) int {
	return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Flag, b.Flag))
}
