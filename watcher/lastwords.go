package watcher

import (
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// mostLastWords is how many bytes the last answers of a watch's rules may take where it ends.
const mostLastWords = 8 << 10

// ends says that the entry ends the open watch.
func (e Entry) ends() bool { return e.Kind == Closed || e.Kind == Opened && e.Outcome != "" }

// lastWords are what the rules of the open watch said last. After a rollback they speak
// of its target, and the ruling and the verification have told.
func (l Lane) lastWords(in Input, outcome Outcome) []rules.Answer {
	w := l.Watch
	switch {
	case w == nil || w.Done != nil:
		return nil
	case l.judges(in) && outcome != Superseded && outcome != CancelledWatch:
		return shortened(atEnd(in.Look.Answers)) // the bake is over: they are what it ended by
	case in.Said != nil:
		return shortened(in.Said)
	}
	return shortened(w.Answers)
}

// shortened leaves out of the answers what people miss least until they are short enough: the
// curves, the queries, what they were held against, and at last whole answers.
func shortened(answers []rules.Answer) []rules.Answer {
	answers = plain(answers)
	size := sizeOf(answers)
	for _, cut := range []func(*rules.Answer){
		func(a *rules.Answer) { a.Query = "" },
		func(a *rules.Answer) { a.Compared, a.Weather = nil, nil },
	} {
		for i := len(answers) - 1; i >= 0 && size > mostLastWords; i-- {
			size -= sizeOf(answers[i])
			cut(&answers[i])
			size += sizeOf(answers[i])
		}
	}
	for len(answers) > 0 && size > mostLastWords {
		last := len(answers) - 1
		size -= sizeOf(answers[last]) + len(",")
		answers = slices.Clip(answers[:last])
	}
	return answers
}

// saidLast returns the last words of a watch among entries of its lane.
func saidLast(watch uint64, entries []Entry) []rules.Answer {
	for _, e := range entries {
		if e.ends() && (e.Watch == watch || e.Kind == Opened && e.Seq > watch) {
			return e.Answers
		}
	}
	return nil
}
