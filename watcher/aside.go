package watcher

import (
	"context"
	"fmt"
	"time"
)

// faults is how many panics a lane may cause before it is left alone.
const faults = 3

// guarded makes a panic the trouble of the lane that caused it, not of all.
func (o *Owner) guarded(ctx context.Context, h *held, do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = o.fault(ctx, h, p)
		}
	}()
	return do()
}

// fault counts a panic; after three the lane is set aside, and people are told.
func (o *Owner) fault(ctx context.Context, h *held, cause any) error {
	h.panics++
	o.Log.Error("a lane caused a panic", "lane", h.ID.String(), "cause", fmt.Sprint(cause), "times", h.panics)
	if h.panics >= faults && h.Aside == "" {
		h.Aside = fmt.Sprintf("it caused %d panics; the last: %v", h.panics, cause)
		o.noteAside(ctx, h)
	}
	return fmt.Errorf("lane %s: panic: %v", h.ID, cause)
}

// noteAside tells people that nobody watches here any more. The note is written past
// Next and Apply, which may be what panics.
func (o *Owner) noteAside(ctx context.Context, h *held) {
	defer func() {
		if p := recover(); p != nil {
			o.Log.Error("that a lane is set aside cannot be told", "lane", h.ID.String(), "cause", fmt.Sprint(p))
		}
	}()
	e := Entry{
		Schema: Schema, Lane: h.ID, Kind: Noted, Topic: SetAside, At: time.Now().UTC(), Owner: o.Name, Epoch: o.Epoch,
		Seq: h.Last, Prev: h.Hash, Text: "nobody watches here until Bakewatch is started again: " + h.Aside,
	}
	if h.Watch != nil {
		e.Watch = h.Watch.Seq
	}
	written, err := o.Journal.Append(ctx, e)
	if err != nil {
		o.Log.Error("that a lane is set aside cannot be told", "lane", h.ID.String(), "err", err)
		return
	}
	h.Last, h.Hash = written.Seq, written.Hash
}
