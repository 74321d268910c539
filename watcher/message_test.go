package watcher_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

var update = flag.Bool("update", false, "write the golden files anew")

// secret stands wherever something is kept that no message may show.
const secret = "s3cr3t"

// discreet is a plan and its deployments with secrets where only executors may see them.
func discreet(p *rules.Plan) {
	p.Rollbacks[0].With = map[string]any{"token": secret}
	p.Rollbacks[0].Runbook = "https://wiki/checkout"
	p.Labels = map[string]string{"hidden": secret}
}

func secretive(d *rules.Deployment) {
	d.Labels = map[string]string{"hidden": secret}
	d.Extra = map[string]json.RawMessage{"token": json.RawMessage(`"` + secret + `"`)}
}

// messages are the journals whose last entry is told, one for every kind of entry and note.
var messages = []struct {
	name string
	play func(l *lab)
}{
	{"opened", func(l *lab) { l.pass("2.3.9").event("2.4.0", rules.Finished) }},
	{"opened, of a first version that nobody signed", func(l *lab) {
		l.event("2.4.0", rules.Started, func(d *rules.Deployment) { d.By = "" })
	}},
	{"opened, of a version that was rolled back here", func(l *lab) {
		l.acts().done(actions.ResultDone)
		l.look(rules.Healthy)
		l.event("2.4.0", rules.Finished, id("again"))
	}},
	{"opened, over an open question", func(l *lab) { asks(rules.SilenceKeeps)(l.plan); l.asks().event("2.5.0", rules.Finished) }},
	{"step", func(l *lab) { l.event("2.4.0", rules.Started); l.event("2.4.0", rules.Finished) }},
	{"verdicts", func(l *lab) { l.event("2.4.0", rules.Finished); l.after(time.Minute).look(rules.Healthy) }},
	{"ruled: asked", func(l *lab) { asks(rules.SilenceRollsBack)(l.plan); l.asks() }},
	{"ruled: asked, and nobody said who deployed", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.pass("2.3.9").event("2.4.0", rules.Finished, func(d *rules.Deployment) { d.By = "" })
		l.look(rules.Breached)
	}},
	{"ruled: a countdown", func(l *lab) { vetoes(l.plan); l.asks() }},
	{"ruled: asked, with all that one should know", func(l *lab) {
		asks(rules.SilenceRollsBack)(l.plan)
		escalates(l.plan)
		l.plan.Rollbacks[0].Takes = minutes(1)
		l.acts0("2.4.0")
		l.after(time.Hour).event("2.5.0", rules.Finished)
		l.after(time.Minute).give(watcher.Input{Look: l.breach(), Rota: watcher.Rota{StandIns: map[string]string{"oncall": "PagerDuty does not answer"}}})
	}},
	{"ruled: asked, instead of a rollback", func(l *lab) { asks(rules.SilenceKeeps)(l.plan); contingent(l.plan); l.asks() }},
	{"ruled: asked by hand", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.pass("2.3.9").event("2.4.0", rules.Finished)
		l.give(watcher.Input{Begin: &watcher.Request{By: "zoe", Reason: "customers cannot pay"}})
	}},
	{"reminded: half-time", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.asks().told()
		l.after(5 * time.Minute).give(watcher.Input{})
	}},
	{"reminded: last minute of a countdown", func(l *lab) {
		vetoes(l.plan)
		l.asks().told()
		l.after(9*time.Minute + 30*time.Second).give(watcher.Input{})
	}},
	{"reminded: escalated", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		escalates(l.plan)
		l.asks().told()
		l.after(11 * time.Minute).give(watcher.Input{})
	}},
	{"noted: refused", func(l *lab) { asks(rules.SilenceKeeps)(l.plan); l.asks().vote("mallory", authority.RollBack) }},
	{"noted: healed", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.plan.Authorities[0].Withdraw = false
		l.asks().look(rules.Healthy)
	}},
	{"noted: wrong", func(l *lab) {
		l.acts().done(actions.ResultDone)
		l.after(time.Minute).look(rules.Healthy)
		l.give(watcher.Input{Wrong: &watcher.Request{By: "zoe", Reason: "the load balancer", Watch: l.Ledger.Past[1].Watch}})
	}},
	{"voted: looking", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.asks().only(watcher.Voted).vote("ben", authority.Looking)
	}},
	{"decided: nobody objected", func(l *lab) {
		vetoes(l.plan)
		l.asks().told()
		l.after(11 * time.Minute).only(watcher.Decided).look(rules.Breached)
	}},
	{"decided: something else", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		contingent(l.plan)
		l.asks().only(watcher.Decided).vote("ben", authority.RollBack)
	}},
	{"done: something else", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		contingent(l.plan)
		l.asks().vote("ben", authority.RollBack)
		l.only(watcher.Done).done(actions.ResultDone)
	}},
	{"ruled: withdrawn", func(l *lab) { asks(rules.SilenceKeeps)(l.plan); l.asks().look(rules.Healthy) }},
	{"ruled: told", func(l *lab) { l.plan.Rules[0].Mode = rules.ModeNotify; l.pass("2.3.9").bad("2.4.0") }},
	{"ruled: told, where nobody chats", func(l *lab) {
		l.plan.Rules[0].Mode, l.plan.Notify = rules.ModeNotify, rules.Notification{Page: []string{"pager"}}
		l.pass("2.3.9").bad("2.4.0")
	}},
	{"ruled: told, since there is nothing to go back to", func(l *lab) { l.bad("2.4.0") }},
	{"ruled: healed", func(l *lab) { l.plan.Rules[0].Mode = rules.ModeNotify; l.bad("2.4.0"); l.look(rules.Healthy) }},
	{"ruled: shadow", func(l *lab) { l.plan.Rules[0].Mode = rules.Shadow; l.bad("2.4.0") }},
	{"voted", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.asks().only(watcher.Voted).vote("ben", authority.RollBack)
	}},
	{"decided by votes", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.asks().only(watcher.Decided).vote("ben", authority.RollBack)
	}},
	{"decided by authority", func(l *lab) { l.pass("2.3.9").only(watcher.Decided).bad("2.4.0") }},
	{"decided, and why it is this deployment", func(l *lab) {
		l.pass("2.3.9").only(watcher.Decided).blamed(rules.ThisDeployment, "only 2.4.0's instances", "nothing else was deployed")
	}},
	{"ruled: asked, and why it is this deployment", func(l *lab) {
		asks(rules.SilenceRollsBack)(l.plan)
		l.pass("2.3.9").blamed(rules.ThisDeployment, "only 2.4.0's instances", "nothing else was deployed")
	}},
	{"ruled: asked, since nobody can tell who is to blame", func(l *lab) {
		asks(rules.SilenceRollsBack)(l.plan)
		l.pass("2.3.9").blamed(rules.CannotTell, "payments 3.1.0 went live when it began")
	}},
	{"ruled: told, since it is ambient", func(l *lab) { l.pass("2.3.9").blamed(rules.Ambient, "2.3.9's instances fail as well") }},
	{"intended", func(l *lab) { l.acts() }},
	{"done", func(l *lab) { l.acts().done(actions.ResultDone) }},
	{"done: failed", func(l *lab) { l.acts().only(watcher.Done).done(actions.ResultFailed) }},
	{"done: unknown", func(l *lab) { l.acts().only(watcher.Done).done(actions.ResultUnknown) }},
	{"done: unknown, but an event says so", func(l *lab) {
		l.acts().event("2.3.9", rules.RolledBack)
		l.only(watcher.Done).done(actions.ResultUnknown)
	}},
	{"verified", func(l *lab) {
		l.acts().done(actions.ResultDone)
		l.after(time.Minute).only(watcher.Verified).look(rules.Healthy)
	}},
	{"verified: not recovered", func(l *lab) {
		l.acts().done(actions.ResultDone)
		l.after(time.Hour).only(watcher.Verified).look(rules.Breached)
	}},
	{"verified: cannot tell", func(l *lab) {
		l.acts().done(actions.ResultDone)
		l.after(time.Hour).only(watcher.Verified).look(rules.Blind)
	}},
	{"verified, with proof", func(l *lab) {
		l.acts().event("2.3.9", rules.RolledBack)
		l.done(actions.ResultDone)
		l.after(time.Minute).only(watcher.Verified).look(rules.Healthy)
	}},
	{"told", func(l *lab) { asks(rules.SilenceKeeps)(l.plan); l.asks().told() }},
	{"told: failed", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		l.give(watcher.Input{Told: &watcher.Delivery{Channel: "pager", About: 1, Failed: "503 Service Unavailable"}})
	}},
	{"noted: no plan", func(l *lab) { l.plan = nil; l.event("2.4.0", rules.Finished) }},
	{"noted: older event", func(l *lab) { l.pass("2.4.0").event("2.3.9", rules.Finished, at(l.now.Add(-3*time.Hour))) }},
	{"noted: newer cancelled", func(l *lab) { l.acts().event("2.5.0", rules.Started); l.event("2.5.0", rules.Cancelled) }},
	{"closed: cancelled over an open question", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.asks().give(watcher.Input{Cancel: &watcher.Request{By: "ben", Reason: "load test"}})
	}},
	{"noted: newer waits", func(l *lab) { l.acts().event("2.5.0", rules.Finished) }},
	{"noted: blind", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		l.after(10 * time.Minute).only(watcher.Noted).blind(l.now.Add(-5 * time.Minute))
	}},
	{"noted: sees again", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		l.after(10 * time.Minute).blind(l.now.Add(-5 * time.Minute))
		l.only(watcher.Noted).look(rules.Healthy)
	}},
	{"noted: still rolling", func(l *lab) {
		l.event("2.4.0", rules.Started)
		l.after(time.Hour).only(watcher.Noted).look(rules.Healthy)
	}},
	{"noted: extended", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		l.after(time.Hour).only(watcher.Noted).look(rules.LowTraffic)
	}},
	{"noted: kept", func(l *lab) { asks(rules.SilenceKeeps)(l.plan); l.asks().vote("ben", authority.Keep) }},
	{"noted: silence", func(l *lab) {
		asks(rules.SilenceKeeps)(l.plan)
		l.asks().told()
		l.after(time.Hour).give(watcher.Input{})
	}},
	{"noted: unheard", func(l *lab) { asks(rules.SilenceKeeps)(l.plan); l.asks().after(time.Hour).give(watcher.Input{}) }},
	{"noted: set aside", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		l.acknowledge(watcher.Entry{Lane: lane, Kind: watcher.Noted, Topic: watcher.SetAside, At: l.now, Watch: 1, Text: "nobody watches here"})
	}},
	{"noted: something of a later version", func(l *lab) {
		l.acknowledge(watcher.Entry{Lane: lane, Kind: watcher.Noted, Topic: "fun", At: l.now, Text: "fun"})
	}},
	{"closed: passed", func(l *lab) { l.pass("2.4.0") }},
	{"closed: rolled back", func(l *lab) { l.acts().done(actions.ResultDone); l.look(rules.Healthy) }},
	{"closed: rollback failed", func(l *lab) { l.acts().done(actions.ResultFailed) }},
	{"closed: unknown", func(l *lab) { l.acts().done(actions.ResultUnknown) }},
	{"closed: left", func(l *lab) { l.bad("2.4.0"); l.after(time.Hour).look(rules.Breached) }},
	{"closed: undecided", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		for range 3 {
			l.after(time.Hour).look(rules.NoData)
		}
	}},
	{"closed: cancelled", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		l.give(watcher.Input{Cancel: &watcher.Request{By: "ben", Reason: "load test"}})
	}},
	{"closed: superseded by what nobody watches", func(l *lab) {
		l.event("2.4.0", rules.Finished)
		l.plan = nil
		l.only(watcher.Closed).after(time.Minute).event("2.5.0", rules.Finished)
	}},
}

