package watcher

import (
	"fmt"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// wish asks, at a person's wish, whether to roll back: the same authority decides as
// over a breach.
func (l Lane) wish(in Input) (Entry, bool) {
	if in.Begin == nil {
		return Entry{}, false
	}
	ruling, err := l.wished(in)
	return Entry{Kind: Ruled, Ruling: &ruling}, err == nil
}

// Askable says why a person's wish to roll back is not even asked about; nil: it is.
func (l Lane) Askable(in Input) error {
	_, err := l.wished(in)
	return err
}

// wished is the ruling on a person's wish, or why there is none.
func (l Lane) wished(in Input) (authority.Ruling, error) {
	w := l.Watch
	switch {
	case l.Aside != "":
		return authority.Ruling{}, fmt.Errorf("%w: lane %s is set aside: %s", ErrRefused, l.ID, l.Aside)
	case w == nil:
		return authority.Ruling{}, fmt.Errorf("%w: no watch of %s is open", ErrRefused, l.ID)
	case w.Decision != nil:
		return authority.Ruling{}, fmt.Errorf("%w: the watch of %s is %s", ErrRefused, l.ID, w.Phase())
	case w.Question != nil:
		return authority.Ruling{}, fmt.Errorf("%w: people are asked already, in question %d: answer that", ErrRefused, w.Question.Seq)
	}
	c := l.caseOf(in, nil)
	c.Begun = &authority.Begun{By: in.Begin.By, Reason: in.Begin.Reason, At: in.Now}
	ruling := authority.Decide(c)
	ruling.Answers = w.Answers
	if ruling.Power >= rules.Ask {
		return ruling, nil
	}
	err := fmt.Errorf("%w: nobody may be asked to roll %s back", ErrRefused, l.ID)
	for _, ceiling := range ruling.Ceilings {
		if ceiling.Power < rules.Ask {
			err = fmt.Errorf("%w: %s", err, ceiling.Why)
		}
	}
	return ruling, err
}

// wrong records that a breach was a false alarm.
func (l Lane) wrong(in Input) (Entry, bool) {
	if in.Wrong == nil || l.Ledger.wrong(in.Wrong.Watch) || l.Watch != nil && l.Watch.Seq == in.Wrong.Watch {
		return Entry{}, false
	}
	text := fmt.Sprintf("%s says that watch %d was a false alarm: %s", in.Wrong.By, in.Wrong.Watch, in.Wrong.Reason)
	return Entry{Kind: Noted, Topic: Wrong, About: in.Wrong.Watch, Text: text}, true
}
