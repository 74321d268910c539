package daemon

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// worthTelling are the kinds of entries about which people may be told.
var worthTelling = []watcher.Kind{
	watcher.Opened, watcher.Ruled, watcher.Voted, watcher.Reminded, watcher.Decided, watcher.Done,
	watcher.Verified, watcher.Noted, watcher.Told, watcher.Closed,
}

// tellTimeout bounds one try: the channel's own time, and the journal's before it (the
// watch's history) and after it (that it was told).
const tellTimeout = actions.LongestNotify + 15*time.Second

// telling is the channels that are in force, each with its place in the journal.
type telling struct {
	*nats.Deliveries
	now *force
}

// tell serves every channel until ctx ends. Channels that a reload brings are
// served from then on. A daemon that cannot tell goes on judging, and tries until it can.
func (d *Daemon) tell(ctx context.Context, owner *watcher.Owner, t telling) error {
	pace := backoff.NewExponentialBackOff(backoff.WithMaxInterval(5*time.Second), backoff.WithMaxElapsedTime(0))
	return backoff.RetryNotify(func() (err error) {
		for ctx.Err() == nil {
			if t.Deliveries == nil {
				if t, err = d.telling(ctx, owner); err != nil {
					return err
				}
				pace.Reset()
			}
			err = t.untilOthers(ctx)
			if t = (telling{}); err != nil {
				return err
			}
		}
		return nil
	}, backoff.WithContext(pace, ctx), func(err error, _ time.Duration) {
		d.cfg.Log.Error("nobody can be told; it is tried again", "err", err)
	})
}

// untilOthers serves these channels, if there are any, until ctx ends or others are in force.
func (t telling) untilOthers(ctx context.Context) error {
	ctx, cancel := t.now.while(ctx)
	defer cancel()
	if err := t.Run(ctx); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// telling marks the channels' places in the journal: what is written from here on
// is not missed by one that is new.
func (d *Daemon) telling(ctx context.Context, owner *watcher.Owner) (telling, error) {
	now := d.force.Load()
	var channels []nats.Channel
	for name := range now.channels {
		channels = append(channels, nats.Channel{
			Name: name, Kinds: worthTelling,
			Deliver: func(ctx context.Context, e watcher.Entry, history []watcher.Entry, _ int) error {
				return d.deliver(ctx, owner, now, name, e, history)
			},
			GaveUp: func(ctx context.Context, e watcher.Entry, err error) { d.gaveUp(ctx, owner, name, e, err) },
		})
	}
	deliveries, err := d.conn.Deliveries(ctx, nats.DeliveriesConfig{Timeout: tellTimeout}, channels...)
	if err != nil {
		return telling{}, fmt.Errorf("set up the channels: %w", err)
	}
	return telling{deliveries, now}, nil
}

// deliver tells one channel about one entry, if it is to hear of it, and records
// that it was told: only then does a question's countdown begin.
func (d *Daemon) deliver(ctx context.Context, owner *watcher.Owner, now *force, channel string, e watcher.Entry, history []watcher.Entry) error {
	if e.Told != nil && e.Told.Channel == channel {
		return nil // it is told on the others that this one is down
	}
	n := news{owner: owner, channel: channel, entry: e, listeners: listeners(now, history)}
	message, audiences := watcher.Render(history)
	notifier := now.channels[channel]
	if follower, keeps := notifier.(actions.Follower); keeps && len(audiences) > 0 && follower.Follows(message) {
		audiences = actions.Audiences() // as whoever it is told what it keeps open
	}
	audience, heard := watcher.For(channel, n.listeners, audiences)
	n.message, n.heard = watcher.Address(message, audience, e), heard
	n.message.Cluster = d.cfg.Daemon.Cluster
	n.message = d.linked(ctx, now.set.Daemon.Channels[channel], n.message)
	if threader, ok := notifier.(actions.Threader); ok && e.Of() != 0 {
		return d.converse(ctx, n, threader)
	}
	if !n.heard {
		return nil
	}
	return d.pass(ctx, n, notifier.Notify)
}

// news is what one channel may hear about an entry.
type news struct {
	owner     *watcher.Owner
	channel   string
	entry     watcher.Entry
	listeners rules.Notification
	message   actions.Message
	heard     bool // the channel is to hear of it
}

// pass passes the news on, counts it, and records the receipt.
func (d *Daemon) pass(ctx context.Context, n news, notify func(context.Context, string, actions.Message) (string, error)) error {
	receipt, err := notify(ctx, fmt.Sprintf("%d-%s", n.entry.Seq, n.channel), n.message)
	d.metrics.told(n.channel, err)
	if err != nil || receipt == "" {
		return err
	}
	return n.owner.Heard(ctx, n.entry.Lane, watcher.Delivery{
		Channel: n.channel, Audience: n.message.Audience, About: n.entry.Seq, Receipt: receipt,
	})
}

// listeners says who hears of a watch: what its plan says, and the channels that wake
// those who are asked; or the daemon's own [notify] for what belongs to no plan.
func listeners(now *force, history []watcher.Entry) rules.Notification {
	plan := watcher.PlanOf(history)
	if plan == nil {
		return now.set.Daemon.Notify
	}
	notify := plan.Notify
	notify.Page = append(slices.Clip(notify.Page), watcher.Pages(history)...)
	return notify
}

func (d *Daemon) gaveUp(ctx context.Context, owner *watcher.Owner, channel string, e watcher.Entry, err error) {
	d.cfg.Log.Error("channel could not be told", "channel", channel, "watch", e.Watch, "seq", e.Seq, "err", err)
	told := watcher.Delivery{Channel: channel, Audience: actions.Chat, About: e.Seq, Failed: err.Error()}
	if e.Told != nil { // that another channel is down: not to be passed around for ever
		return
	}
	if err := owner.Heard(ctx, e.Lane, told); err != nil {
		d.cfg.Log.Error("journal does not take that a channel is down", "channel", channel, "err", err)
	}
}
