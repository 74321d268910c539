package nats

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
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

// deskServer answers requests for a Desk.
type deskServer struct {
	desk  watcher.Desk
	log   *slog.Logger
	limit int             // of a reply, in bytes
	ctx   context.Context //nolint:containedctx // ends with the service, not with one request

	mu      sync.Mutex
	stopped bool
	work    sync.WaitGroup
}

// ServeDesk answers bakewatch.api.<method> for the Desk until stop is called,
// which waits for the requests in work.
func ServeDesk(nc *nats.Conn, desk watcher.Desk, log *slog.Logger) (stop func() error, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	s := &deskServer{
		desk: desk, log: log, ctx: ctx,
		limit: int(nc.MaxPayload()) - 1024, // room for headers
	}
	service, err := micro.AddService(nc, micro.Config{
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
	if err := s.endpoints(service.AddGroup(apiPrefix)); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the desk: %w", err), stop())
	}
	// Whoever asks after this returned is heard.
	if err := nc.FlushTimeout(deskTimeout); err != nil {
		return nil, errors.Join(fmt.Errorf("serve the desk: %w", err), stop())
	}
	return stop, nil
}

func (s *deskServer) endpoints(group micro.Group) error {
	d := s.desk
	return errors.Join(
		group.AddEndpoint(methodList, s.handler(ask(s.list))),
		group.AddEndpoint(methodShow, s.handler(ask(func(ctx context.Context, r showRequest) (watcher.WatchView, error) {
			return d.Show(ctx, r.Ref)
		}))),
		group.AddEndpoint(methodAnswer, s.handler(ask(func(ctx context.Context, r answerRequest) (watcher.WatchView, error) {
			return d.Answer(ctx, r.Ref, r.Vote)
		}))),
		group.AddEndpoint(methodCancel, s.handler(ask(word(d.Cancel)))),
		group.AddEndpoint(methodRollback, s.handler(ask(word(d.Rollback)))),
		group.AddEndpoint(methodWrong, s.handler(ask(word(d.Wrong)))),
		group.AddEndpoint(methodDisarm, s.handler(ask(func(ctx context.Context, r watcher.Order) (nothing, error) {
			return nothing{}, d.Disarm(ctx, r)
		}))),
		group.AddEndpoint(methodArm, s.handler(ask(func(ctx context.Context, r watcher.Order) (nothing, error) {
			return nothing{}, d.Arm(ctx, r)
		}))),
	)
}

// word makes a method of those that take a person's word about a watch.
func word(method func(context.Context, watcher.Ref, authority.Proof, string) (watcher.WatchView, error)) func(context.Context, wordRequest) (watcher.WatchView, error) {
	return func(ctx context.Context, r wordRequest) (watcher.WatchView, error) {
		return method(ctx, r.Ref, r.By, r.Reason)
	}
}

// errUnreadable marks a request that is no JSON of the kind that is asked for.
var errUnreadable = errors.New("the request cannot be read")

// ask makes a handler of bytes from a method.
func ask[Q, A any](method func(context.Context, Q) (A, error)) func(context.Context, []byte) ([]byte, error) {
	return func(ctx context.Context, body []byte) ([]byte, error) {
		var q Q
		if len(body) > 0 {
			if err := json.Unmarshal(body, &q); err != nil {
				return nil, fmt.Errorf("%w: %w", errUnreadable, err)
			}
		}
		a, err := method(ctx, q)
		if err != nil {
			return nil, err
		}
		return json.Marshal(a)
	}
}

// handler answers a method's requests one after the other. It answers before it
// returns: the service counts errors on the request as soon as it has.
func (s *deskServer) handler(method func(context.Context, []byte) ([]byte, error)) micro.Handler {
	return micro.HandlerFunc(func(req micro.Request) {
		if !s.begin() {
			return // whoever asked hears nothing, and asks the next daemon
		}
		defer s.work.Done()
		s.answer(req, method)
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

func (s *deskServer) answer(req micro.Request, method func(context.Context, []byte) ([]byte, error)) {
	reply, err := s.call(method, req.Data())
	if err == nil && len(reply) > s.limit {
		err = fmt.Errorf("%w: %d bytes of at most %d", errTooMuch, len(reply), s.limit)
	}
	if err == nil {
		err = req.Respond(reply)
	} else {
		err = s.fail(req, err)
	}
	if err != nil {
		s.log.Warn("a request was not answered", slog.String("subject", req.Subject()), slog.Any("error", err))
	}
}

func (s *deskServer) fail(req micro.Request, err error) error {
	code := codeOf(err)
	if errors.Is(err, errUnreadable) {
		code = codeBadRequest
	}
	return req.Error(code, headerValue(err.Error(), reasonLimit), nil)
}

func (s *deskServer) call(method func(context.Context, []byte) ([]byte, error), body []byte) (_ []byte, err error) {
	ctx, cancel := context.WithTimeout(s.ctx, deskTimeout)
	defer cancel()
	defer func() {
		if value := recover(); value != nil {
			err = fmt.Errorf("panic: %v", value)
			s.log.Error("a request made the desk panic", slog.Any("panic", value))
		}
	}()
	return method(ctx, body)
}

// list returns as many lanes after the one asked for as a reply has room for, but at least one.
func (s *deskServer) list(ctx context.Context, r listRequest) (listReply, error) {
	lanes, err := s.desk.List(ctx)
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
