package watcher

import (
	"slices"
	"time"
)

// remind reminds the people of an open question: once at half of their time, and once
// in its last minute. Very short times need no reminder.
func (l Lane) remind(in Input) (Entry, bool) {
	w := l.Watch
	if w == nil || w.Question == nil {
		return Entry{}, false
	}
	began, _ := w.Question.Began()
	deadline, runs := w.Question.Deadline()
	whole := deadline.Sub(began)
	switch {
	case !runs || !in.Now.Before(deadline):
		return Entry{}, false
	case whole > 2*time.Minute && deadline.Sub(in.Now) <= time.Minute:
		return w.reminds(LastMinute, ""), !w.wasReminded(LastMinute)
	case whole >= time.Minute && in.Now.Sub(began) >= whole/2:
		return w.reminds(HalfTime, ""), !w.wasReminded(HalfTime)
	}
	return Entry{}, false
}

func (w *Watch) reminds(of Occasion, to string) Entry {
	return Entry{Kind: Reminded, Reminder: &Reminder{Question: w.Question.Seq, Of: of, Level: w.Question.Level, To: to}}
}

// wasReminded says whether those of the question's level were reminded of this.
func (w *Watch) wasReminded(of Occasion) bool {
	return slices.ContainsFunc(w.Reminded, func(r Reminder) bool { return r.Of == of && r.Level == w.Question.Level })
}
