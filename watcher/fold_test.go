package watcher_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestAnEntryThatIsNotUnderstoodLeavesTheLaneAlone(t *testing.T) {
	open := func(l *lab) { l.pass("2.3.9").event("2.4.0", rules.Finished) }
	for name, c := range map[string]struct {
		before func(l *lab)
		entry  watcher.Entry
		why    string // empty: the lane goes on
	}{
		"of a kind of a later version that changes what may be done":   {open, watcher.Entry{Kind: "vetoed", Must: true}, "vetoed"},
		"of a kind of a later version, while a rollback is owed":       {func(l *lab) { l.acts() }, watcher.Entry{Kind: "vetoed", Must: true}, "vetoed"},
		"of a kind of a later version that changes nothing":            {open, watcher.Entry{Kind: "foretold"}, ""},
		"of a later schema that changes what may be done":              {open, watcher.Entry{Kind: watcher.Step, Must: true, Schema: 2, Deployment: &rules.Deployment{}}, "schema 2"},
		"of a later schema that changes nothing":                       {open, watcher.Entry{Kind: watcher.Verdicts, Schema: 2}, ""},
		"a note of a later version that changes what may be done":      {open, watcher.Entry{Kind: watcher.Noted, Must: true, Topic: "mistaken"}, "mistaken"},
		"a note of a later version that changes nothing":               {open, watcher.Entry{Kind: watcher.Noted, Topic: "fun"}, ""},
		"opened without a plan":                                        {func(*lab) {}, watcher.Entry{Kind: watcher.Opened, Deployment: &rules.Deployment{}}, "no plan"},
		"opened without a deployment":                                  {func(*lab) {}, watcher.Entry{Kind: watcher.Opened, Plan: plan()}, "no deployment"},
		"a step of nothing":                                            {open, watcher.Entry{Kind: watcher.Step}, "no deployment"},
		"ruled without a ruling":                                       {open, watcher.Entry{Kind: watcher.Ruled}, "no ruling"},
		"reminded of nothing":                                          {open, watcher.Entry{Kind: watcher.Reminded}, "no reminder"},
		"spent nothing":                                                {open, watcher.Entry{Kind: watcher.Spent}, "no spending"},
		"voted without a vote":                                         {open, watcher.Entry{Kind: watcher.Voted}, "no vote"},
		"decided without a ruling":                                     {open, watcher.Entry{Kind: watcher.Decided, Decision: &watcher.Decision{}}, "no ruling"},
		"decided without a decision":                                   {open, watcher.Entry{Kind: watcher.Decided, Ruling: &authority.Ruling{}}, "no decision"},
		"intended without an intent":                                   {open, watcher.Entry{Kind: watcher.Intended}, "no intent"},
		"intended before it was decided":                               {open, watcher.Entry{Kind: watcher.Intended, Intent: &actions.Intent{}}, "stands where"},
		"done without an outcome":                                      {open, watcher.Entry{Kind: watcher.Done}, "no outcome"},
		"done before it was intended":                                  {open, watcher.Entry{Kind: watcher.Done, Done: &actions.Outcome{}}, "stands where"},
		"verified before it was done":                                  {open, watcher.Entry{Kind: watcher.Verified}, "stands where"},
		"told nothing":                                                 {open, watcher.Entry{Kind: watcher.Told}, "no delivery"},
		"a newer deployment that waits, without a plan":                {open, watcher.Entry{Kind: watcher.Noted, Topic: watcher.NewerWaits, Deployment: &rules.Deployment{}}, "no plan"},
		"a newer deployment that waits, without it":                    {open, watcher.Entry{Kind: watcher.Noted, Topic: watcher.NewerWaits, Plan: plan()}, "no deployment"},
		"a deployment without a plan that is not said":                 {open, watcher.Entry{Kind: watcher.Noted, Topic: watcher.NoPlan}, "no deployment"},
		"closed without a ledger keeps what is known":                  {open, watcher.Entry{Kind: watcher.Closed}, ""},
		"verdicts without a watch, as at the cut-off end of a journal": {func(*lab) {}, watcher.Entry{Kind: watcher.Verdicts}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plan())
			c.before(l)
			c.entry.Lane, c.entry.Seq = lane, 99
			l.Lane = l.Apply(c.entry)
			if (l.Aside != "") != (c.why != "") || !strings.Contains(l.Aside, c.why) {
				t.Fatalf("left alone because of %q, want %q", l.Aside, c.why)
			}
			if l.Last != 99 {
				t.Errorf("the last entry is %d", l.Last)
			}
			if c.why == "" {
				return
			}
			if got := l.after(time.Hour).look(rules.Healthy) + l.event("3", rules.Finished); got != "" {
				t.Errorf("wrote %q", got)
			}
			if _, owed := l.Todo(); owed {
				t.Error("something is owed")
			}
			closed := watcher.Entry{Lane: lane, Kind: watcher.Closed, Seq: 100, Ledger: &watcher.Ledger{Live: "7"}}
			if l.Lane = l.Apply(closed); l.Aside != "" || l.Ledger.Live != "7" {
				t.Errorf("after the watch was closed elsewhere: %q, %+v", l.Aside, l.Ledger)
			}
		})
	}
}

