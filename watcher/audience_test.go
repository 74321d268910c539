package watcher_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// jargon is what nobody but the team can read: numbers with units, rules, commands.
var jargon = regexp.MustCompile(`%|\d of \d|\brule\b|bakewatch |errors|breached|verdict|executor|_total|\{`)

func TestEveryAudienceIsToldInItsOwnWords(t *testing.T) {
	const golden = "testdata/audiences.golden"
	var text strings.Builder
	for _, c := range messages {
		l := newLab(t, plan(discreet))
		l.change = secretive
		c.play(l)
		entries := ofItsWatch(l.journal())
		m, audiences := watcher.Render(entries)
		if len(audiences) == 0 {
			continue
		}
		fmt.Fprintf(&text, "## %s\nattention: %s\n", c.name, m.Attention)
		if m.Supersedes != nil {
			fmt.Fprintf(&text, "supersedes: %+v\n", *m.Supersedes)
		}
		for _, to := range []actions.Audience{actions.Page, actions.Stakeholders} {
			if slices.Contains(audiences, to) {
				told := watcher.Address(m, to, entries[len(entries)-1])
				fmt.Fprintf(&text, "%s, %s: %s\n", to, told.Level, told.Text())
				check(t, c.name, told)
			}
		}
		if chat := watcher.Address(m, actions.Chat, entries[len(entries)-1]); chat.Text() != m.Text() || chat.Audience != actions.Chat {
			t.Errorf("%s: a chat is not told everything", c.name)
		}
		text.WriteString("\n")
	}
	asInFile(t, golden, text.String())
}

func check(t *testing.T, name string, m actions.Message) {
	t.Helper()
	switch m.Audience {
	case actions.Page:
		if len(m.Lines) > 3 {
			t.Errorf("%s: a page of %d lines", name, len(m.Lines))
		}
	case actions.Stakeholders:
		if found := jargon.FindString(m.Text()); found != "" {
			t.Errorf("%s: stakeholders read %q in: %s", name, found, m.Text())
		}
		if m.Question != nil || m.Links["runbook"] != "" || m.Level == actions.Urgent {
			t.Errorf("%s: stakeholders are asked for something: %+v", name, m)
		}
	case actions.Chat:
	}
}

func TestStakeholdersAreAskedNothing(t *testing.T) {
	m := actions.Message{Service: "checkout", Level: actions.Urgent, Question: &actions.Asked{}, Links: map[string]string{"runbook": "https://x", "notes": "https://y"}}
	check(t, "decided", watcher.Address(m, actions.Stakeholders, watcher.Entry{Kind: watcher.Decided}))
	if m.Question == nil || len(m.Links) != 2 {
		t.Errorf("the message itself was changed: %+v", m)
	}
}

func TestAPageThatIsCutSaysWhereAllOfItStands(t *testing.T) {
	long := actions.Message{Watch: "12", Lines: []string{strings.Repeat("é", 300), "two", "three"}}
	got := watcher.Address(long, actions.Page, watcher.Entry{})
	want := []string{strings.Repeat("é", 240) + "…", "two", "All of it: bakewatch explain 12"}
	if !slices.Equal(got.Lines, want) {
		t.Errorf("got %q", got.Lines)
	}
	if whole := watcher.Address(actions.Message{Watch: "12", Lines: []string{"one"}}, actions.Page, watcher.Entry{}); len(whole.Lines) != 1 {
		t.Errorf("nothing was cut, but: %q", whole.Lines)
	}
}

func TestWhatIsOpenEndsWhenNobodyIsNeededAnyMore(t *testing.T) {
	for name, c := range map[string]struct {
		want actions.Attention
		play func(l *lab)
	}{
		"a question needs people": {actions.Needed, func(l *lab) { asks(rules.SilenceKeeps)(l.plan); l.asks() }},
		"one that is withdrawn is over": {actions.Over, func(l *lab) {
			asks(rules.SilenceKeeps)(l.plan)
			l.asks().look(rules.Healthy)
		}},
		"a rollback under way needs nobody":       {actions.Spared, func(l *lab) { l.pass("2.3.9").only(watcher.Decided).bad("2.4.0") }},
		"one that failed does":                    {actions.Needed, func(l *lab) { l.acts().only(watcher.Done).done(actions.ResultFailed) }},
		"and stays open when its watch has ended": {"", func(l *lab) { l.acts().done(actions.ResultFailed) }},
		"a rollback that helped is over": {actions.Over, func(l *lab) {
			l.acts().done(actions.ResultDone)
			l.look(rules.Healthy)
		}},
		"one that did not help stays open": {"", func(l *lab) {
			l.acts().done(actions.ResultDone)
			l.after(time.Hour).look(rules.Breached)
		}},
		"what healed is not over while nobody can see": {"", func(l *lab) {
			l.event("2.4.0", rules.Finished)
			watch := l.entries[0].Seq
			l.entries = append(l.entries,
				watcher.Entry{Lane: lane, Kind: watcher.Noted, Topic: watcher.WentBlind, At: l.now, Watch: watch, Seq: watch + 1},
				watcher.Entry{Lane: lane, Kind: watcher.Ruled, Ruling: &authority.Ruling{Authority: -1}, At: l.now, Watch: watch, Seq: watch + 2})
		}},
		"sight that is back is over": {actions.Over, func(l *lab) {
			l.event("2.4.0", rules.Finished)
			l.blind(l.now.Add(-30 * 60e9))
			l.only(watcher.Noted).look(rules.Healthy)
		}},
		"what people kept is over": {actions.Over, func(l *lab) {
			asks(rules.SilenceKeeps)(l.plan)
			l.asks().only(watcher.Noted).vote("ben", authority.Keep)
		}},
		"a vote alone changes nothing": {"", func(l *lab) {
			asks(rules.SilenceKeeps)(l.plan)
			l.asks().only(watcher.Voted).vote("ben", authority.RollBack)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plan())
			c.play(l)
			entries := l.journal()
			if m, _ := watcher.Render(ofItsWatch(entries)); m.Attention != c.want {
				t.Errorf("%s %s: %q, want %q", entries[len(entries)-1].Kind, m.Topic, m.Attention, c.want)
			}
		})
	}
}

func TestAVersionThatReplacesAnotherSaysWhichWatchIsOver(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps)))
	l.asks().event("2.5.0", rules.Finished)
	m, _ := watcher.Render(ofItsWatch(l.entries))
	if s := m.Supersedes; s == nil || s.Watch != "3" || s.Version != "2.4.0" || m.Watch == "3" {
		t.Errorf("watch %s supersedes %+v", m.Watch, s)
	}
	first := newLab(t, plan())
	first.event("2.4.0", rules.Finished)
	if m, _ := watcher.Render(first.entries); m.Supersedes != nil {
		t.Errorf("the first one supersedes %+v", m.Supersedes)
	}
}
