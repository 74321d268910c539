package contract

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// ChannelSuite is what the suite must know of one kind of channel.
type ChannelSuite struct {
	Kind    rules.Kind
	Start   Start    // its Options are actions.ChannelOptions
	Secrets []string // what Start's options hide, as a receiver sees it
	// Log, where the channel writes to the daemon's log, is read instead of the fake's calls.
	Log func(line string) (Call, bool)
}

// question is a message with everything in it, and values that would do harm as markup.
var question = actions.Message{
	Topic: "ruled", Level: actions.Urgent, Audience: actions.Page,
	Title:   "checkout 2.4.0 → 2.3.9 (production)? Answer by 02:27 CET. <!channel> & <@U1>",
	Lines:   []string{"5xx 4.1 % (41 of 1000) against 0.3 % on 2.3.9", "by <script>alert(1)</script>\nand a line\x00\x1b[31m more", ""},
	Service: "checkout", Environment: "production", Version: "2.4.0", Target: "2.3.9",
	Owner: "team-checkout", Watch: "4711", At: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC),
	Links: map[string]string{"runbook": "https://wiki.example/checkout?a=1&b=2", "odd | <one>": "javascript:alert(1)"},
	Question: &actions.Asked{
		Watch: "4711", Question: 42, Needs: map[string]int{"oncall": 1}, Within: rules.Duration(15 * time.Minute),
		Silence: "keep", Answers: []actions.Reply{
			{Choice: "roll-back", Command: "bakewatch answer 4711 roll-back --question 42"},
			{Choice: "keep", Command: "bakewatch answer 4711 keep --question 42"},
		},
	},
}

// Channel runs the suite for one kind of channel.
func Channel(t *testing.T, s ChannelSuite) {
	t.Run("README, example and options are complete", func(t *testing.T) { folder(t, "channel", s.Kind) })
	t.Run("a message arrives once, with its key, and gives a receipt", s.works)
	t.Run("a message of any size and content arrives", s.any)
	t.Run("each failure has the class that its caller needs", s.classes)
	t.Run("the same message again carries the same key", s.again)
	t.Run("a context that has ended sends nothing", s.ended)
	t.Run("a call that hangs ends with its context and may be tried again", s.hangs)
	t.Run("a reply without an end is not read to its end", s.floods)
	t.Run("a redirect is refused", s.redirects)
	t.Run("a secret never shows", s.secrets)
}

func (s ChannelSuite) notifier(t *testing.T, outside *Outside, log *record) actions.Notifier {
	t.Helper()
	if err := outside.Options.Check(); err != nil {
		t.Fatalf("the options that reach the fake: %v", err)
	}
	options, ok := outside.Options.(actions.ChannelOptions)
	if !ok {
		t.Fatalf("%T is no actions.ChannelOptions", outside.Options)
	}
	notifier, err := options.Notifier("chat", log.logger())
	if err != nil {
		t.Fatalf("notifier: %v", err)
	}
	if s.Log != nil {
		outside.Calls = func() []Call { return s.logged(log) }
	}
	return notifier
}

// logged reads the calls off the log, one a line.
func (s ChannelSuite) logged(log *record) []Call {
	var calls []Call
	for line := range strings.Lines(log.String()) {
		if call, ok := s.Log(strings.TrimSuffix(line, "\n")); ok {
			calls = append(calls, call)
		}
	}
	return calls
}

func (s ChannelSuite) works(t *testing.T) {
	outside := s.Start.start(t, Works)
	notifier := s.notifier(t, &outside, &record{})
	receipt, err := notifier.Notify(t.Context(), key, question)
	reaches := s.Log == nil // a line in a log reaches nobody for certain
	if err != nil || (receipt != "") != reaches {
		t.Fatalf("receipt %q, %v", receipt, err)
	}
	calls := outside.Calls()
	if len(calls) != 1 || calls[0].Key != key {
		t.Fatalf("the outside saw %+v", calls)
	}
	for _, part := range []string{"checkout 2.4.0 → 2.3.9 (production)?", "41 of 1000", question.Question.Answers[0].Command, question.Question.Answers[1].Command} {
		if !strings.Contains(calls[0].Text, part) {
			t.Errorf("nobody reads %q in %q", part, calls[0].Text)
		}
	}
	if described, ok := notifier.(interface{ Describe() string }); !ok || described.Describe() == "" {
		t.Errorf("%T does not describe itself", notifier)
	}
}

