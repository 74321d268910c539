package nats

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/watcher"
)

// ErrNoAnswer says that NATS is there, but no daemon serves its Desk on it.
var ErrNoAnswer = errors.New("no bakewatch daemon answers on this NATS")

// deskClient is a Desk on the other side of NATS.
type deskClient struct {
	nc      *nats.Conn
	key     *signing.Key // nil: nothing is signed
	cluster string       // for which is signed; empty: that of the daemon that answers
}

var _ watcher.Desk = deskClient{}

// DeskClient returns the Desk of the daemon that is active on this NATS. Its errors
// are those of watcher.Desk (ErrNotFound, ErrRefused, ErrConflict) and
// authority.ErrUnproved, or ErrNoAnswer. A context without a deadline gets one. Who
// speaks is a claim: of a proof only a local one can be handed on.
func DeskClient(nc *nats.Conn) watcher.Desk { return deskClient{nc: nc} }

// SigningDeskClient is DeskClient for somebody with a key: what it does it signs, and
// who speaks follows from the key, whatever the proofs say. An empty cluster is that of
// the daemon that answers.
func SigningDeskClient(nc *nats.Conn, key signing.Key, cluster string) watcher.Desk {
	return deskClient{nc: nc, key: &key, cluster: cluster}
}

// AskAbout asks the daemon that is active on this NATS about itself, or returns an
// error that is ErrNoAnswer.
func AskAbout(ctx context.Context, nc *nats.Conn) (About, error) {
	return request[About](ctx, nc, methodAbout, nothing{})
}

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
	by := vote.Proof
	vote.Person, vote.Proof = "", authority.Proof{}
	return demand[watcher.WatchView](ctx, d, methodAnswer, by, answerRequest{claim: claimOf(by), Ref: ref, Vote: vote})
}

func (d deskClient) Cancel(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return demand[watcher.WatchView](ctx, d, methodCancel, by, wordRequest{claim: claimOf(by), Ref: ref, Reason: reason})
}

func (d deskClient) Rollback(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return demand[watcher.WatchView](ctx, d, methodRollback, by, wordRequest{claim: claimOf(by), Ref: ref, Reason: reason})
}

func (d deskClient) Wrong(ctx context.Context, ref watcher.Ref, by authority.Proof, reason string) (watcher.WatchView, error) {
	return demand[watcher.WatchView](ctx, d, methodWrong, by, wordRequest{claim: claimOf(by), Ref: ref, Reason: reason})
}

func (d deskClient) Disarm(ctx context.Context, order watcher.Order) error {
	_, err := demand[nothing](ctx, d, methodDisarm, order.By, requestOf(order))
	return err
}

func (d deskClient) Arm(ctx context.Context, order watcher.Order) error {
	_, err := demand[nothing](ctx, d, methodArm, order.By, requestOf(order))
	return err
}

func requestOf(order watcher.Order) orderRequest {
	return orderRequest{claim: claimOf(order.By), Service: order.Service, Reason: order.Reason, Force: order.Force}
}

// claimOf is what can be said of a proof without a signature.
func claimOf(by authority.Proof) claim {
	if by.Way != authority.Local {
		return claim{}
	}
	return claim{By: by.Subject}
}

// request asks for what changes nothing.
func request[A any](ctx context.Context, nc *nats.Conn, method string, q any) (a A, err error) {
	msg, err := message(method, q)
	if err != nil {
		return a, err
	}
	return exchange[A](ctx, nc, method, msg)
}

// demand asks for what is done in somebody's name: signed, if there is a key.
func demand[A any](ctx context.Context, d deskClient, method string, by authority.Proof, q any) (a A, err error) {
	if d.key == nil && by.Way != authority.Local {
		return a, fmt.Errorf("%s: a proof of %s cannot be handed on over NATS", method, by.Way)
	}
	msg, err := message(method, q)
	if err != nil {
		return a, err
	}
	if err := d.sign(ctx, msg); err != nil {
		return a, fmt.Errorf("%s: %w", method, err)
	}
	return exchange[A](ctx, d.nc, method, msg)
}

func (d deskClient) sign(ctx context.Context, msg *nats.Msg) error {
	if d.key == nil {
		return nil
	}
	cluster := d.cluster
	if cluster == "" {
		about, err := AskAbout(ctx, d.nc)
		if err != nil {
			return err
		}
		cluster = about.Cluster
	}
	headers, err := d.key.Sign(signing.Message{Cluster: cluster, Subject: msg.Subject, Body: msg.Data}, time.Now())
	msg.Header = headers
	return err
}

func message(method string, q any) (*nats.Msg, error) {
	body, err := json.Marshal(q)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	return &nats.Msg{Subject: apiPrefix + "." + method, Data: body}, nil
}

func exchange[A any](ctx context.Context, nc *nats.Conn, method string, msg *nats.Msg) (a A, err error) {
	ctx, cancel := context.WithTimeout(ctx, deskTimeout)
	defer cancel()
	reply, err := nc.RequestMsgWithContext(ctx, msg)
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