// bad deploys a version and finds it breached.
func (l *lab) bad(version string) {
	l.t.Helper()
	l.event(version, rules.Finished)
	l.after(time.Minute).look(rules.Breached)
}

// blamed opens a watch and breaks its rule, with an answer to who is to blame.
func (l *lab) blamed(blame rules.Blame, why ...string) {
	l.event("2.4.0", rules.Finished, func(d *rules.Deployment) { d.Previous = "2.3.9" })
	l.after(time.Minute).give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq, Answers: []rules.Answer{{
		Rule: "errors", Verdict: rules.Breached, Ceiling: rules.Auto, Why: "errors 4.1 % (41 of 1000) against 0.3 % on 2.3.9 in the same minutes",
		Attribution: rules.Attribution{Blame: blame, Why: why},
	}}}})
}

func (l *lab) blind(since time.Time) {
	l.t.Helper()
	answers := []rules.Answer{{Rule: "errors", Verdict: rules.Blind, Why: "503"}}
	l.give(watcher.Input{Look: &watcher.Look{Watch: l.Watch.Seq, Answers: answers, BlindSince: since}})
}

// only makes the journal end after the next entry of this kind.
func (l *lab) only(kind watcher.Kind) *lab { l.last = kind; l.since = len(l.entries); return l }

