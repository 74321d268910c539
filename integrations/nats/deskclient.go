package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// ErrNoAnswer says that NATS is there, but no daemon serves its Desk on it.
var ErrNoAnswer = errors.New("no bakewatch daemon answers on this NATS")

// deskClient is a Desk on the other side of NATS.
type deskClient struct{ nc *nats.Conn }

var _ watcher.Desk = deskClient{}

// DeskClient returns the Desk of the daemon that is active on this NATS. Its errors
// are those of watcher.Desk (ErrNotFound, ErrRefused, ErrConflict), or ErrNoAnswer.
// A context without a deadline gets one.
func DeskClient(nc *nats.Conn) watcher.Desk { return deskClient{nc: nc} }

func (d deskClient) List(ctx context.Context) ([]watcher.LaneView, error) {
	var lanes []watcher.LaneView
	var r listRequest
	for {
		page, err := request[listReply](ctx, d.nc, methodList, r)
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, page.Lanes...)
		if !page.More || len(page.Lanes) == 0 {
			return lanes, nil
		}
		r.After = &lanes[len(lanes)-1].Lane
	}
}

func (d deskClient) Show(ctx context.Context, ref watcher.Ref) (watcher.WatchView, error) {
	return request[watcher.WatchView](ctx, d.nc, methodShow, showRequest{Ref: ref})
}

func (d deskClient) Answer(ctx context.Context, ref watcher.Ref, vote authority.Vote) (watcher.WatchView, error) {
	return request[watcher.WatchView](ctx, d.nc, methodAnswer, answerRequest{Ref: ref, Vote: vote})
}

func (d deskClient) Cancel(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return request[watcher.WatchView](ctx, d.nc, methodCancel, wordRequest{Ref: ref, By: by, Reason: reason})
}

func (d deskClient) Rollback(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return request[watcher.WatchView](ctx, d.nc, methodRollback, wordRequest{Ref: ref, By: by, Reason: reason})
}

func (d deskClient) Wrong(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return request[watcher.WatchView](ctx, d.nc, methodWrong, wordRequest{Ref: ref, By: by, Reason: reason})
}

func (d deskClient) Disarm(ctx context.Context, order watcher.Order) error {
	_, err := request[nothing](ctx, d.nc, methodDisarm, order)
	return err
}

func (d deskClient) Arm(ctx context.Context, order watcher.Order) error {
	_, err := request[nothing](ctx, d.nc, methodArm, order)
	return err
}

func request[A any](ctx context.Context, nc *nats.Conn, method string, q any) (a A, err error) {
	body, err := json.Marshal(q)
	if err != nil {
		return a, fmt.Errorf("%s: %w", method, err)
	}
	ctx, cancel := context.WithTimeout(ctx, deskTimeout)
	defer cancel()
	reply, err := nc.RequestWithContext(ctx, apiPrefix+"."+method, body)
	if errors.Is(err, nats.ErrNoResponders) {
		return a, ErrNoAnswer
	}
	if err != nil {
		return a, fmt.Errorf("%s: no answer from the daemon: %w", method, err)
	}
	if code := reply.Header.Get(micro.ErrorCodeHeader); code != "" {
		return a, remote(code, reply.Header.Get(micro.ErrorHeader))
	}
	if err := json.Unmarshal(reply.Data, &a); err != nil {
		return a, fmt.Errorf("%s: the daemon's answer cannot be read: %w", method, err)
	}
	return a, nil
}