// FuzzFold folds any entries, as a journal that was damaged or written by another
// version may hold them: nothing may panic, and a lane that makes no sense does nothing.
func FuzzFold(f *testing.F) {
	f.Fuzz(func(t *testing.T, text []byte) {
		var entries []watcher.Entry
		for line := range bytes.Lines(text) {
			var e watcher.Entry
			if json.Unmarshal(line, &e) != nil {
				continue
			}
			e.Lane, e.Seq = lane, uint64(len(entries)+1)
			entries = append(entries, e)
			watcher.Render(entries)
		}
		l := watcher.Fold(lane, entries)
		if _, owed := l.Todo(); owed && l.Aside != "" {
			t.Error("a lane that is left alone owes something")
		}
		for _, in := range everyInput(l) {
			settles(t, l, in)
		}
	})
}

// everyInput returns one input of every sort.
func everyInput(l watcher.Lane) []watcher.Input {
	d := rules.Deployment{ID: "fuzz", Service: "checkout", Environment: "production", Version: "9", Step: rules.Finished}
	inputs := []watcher.Input{
		{},
		{Event: &watcher.Announced{Deployment: d, Plan: plan()}},
		{Event: &watcher.Announced{Deployment: d}},
		{Cancel: &watcher.Request{}},
		{Told: &watcher.Delivery{}},
		{Vote: &authority.Vote{}},
		{Done: &actions.Outcome{}},
	}
	if w := l.Watch; w != nil {
		own := w.Deployment
		own.Step = rules.Cancelled
		answers := []rules.Answer{{Rule: "errors", Verdict: rules.Breached, Ceiling: rules.Auto}}
		inputs = append(inputs,
			watcher.Input{Look: &watcher.Look{Watch: w.Seq, Answers: answers}},
			watcher.Input{Look: &watcher.Look{Watch: w.Seq, Verify: true, Calm: 9}},
			watcher.Input{Event: &watcher.Announced{Deployment: own}})
		if w.Intent != nil {
			inputs = append(inputs, watcher.Input{Done: &actions.Outcome{Key: w.Intent.Key, Result: actions.ResultDone}})
		}
	}
	return inputs
}

// settles asserts that an input leads to a bounded number of entries.
func settles(t *testing.T, l watcher.Lane, in watcher.Input) {
	t.Helper()
	in.Now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for range mostEntries {
		e, ok := l.Next(in)
		if !ok {
			return
		}
		e.Seq++
		l = l.Apply(e)
	}
	t.Errorf("%+v leads to more than %d entries", in, mostEntries)
}