// journal returns the entries that the message is about.
func (l *lab) journal() []watcher.Entry {
	for i, e := range l.entries {
		if i >= l.since && e.Kind == l.last {
			return l.entries[:i+1]
		}
	}
	return l.entries
}

// ofItsWatch returns the entries of the last one's watch, as a channel gets them.
func ofItsWatch(entries []watcher.Entry) []watcher.Entry {
	last := entries[len(entries)-1]
	watch := last.Watch
	if last.Kind == watcher.Opened {
		watch = last.Seq
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e watcher.Entry) bool {
		return e.Seq != last.Seq && (watch == 0 || e.Watch != watch && e.Seq != watch)
	})
}

func TestEveryKindOfEntryIsToldAsTheGoldenFileSays(t *testing.T) {
	const golden = "testdata/messages.golden"
	var text strings.Builder
	for _, c := range messages {
		l := newLab(t, plan(discreet))
		l.change = secretive
		c.play(l)
		entries := l.journal()
		m, audiences := watcher.Render(ofItsWatch(entries))
		fmt.Fprintf(&text, "## %s\n%v %s %s %s\n", c.name, audiences, m.Level, m.Topic, m.Target)
		if len(audiences) > 0 {
			fmt.Fprintf(&text, "%s\n", m.Text())
		}
		if m.Question != nil {
			fmt.Fprintf(&text, "%+v\n", *m.Question)
		}
		text.WriteString("\n")
		all, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(all), secret) {
			t.Errorf("%s: the message holds a secret: %s", c.name, all)
		}
		if len(audiences) > 0 && (m.Title == "" || m.Service != "checkout" || m.At.IsZero() || m.Level == "") {
			t.Errorf("%s: %+v", c.name, m)
		}
	}
	asInFile(t, golden, text.String())
}

