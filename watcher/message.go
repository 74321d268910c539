package watcher

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Render makes the message about the last of a watch's entries, and says who is to
// hear it. With no audience the entry is not worth a message. A lone entry that
// belongs to no watch (a deployment without a plan) renders as well.
func Render(entries []Entry) (actions.Message, []actions.Audience) {
	if len(entries) == 0 {
		return actions.Message{}, nil
	}
	last := entries[len(entries)-1]
	before := Fold(last.Lane, entries[:len(entries)-1])
	after := before.Apply(last)
	tell, known := tellers[last.Kind]
	switch w := cmp.Or(after.Watch, before.Watch); {
	case !known, after.Aside != "", w == nil && ofWatch[last.Kind]:
		return actions.Message{}, nil
	default:
		m := frame(w, last)
		t := tale{before.Watch, w, before.Ledger, last}
		audiences := tell(&m, t)
		m.Attention, m.Supersedes = attention(m.Level, t), superseded(last)
		return m, concerned(audiences, m, last)
	}
}

// ofWatch names the kinds that mean nothing without the watch they belong to.
var ofWatch = map[Kind]bool{Ruled: true, Voted: true, Reminded: true, Decided: true, Done: true, Verified: true}

// tale is what a message is made of: the entry, and the watch before and after it
// (after it was closed: as it was before).
type tale struct {
	before, after *Watch
	ledger        Ledger // of the lane, before
	Entry
}

// For says for which audience a channel gets the message under a plan's [notify]:
// the first of page, chat and stakeholders that the channel serves.
func For(channel string, n rules.Notification, audiences []actions.Audience) (actions.Audience, bool) {
	for _, serves := range []struct {
		audience actions.Audience
		channels []string
	}{{actions.Page, n.Page}, {actions.Chat, n.Chat}, {actions.Stakeholders, n.Stakeholders}} {
		if slices.Contains(audiences, serves.audience) && slices.Contains(serves.channels, channel) {
			return serves.audience, true
		}
	}
	return "", false
}

// PlanOf returns the plan under which the entries' watch was opened, or nil.
func PlanOf(entries []Entry) *rules.Plan {
	for _, e := range entries {
		if e.Kind == Opened {
			return e.Plan
		}
	}
	return nil
}

// frame is what every message says of its watch, which may be nil.
func frame(w *Watch, e Entry) actions.Message {
	m := actions.Message{
		Topic: string(e.Kind), Level: actions.Neutral, At: e.At,
		Service: e.Lane.Service, Environment: e.Lane.Environment,
	}
	if e.Kind == Noted {
		m.Topic = string(e.Topic)
	}
	if w == nil {
		if e.Deployment != nil {
			m.Version = e.Deployment.Version
		}
		return m
	}
	m.Version, m.Target, m.Owner, m.Watch = w.Deployment.Version, w.Target.Version, w.Plan.Owner, w.ID()
	m.Links = links(w)
	return m
}

func links(w *Watch) map[string]string {
	links := map[string]string{}
	for name, link := range w.Deployment.Links {
		if name != runbook { // what to do is the plan's to say, not an event's
			links[name] = link
		}
	}
	if rollback, ok := w.Plan.RollbackFor(w.Deployment.Strategy); ok && rollback.Runbook != "" {
		links[runbook] = rollback.Runbook
	}
	return links
}

const runbook = "runbook"

type teller func(m *actions.Message, e tale) []actions.Audience

var (
	everyone   = []actions.Audience{actions.Page, actions.Chat, actions.Stakeholders}
	team       = []actions.Audience{actions.Page, actions.Chat}
	chat       = []actions.Audience{actions.Chat}
	bystanders = []actions.Audience{actions.Chat, actions.Stakeholders}
)

// tellers say for each kind of entry what people are told, and who is.
var tellers = map[Kind]teller{
	Opened:   tellOpened,
	Ruled:    tellRuled,
	Voted:    tellVoted,
	Reminded: tellReminded,
	Decided:  tellDecided,
	Done:     tellDone,
	Verified: tellVerified,
	Noted:    tellNoted,
	Told:     tellTold,
	Closed:   tellClosed,
}

func tellOpened(m *actions.Message, e tale) []actions.Audience {
	d := e.Deployment
	m.Title = fmt.Sprintf("%s %s → %s (%s) is being watched", d.Service, orNothing(d.Previous), d.Version, d.Environment)
	bake := fmt.Sprintf("Baking for %s", e.Plan.Bake)
	if s := e.after.Stage; s != nil {
		bake = fmt.Sprintf("At stage %s for %s, then at others, then baking for %s", s.Name, e.Plan.BakeAt(s.Name), e.Plan.Bake)
	}
	m.Lines = []string{fmt.Sprintf("%s under %s. Deployed by %s.", bake, count(len(e.Plan.Rules), "rule"), orUnknown(d.By))}
	if e.after.SameAgain {
		m.Level = actions.Concern
		m.Lines = append(m.Lines, d.Version+" was rolled back here before.")
	}
	if e.Text != "" {
		m.Level = actions.Concern
		m.Lines = append(m.Lines, sentenceOf(e.Text))
		return everyone // whoever was asked
	}
	return bystanders
}

