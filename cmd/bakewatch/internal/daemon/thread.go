package daemon

import (
	"context"
	"errors"
	"slices"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/watcher"
)

// converse tells a channel that keeps threads, and amends what it told before. That is
// done whether or not the channel hears of this entry: a question that is over must
// not look open. If only the amending fails, the entry comes again, and is not told twice.
func (d *Daemon) converse(ctx context.Context, n news, to actions.Threader) error {
	return errors.Join(d.reply(ctx, n, to), d.amend(ctx, n, to, n.entry.Superseded()))
}

func (d *Daemon) reply(ctx context.Context, n news, to actions.Threader) error {
	if !n.heard && !n.serves() {
		return nil
	}
	thread, err := d.thread(ctx, n, n.entry.Of())
	if err != nil {
		return err
	}
	if n.heard && !thread.Has(n.entry.Seq) {
		err = d.pass(ctx, n, func(ctx context.Context, key string, m actions.Message) (string, error) {
			return to.Reply(ctx, key, m, thread)
		})
	}
	if err != nil || !n.entry.Turns() {
		return err
	}
	return to.Amend(ctx, thread)
}

// amend brings what was told of a watch up to date that another has ended.
func (d *Daemon) amend(ctx context.Context, n news, to actions.Threader, watch uint64) error {
	if watch == 0 {
		return nil
	}
	thread, err := d.thread(ctx, n, watch)
	if err != nil || len(thread.Told) == 0 {
		return err
	}
	return to.Amend(ctx, thread)
}

// thread reads what the channel has told of a watch, as it is now: what was told
// about the entry before may stand in the journal behind this one.
func (d *Daemon) thread(ctx context.Context, n news, watch uint64) (actions.Thread, error) {
	entries, err := d.journal.Since(ctx, n.entry.Lane, watch)
	if err != nil {
		return actions.Thread{}, err
	}
	return watcher.ThreadOf(watch, entries, n.channel), nil
}

// serves says whether the channel is among the listeners at all.
func (n news) serves() bool {
	l := n.listeners
	return slices.Contains(slices.Concat(l.Page, l.Chat, l.Stakeholders), n.channel)
}