// asInFile compares what is told with what a file says, or writes it there with -update.
func asInFile(t *testing.T, file, text string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if text != string(want) {
		t.Errorf("what is told has changed; go test ./watcher -update writes it anew, look at the difference:\n%s", text)
	}
}

func TestEveryKindOfEntryAndEveryNoteHasAMessageInTheGoldenFile(t *testing.T) {
	shown := map[watcher.Kind]bool{}
	for _, c := range messages {
		l := newLab(t, plan())
		c.play(l)
		entries := l.journal()
		shown[entries[len(entries)-1].Kind] = true
	}
	for _, kind := range watcher.Kinds() {
		if !shown[kind] && kind != watcher.Spent { // that is of the budget's lane, which nobody is told about
			t.Errorf("none of %s", kind)
		}
	}
}

func TestAMessageAboutAWatchWhoseBeginningIsGoneIsNotMadeUp(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps)))
	l.asks().vote("ben", authority.RollBack)
	l.done(actions.ResultDone)
	l.look(rules.Healthy)
	for i := range l.entries {
		watcher.Render(l.entries[i : i+1]) // must not panic
	}
	for _, e := range l.entries {
		if _, audiences := watcher.Render([]watcher.Entry{e}); e.Kind == watcher.Decided && len(audiences) > 0 {
			t.Errorf("%s is told to %v", e.Kind, audiences)
		}
	}
	if _, audiences := watcher.Render(nil); audiences != nil {
		t.Error("nothing is told")
	}
}

func TestAChannelGetsAMessageOnceForTheMostUrgentAudienceItServes(t *testing.T) {
	n := rules.Notification{Page: []string{"pager", "both"}, Chat: []string{"slack", "both"}, Stakeholders: []string{"mail"}}
	everyone := []actions.Audience{actions.Page, actions.Chat, actions.Stakeholders}
	for name, c := range map[string]struct {
		channel   string
		audiences []actions.Audience
		want      actions.Audience
	}{
		"a pager":                     {"pager", everyone, actions.Page},
		"a chat":                      {"slack", everyone, actions.Chat},
		"mail":                        {"mail", everyone, actions.Stakeholders},
		"one that is both":            {"both", everyone, actions.Page},
		"one that is both, for chat":  {"both", []actions.Audience{actions.Chat}, actions.Chat},
		"a pager, for chat":           {"pager", []actions.Audience{actions.Chat, actions.Stakeholders}, ""},
		"a channel that nobody named": {"other", everyone, ""},
		"a message for nobody":        {"both", nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := watcher.For(c.channel, n, c.audiences)
			if got != c.want || ok != (c.want != "") {
				t.Errorf("got %q, %v", got, ok)
			}
		})
	}
}

func TestThePlanOfAWatchIsFoundInItsEntries(t *testing.T) {
	l := newLab(t, plan())
	l.event("2.4.0", rules.Finished)
	if p := watcher.PlanOf(l.entries); p == nil || p.Owner != "team-checkout" {
		t.Errorf("got %+v", p)
	}
	if p := watcher.PlanOf(l.entries[1:]); p != nil {
		t.Errorf("got %+v", p)
	}
}

func TestAnEntrySurvivesTheJournal(t *testing.T) {
	for _, c := range messages {
		l := newLab(t, plan(discreet))
		l.change = secretive
		c.play(l)
		for _, e := range l.entries {
			once, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			var back watcher.Entry
			if err := json.Unmarshal(once, &back); err != nil {
				t.Fatal(err)
			}
			if twice, err := json.Marshal(back); err != nil || string(once) != string(twice) {
				t.Errorf("%s: %v\n%s\n%s", e.Kind, err, once, twice)
			}
		}
	}
}
