package watcher

import (
	"slices"

	"github.com/bakewatch/bakewatch/actions"
)

// ThreadOf returns what a channel has told about a watch, and how the watch stands.
// The entries are the lane's, from the watch's `opened` up to now.
func ThreadOf(watch uint64, entries []Entry, channel string) actions.Thread {
	own := lifeOf(watch, entries)
	thread := actions.Thread{State: stateOf(own)}
	for _, e := range entries {
		if e.Told == nil || e.Told.Channel != channel || !e.Told.confirmed() {
			continue
		}
		// A message may be recorded after the watch has ended, so every entry is looked at.
		at := slices.IndexFunc(own, func(about Entry) bool { return about.Seq == e.Told.About && about.ofThe(watch) })
		if at < 0 {
			continue
		}
		message, _ := Render(own[:at+1])
		message = Address(message, e.Told.Audience, own[at])
		thread.Told = append(thread.Told, actions.Told{About: e.Told.About, Receipt: e.Told.Receipt, Message: message})
	}
	return thread
}

// Of returns the watch that the entry belongs to; 0: none.
func (e Entry) Of() uint64 {
	if e.Kind == Opened {
		return e.Seq
	}
	return e.Watch
}

func (e Entry) ofThe(watch uint64) bool { return e.Of() == watch }

// lifeOf returns the entries of a watch up to its end: its `closed`, or the `opened`
// of the watch that came in its place.
func lifeOf(watch uint64, entries []Entry) (own []Entry) {
	for _, e := range entries {
		replaced := e.Kind == Opened && e.Seq > watch
		if e.ofThe(watch) || replaced {
			own = append(own, e)
		}
		if replaced || e.Kind == Closed && e.ofThe(watch) {
			break
		}
	}
	return own
}

// stateOf says how the watch of the entries stands after the last of them.
func stateOf(own []Entry) (state actions.State) {
	for i, e := range slices.Backward(own) {
		if !e.Turns() {
			continue
		}
		if message, audiences := Render(own[:i+1]); len(audiences) > 0 {
			state = actions.State{Since: e.Seq, Title: message.Title, Level: message.Level}
			break
		}
	}
	state.Open = openIn(own)
	return state
}

// openIn returns the question that is open after the entries, by the number that its
// message gives it: that may be another's, which stands for this one too.
func openIn(own []Entry) uint64 {
	if len(own) == 0 {
		return 0
	}
	w := Fold(own[0].Lane, own).Watch
	if w == nil || w.Question == nil {
		return 0
	}
	at := slices.IndexFunc(own, func(e Entry) bool { return e.Seq == w.Question.Seq })
	if message, _ := Render(own[:at+1]); message.Question != nil {
		return message.Question.Question
	}
	return w.Question.Seq
}

// Turns says whether the entry changes how its watch stands: what was told before may
// not hold any more.
func (e Entry) Turns() bool {
	switch e.Kind {
	case Opened, Ruled, Decided, Done, Verified, Closed:
		return true
	case Noted:
		return slices.Contains([]Topic{KeptByPeople, LeftBySilence, Unheard, Healed, Wrong}, e.Topic)
	default:
		return false
	}
}

// Superseded returns the watch that the entry has ended by opening its own; 0: none.
func (e Entry) Superseded() uint64 {
	if e.Kind != Opened || e.Outcome == "" || e.Ledger == nil || len(e.Ledger.Past) == 0 {
		return 0
	}
	return e.Ledger.Past[len(e.Ledger.Past)-1].Watch
}
