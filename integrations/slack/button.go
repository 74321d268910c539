package slack

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
)

// button is a button under a question.
type button struct {
	Type   string `json:"type"`
	Action string `json:"action_id"`
	Text   plain  `json:"text"`
	Style  string `json:"style,omitempty"`
	Value  string `json:"value"`
}

type plain struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// answer is what a button's value says: it is bound to the question that was read.
type answer struct {
	Watch    string           `json:"watch"`
	Question uint64           `json:"question"`
	Choice   authority.Choice `json:"choice"`
}

const (
	actionPrefix = "bakewatch-"
	labelLimit   = 75
)

// buttons are the answers that may be given to a question.
func buttons(q actions.Asked) (all []button) {
	for _, a := range q.Answers {
		choice := authority.Choice(a.Choice)
		value, _ := json.Marshal(answer{q.Watch, q.Question, choice}) //nolint:errcheck // text and a number always marshal
		label, style := labelOf(q, choice)
		all = append(all, button{
			Type: "button", Action: actionPrefix + a.Choice, Text: plain{"plain_text", cut(label, labelLimit)}, Style: style, Value: string(value),
		})
	}
	return all
}

// labelOf returns what stands on a button, and its style. To keep stops a countdown.
func labelOf(q actions.Asked, choice authority.Choice) (label, style string) {
	switch {
	case choice == authority.RollBack:
		return "Roll back", "danger"
	case choice == authority.Keep && q.Veto:
		return "Object", "primary"
	case choice == authority.Keep && q.Snooze > 0:
		return "Keep " + q.Snooze.String(), ""
	case choice == authority.Keep:
		return "Keep", ""
	case choice == authority.Looking:
		return "Looking +10m", ""
	}
	return string(choice), ""
}

// press is a button that somebody pressed.
type press struct {
	answer
	user    string
	channel string
	thread  string // in which the message is; empty: in none
	reply   string // the URL at which the person who pressed is told
}

// pressed is as much of a block_actions payload as is used.
type pressed struct {
	Type string `json:"type"`
	User struct {
		ID string `json:"id"`
	} `json:"user"`
	Container struct {
		Channel string `json:"channel_id"`
		Thread  string `json:"thread_ts"`
	} `json:"container"`
	Message struct {
		Thread string `json:"thread_ts"`
	} `json:"message"`
	ResponseURL string `json:"response_url"`
	Actions     []struct {
		Action string `json:"action_id"`
		Value  string `json:"value"`
	} `json:"actions"`
}

// errNotOurs says that somebody did something else than to press one of our buttons.
var errNotOurs = errors.New("no button of a question")

// readPress reads a payload of interactivity.
func readPress(payload []byte) (press, error) {
	var p pressed
	if err := json.Unmarshal(payload, &p); err != nil {
		return press{}, errors.New("the payload is no JSON")
	}
	if p.Type != "block_actions" || len(p.Actions) != 1 || !strings.HasPrefix(p.Actions[0].Action, actionPrefix) {
		return press{}, errNotOurs
	}
	var a answer
	if err := json.Unmarshal([]byte(p.Actions[0].Value), &a); err != nil || a.Watch == "" || a.Question == 0 || a.Choice == "" {
		return press{}, errors.New("the button's value names no watch, question and choice")
	}
	if p.User.ID == "" {
		return press{}, errors.New("nobody is said to have pressed")
	}
	return press{
		answer: a, user: p.User.ID, channel: p.Container.Channel, thread: cmp.Or(p.Container.Thread, p.Message.Thread), reply: p.ResponseURL,
	}, nil
}

// String says for a log what was pressed.
func (p press) String() string {
	return fmt.Sprintf("%s to question %d of watch %s by %s", p.Choice, p.Question, p.Watch, p.user)
}