func (s ChannelSuite) any(t *testing.T) {
	long := question
	long.Title = strings.Repeat("é<&>", 2000)
	long.Lines = make([]string, 500)
	for i := range long.Lines {
		long.Lines[i] = strings.Repeat("*_~`<&>🔴", 500)
	}
	for name, message := range map[string]actions.Message{
		"long": long, "bare": {Title: "hello"}, "empty": {},
		"not UTF-8": {Title: "\xff\xfe", Lines: []string{"\xc3\x28"}, Level: "odd"},
	} {
		t.Run(name, func(t *testing.T) {
			outside := s.Start.start(t, Works)
			notifier := s.notifier(t, &outside, &record{})
			if _, err := notifier.Notify(t.Context(), key, message); err != nil {
				t.Error(err)
			}
			if n := len(outside.Calls()); n != 1 {
				t.Errorf("%d calls", n)
			}
		})
	}
}

func (s ChannelSuite) classes(t *testing.T) {
	for conduct, class := range map[Conduct]actions.Class{
		TriesNot: actions.ClassRetryable, Refuses: actions.ClassPermanent, Unclear: actions.ClassRetryable,
	} {
		t.Run("one that "+string(conduct), func(t *testing.T) {
			outside := s.Start.start(t, conduct)
			_, err := s.notifier(t, &outside, &record{}).Notify(t.Context(), key, question)
			wantClass(t, err, class)
			if conduct == TriesNot {
				wantAfter(t, err, outside.After)
			}
			if n := len(outside.Calls()); n != 1 {
				t.Errorf("%d calls; retrying is the deliverer's", n)
			}
		})
	}
}

func (s ChannelSuite) again(t *testing.T) {
	outside := s.Start.start(t, Works)
	notifier := s.notifier(t, &outside, &record{})
	for range 2 {
		if _, err := notifier.Notify(t.Context(), key, question); err != nil {
			t.Fatal(err)
		}
	}
	if calls := outside.Calls(); len(calls) != 2 || calls[0].Key != key || calls[1].Key != key {
		t.Errorf("the outside saw %+v", calls)
	}
}

func (s ChannelSuite) ended(t *testing.T) {
	outside := s.Start.start(t, Works)
	notifier := s.notifier(t, &outside, &record{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := notifier.Notify(ctx, key, question)
	wantClass(t, err, actions.ClassRetryable)
	if calls := outside.Calls(); len(calls) != 0 {
		t.Errorf("the outside saw %+v", calls)
	}
}

func (s ChannelSuite) hangs(t *testing.T) {
	outside := s.Start.start(t, Hangs)
	notifier := s.notifier(t, &outside, &record{})
	ctx := newDeadline(t.Context())
	failed := make(chan error, 1)
	go func() {
		_, err := notifier.Notify(ctx, key, question)
		failed <- err
	}()
	eventually(t, "the call to arrive", func() bool { return len(outside.Calls()) == 1 })
	ctx.pass()
	wantClass(t, within(t, func() error { return <-failed }), actions.ClassRetryable)
}

func (s ChannelSuite) floods(t *testing.T) {
	outside := s.Start.start(t, Floods)
	notifier := s.notifier(t, &outside, &record{})
	err := within(t, func() error {
		_, err := notifier.Notify(t.Context(), key, question)
		return err
	})
	if err != nil {
		wantClass(t, err, actions.ClassRetryable)
	}
}

func (s ChannelSuite) redirects(t *testing.T) {
	outside := s.Start.start(t, Redirects)
	_, err := s.notifier(t, &outside, &record{}).Notify(t.Context(), key, question)
	wantClass(t, err, actions.ClassPermanent)
	if n := outside.Elsewhere(); n != 0 {
		t.Errorf("%d calls followed the redirect", n)
	}
}

func (s ChannelSuite) secrets(t *testing.T) {
	for _, conduct := range []Conduct{Works, TriesNot, Refuses, Unclear, Echoes} {
		t.Run("to one that "+string(conduct), func(t *testing.T) {
			outside, log := s.Start.start(t, conduct), &record{}
			notifier := s.notifier(t, &outside, log)
			receipt, err := notifier.Notify(t.Context(), key, question)
			mustHide(t, s.Secrets, map[string]any{
				"the error": err, "the receipt": receipt, "the log": log.String(),
				"the notifier": notifier, "the options": outside.Options,
			})
			if described, ok := notifier.(interface{ Describe() string }); ok {
				mustHide(t, s.Secrets, map[string]any{"Describe": described.Describe()})
			}
		})
	}
}