func tellRuled(m *actions.Message, e tale) []actions.Audience {
	r := e.Ruling
	m.Lines = append(slices.Clone(r.Why), cause(r)...)
	for _, c := range r.Ceilings {
		m.Lines = append(m.Lines, fmt.Sprintf("At most %s: %s.", c.Power, c.Why))
	}
	switch {
	case r.Rule == "" && e.before.Question != nil:
		m.Level, m.Title = actions.Good, fmt.Sprintf("%s %s: no rule is breached any more; the question is withdrawn", m.Service, m.Version)
		return team // whoever was asked
	case r.Rule == "":
		m.Level, m.Title = actions.Good, fmt.Sprintf("%s %s: no rule is breached any more", m.Service, m.Version)
		return chat
	case r.Power == rules.None:
		m.Title = fmt.Sprintf("%s %s: rule %q (shadow) is breached; enforced, it would have %s", m.Service, m.Version, r.Rule, wouldHave[r.Unshadowed()])
		return chat
	case r.Power == rules.Ask, r.Power == rules.Veto:
		return tellQuestion(m, e)
	}
	m.Level, m.Title = actions.Concern, fmt.Sprintf("%s %s (%s): rule %q is breached; nothing is rolled back", m.Service, m.Version, m.Environment, r.Rule)
	if r.Thwarted() {
		m.Level = actions.Urgent
		return team // nobody will act unless somebody looks
	}
	if len(e.after.Plan.Notify.Chat) == 0 {
		return team // or nobody would hear of it
	}
	return chat
}

// cause says as sentences why this deployment is to blame: "Only 2.4.0's instances.
// Nothing else was deployed." Any other answer is among the ceilings, with its reasons.
func cause(r *authority.Ruling) []string {
	who := r.Attribution()
	if len(who.Why) == 0 || r.HeldByAttribution() {
		return nil
	}
	sentences := make([]string, len(who.Why))
	for i, why := range who.Why {
		sentences[i] = sentenceOf(why)
	}
	return []string{strings.Join(sentences, " ")}
}

func tellVoted(m *actions.Message, e tale) []actions.Audience {
	m.Title = fmt.Sprintf("%s %s: %s %s", m.Service, m.Version, e.Vote.Person, saying[e.Vote.Choice])
	if e.Vote.Reason != "" {
		m.Lines = []string{e.Vote.Reason}
	}
	return chat
}

// notes says how each note is told: its level, and who hears it.
var notes = map[Topic]struct {
	level    actions.Level
	audience []actions.Audience
}{
	NoPlan:         {actions.Concern, chat},
	OlderEvent:     {actions.Neutral, chat},
	NewerWaits:     {actions.Concern, chat},
	NewerCancelled: {actions.Neutral, chat},
	FloorLifted:    {actions.Neutral, chat},
	WentBlind:      {actions.Urgent, team},
	SeesAgain:      {actions.Good, chat},
	StillRolling:   {actions.Concern, chat},
	Extended:       {actions.Concern, chat},
	StagePassed:    {actions.Good, chat},
	StageHeld:      {actions.Concern, chat},
	KeptByPeople:   {actions.Neutral, bystanders},
	LeftBySilence:  {actions.Urgent, team},
	Unheard:        {actions.Urgent, team},
	SetAside:       {actions.Urgent, team},
	Healed:         {actions.Good, team},
	Wrong:          {actions.Neutral, chat},
}

func tellNoted(m *actions.Message, e tale) []actions.Audience {
	how, known := notes[e.Topic]
	if !known {
		return nil
	}
	m.Level = how.level
	m.Title = fmt.Sprintf("%s (%s): %s", strings.TrimSpace(m.Service+" "+m.Version), m.Environment, e.Text)
	return how.audience
}

// tellTold tells the other channels that one of them is down.
func tellTold(m *actions.Message, e tale) []actions.Audience {
	if e.Told.Failed == "" {
		return nil
	}
	m.Level, m.Title = actions.Concern, fmt.Sprintf("channel %q could not deliver a message about %s", e.Told.Channel, m.Service)
	m.Lines = []string{e.Told.Failed}
	return team
}

// sentenceOf makes a sentence of a remark.
func sentenceOf(remark string) string {
	_, first := utf8.DecodeRuneInString(remark)
	return strings.ToUpper(remark[:first]) + remark[first:] + "."
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

func orNothing(version string) string {
	if version == "" {
		return "(nothing)"
	}
	return version
}

func orUnknown(person string) string {
	if person == "" {
		return "nobody named"
	}
	return person
}
