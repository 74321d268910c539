package actions

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// LongestNotify is how long one Notify is given: a channel with a larger timeout would
// be cut off in mid-call, and told about as one that is down.
const LongestNotify = 30 * time.Second

// CheckNotifyTimeout says what is wrong with a channel's timeout.
func CheckNotifyTimeout(timeout rules.Duration) error {
	switch {
	case timeout <= 0:
		return &rules.FieldError{Key: "timeout", Err: errors.New("must be more than nothing")}
	case timeout > rules.Duration(LongestNotify):
		return &rules.FieldError{
			Key: "timeout", Err: fmt.Errorf("must be at most %s", rules.Duration(LongestNotify)),
			Hint: "a message that is not taken by then is sent again",
		}
	}
	return nil
}

// Notifier is one channel. It delivers at least once: key is the same for every
// try of one message, so a receiver can drop repeats.
type Notifier interface {
	// Notify sends the message and returns the receipt that the other side gave
	// (an id, a status), or an error that is Retryable or Permanent. Without a
	// receipt nobody is known to have been reached, and no countdown begins.
	Notify(ctx context.Context, key string, m Message) (receipt string, err error)
}

// Audience is who a message is for.
type Audience string

// The audiences of [notify].
const (
	Page         Audience = "page"
	Chat         Audience = "chat"
	Stakeholders Audience = "stakeholders"
)

// Audiences lists every audience, the most urgent first.
func Audiences() []Audience { return []Audience{Page, Chat, Stakeholders} }

// Level is how a message is to be taken; it is shown by a sign and a word, not by colour alone.
type Level string

// The levels of a message.
const (
	Good    Level = "good"
	Neutral Level = "info"
	Concern Level = "warning"
	Urgent  Level = "urgent" // a person is needed
)

// Message is one text to people. It is plain text: a channel escapes it as its medium needs.
type Message struct {
	Topic    string   `json:"topic"` // the kind of journal entry, or of note: "opened", "ruled", "blind" …
	Level    Level    `json:"level"`
	Audience Audience `json:"audience"`
	// Title says in one line what happens and what is asked; Lines give the reasons.
	Title string   `json:"title"`
	Lines []string `json:"lines,omitempty"`

	Service     string `json:"service"`
	Environment string `json:"environment"`
	Version     string `json:"version,omitempty"`
	Target      string `json:"target,omitempty"`
	Owner       string `json:"owner,omitempty"`
	Cluster     string `json:"cluster,omitempty"` // which Bakewatch says it; a watch's number means something there alone
	Watch       string `json:"watch,omitempty"`   // its messages belong together: one thread, one incident
	// Supersedes is the watch that ended when this one was opened, and with it all that was
	// open about it.
	Supersedes *Superseded       `json:"supersedes,omitempty"`
	Attention  Attention         `json:"attention,omitempty"`
	At         time.Time         `json:"at"`
	Links      map[string]string `json:"links,omitempty"`
	Question   *Asked            `json:"question,omitempty"`
}

// Superseded is a watch that ended when another was opened.
type Superseded struct {
	Watch   string `json:"watch"`
	Version string `json:"version"`
}

// Asked is what a message asks people.
type Asked struct {
	Watch    string `json:"watch"`
	Question uint64 `json:"question"` // the sequence of the entry that asked; an answer is bound to it
	// Veto says that it is a countdown: one objection, an answer of keep, stops it.
	Veto   bool             `json:"veto,omitempty"`
	Needs  map[string]int   `json:"needs"`
	Else   []map[string]int `json:"else,omitempty"` // what would be enough as well, since it was escalated
	Within rules.Duration   `json:"within"`
	// Deadline is when the time is over; zero until somebody is known to have heard.
	Deadline time.Time `json:"deadline,omitzero"`
	Silence  string    `json:"silence"`
	Answers  []Reply   `json:"answers"`
	// Snooze is for how long the same is not asked again after keep; 0: it is not said.
	Snooze rules.Duration `json:"snooze,omitempty"`
}

// Reply is one answer that may be given: roll-back, keep or looking.
type Reply struct {
	Choice  string `json:"choice"`
	Command string `json:"command"` // gives this answer to this very question on a command line
}

// Attention says what a message means for whoever was called because of its watch.
type Attention string

// What a message may mean. The empty Attention is news that changes nothing.
const (
	Needed Attention = "needed" // of a person, now
	Given  Attention = "given"  // somebody has said that they look
	Spared Attention = "spared" // a rollback is under way; nobody is needed unless it fails
	Over   Attention = "over"   // nothing is open any more
)

// Follower is a Notifier that keeps something open for a watch, such as an incident.
// It must learn how that ends, whoever else hears of it.
type Follower interface {
	Notifier
	// Follows says whether it wants this message though it is for others.
	Follows(m Message) bool
}

// Text returns the message as plain lines: the title, the reasons, and how to answer.
func (m Message) Text() string {
	text := m.Title
	for _, line := range m.Lines {
		text += "\n" + line
	}
	for _, line := range m.Question.Lines() {
		text += "\n" + line
	}
	return text
}

// Asks says in a line who must answer, by when, and what it means that nobody does.
func (q *Asked) Asks() string {
	if q == nil {
		return ""
	}
	asks := q.Who()
	if q.Within > 0 {
		asks += " within " + q.Within.String()
	}
	if q.Silence != "" {
		asks += "; no answer means " + OneLine(q.Silence)
	}
	return asks
}

// Who says whom it takes: all of these, or any of those that it was escalated to; of a
// countdown, who may stop it.
func (q *Asked) Who() string {
	if q.Veto {
		return "Any of " + OneLine(strings.Join(slices.Sorted(maps.Keys(q.Needs)), ", ")) + " may object"
	}
	var ways []string
	for _, way := range append([]map[string]int{q.Needs}, q.Else...) {
		var needs []string
		for _, group := range slices.Sorted(maps.Keys(way)) {
			needs = append(needs, fmt.Sprintf("%d of %s", way[group], OneLine(group)))
		}
		ways = append(ways, strings.Join(needs, " and "))
	}
	return "Needs " + strings.Join(ways, ", or ")
}

// Lines returns a line an answer: what it is, and how to give it. Nobody asked, nothing to answer.
func (q *Asked) Lines() (lines []string) {
	if q == nil {
		return nil
	}
	for _, a := range q.Answers {
		lines = append(lines, a.Choice+": "+a.Command)
	}
	return lines
}
