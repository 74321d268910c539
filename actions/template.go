package actions

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Template is a channel's own wording: Go templates over the Message. An empty one
// leaves the title, or the lines, as they are.
type Template struct {
	Title string `toml:"title" json:"title,omitempty" doc:"Go template of the first line, over the message's fields, such as {{.Service}}"`
	Text  string `toml:"text" json:"text,omitempty" doc:"Go template of the lines below it"`
}

// EveryChannel are the options that every [channel.NAME] has besides its own.
type EveryChannel struct {
	Template Template `toml:"template" json:"template,omitzero" doc:"the channel's own words, in place of Bakewatch's"`
	Person   string   `toml:"person" json:"person,omitempty" doc:"a [person.NAME] with link = true whom alone all that is sent here reaches: questions carry a link to answer by"`
}

// Check says what is wrong with the options.
func (o *EveryChannel) Check() error { return o.Template.Check() }

// Reaches returns whom alone the channel reaches; empty: that is not said.
func (o *EveryChannel) Reaches() string { return o.Person }

// Check says what is wrong with the templates: that they are none, or that one fails
// for some message.
func (t Template) Check() error {
	return errors.Join(tryTemplate("title", t.Title), tryTemplate("text", t.Text))
}

func tryTemplate(key, source string) error {
	parsed, err := parseTemplate(key, source)
	if err != nil || parsed == nil {
		return err
	}
	for _, sample := range []Message{bareSample, fullSample} {
		if _, err := execute(parsed, sample); err != nil {
			return err
		}
	}
	return nil
}

// The messages that every template is tried on: one with everything, one with as little
// as a message may have.
var (
	bareSample = Message{Topic: "blind", Level: Urgent, Audience: Page, Title: "checkout", Service: "checkout", Environment: "production"}
	fullSample = Message{
		Topic: "ruled", Level: Urgent, Audience: Chat, Title: "checkout 2.4.0 → 2.3.9 (production)?", Lines: []string{"5xx 4.1 %", "nothing else was deployed"},
		Service: "checkout", Environment: "production", Version: "2.4.0", Target: "2.3.9", Owner: "team-checkout", Cluster: "main", Watch: "12",
		At: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC), Links: map[string]string{"runbook": "https://wiki.example/checkout"},
		Question: &Asked{
			Watch: "12", Question: 42, Needs: map[string]int{"oncall": 1}, Within: rules.Duration(10 * time.Minute), Silence: "keep",
			Answers: []Reply{{Choice: "keep", Command: "bakewatch answer 12 keep"}},
		},
	}
)

// Templated returns the notifier with the channel's own wording. A message for which the
// wording fails is told in Bakewatch's own, and says so.
func Templated(n Notifier, t Template, log *slog.Logger) (Notifier, error) {
	if t == (Template{}) {
		return n, nil
	}
	w, err := t.parse()
	if err != nil {
		return nil, err
	}
	r := &reworder{Notifier: n, wording: w, log: log}
	if threader, is := n.(Threader); is {
		return &threadReworder{reworder: r, threader: threader}, nil
	}
	return r, nil
}

// Plain returns the notifier behind a channel's own wording, if it has one.
func Plain(n Notifier) Notifier {
	switch r := n.(type) {
	case *reworder:
		return r.Notifier
	case *threadReworder:
		return r.Notifier
	}
	return n
}

// reworder is a notifier that says it in other words.
type reworder struct {
	Notifier
	wording wording
	log     *slog.Logger
}

// Notify sends the message in the channel's own words.
func (r *reworder) Notify(ctx context.Context, key string, m Message) (string, error) {
	return r.Notifier.Notify(ctx, key, r.say(m))
}

// say returns the message in the channel's own words or, where they fail, in the usual
// ones, which say so.
func (r *reworder) say(m Message) Message {
	said, err := r.wording.reword(m)
	if err != nil {
		r.log.Warn("a template of a channel failed; its message has the usual text", "watch", m.Watch, "service", m.Service, "err", err)
		said = m
		said.Lines = append(slices.Clone(m.Lines), "(This channel's own template failed: "+err.Error()+")")
	}
	return said
}

// threadReworder is a reworder of a channel that keeps threads.
type threadReworder struct {
	*reworder
	threader Threader
}

// Reply sends the message in the channel's own words.
func (r *threadReworder) Reply(ctx context.Context, key string, m Message, thread Thread) (string, error) {
	return r.threader.Reply(ctx, key, r.say(m), r.said(thread))
}

// Amend amends what was told in the channel's own words.
func (r *threadReworder) Amend(ctx context.Context, thread Thread) error {
	return r.threader.Amend(ctx, r.said(thread))
}

// said returns the thread as it was told.
func (r *threadReworder) said(thread Thread) Thread {
	thread.Told = slices.Clone(thread.Told)
	for i, told := range thread.Told {
		thread.Told[i].Message = r.say(told.Message)
	}
	return thread
}

// Follows says what the notifier says.
func (r *reworder) Follows(m Message) bool {
	follower, is := r.Notifier.(Follower)
	return is && follower.Follows(m)
}

// Describe says what the notifier says.
func (r *reworder) Describe() string {
	if described, does := r.Notifier.(interface{ Describe() string }); does {
		return described.Describe() + ", in words of its own"
	}
	return "in words of its own"
}

// wording is a parsed Template; nil parts leave what is there.
type wording struct{ title, text *template.Template }

func (t Template) parse() (w wording, err error) {
	title, titleErr := parseTemplate("title", t.Title)
	text, textErr := parseTemplate("text", t.Text)
	return wording{title, text}, errors.Join(titleErr, textErr)
}

// reword returns the message in other words. An empty title stays as it was.
func (w wording) reword(m Message) (Message, error) {
	said := m
	if w.title != nil {
		title, err := execute(w.title, m)
		if err != nil {
			return m, err
		}
		if title = strings.Join(strings.Fields(title), " "); title != "" {
			said.Title = title
		}
	}
	if w.text != nil {
		text, err := execute(w.text, m)
		if err != nil {
			return m, err
		}
		said.Lines = strings.Split(strings.Trim(text, "\n"), "\n")
	}
	return said, nil
}

// parseTemplate reads one of the templates; an empty one is none.
func parseTemplate(key, source string) (*template.Template, error) {
	fail := func(err error) error { return &rules.FieldError{Key: "template." + key, Err: err} }
	switch {
	case source == "":
		return nil, nil
	case len(source) > templateSource:
		return nil, fail(fmt.Errorf("longer than %d bytes", templateSource))
	}
	parsed, err := template.New(key).Option("missingkey=zero").Funcs(functions(&budget{})).Parse(source)
	if err != nil {
		return nil, fail(cause(err))
	}
	for _, part := range parsed.Templates() {
		if err := meter(part.Tree); err != nil {
			return nil, fail(err)
		}
	}
	return parsed, nil
}

// cause takes the package's name off its error.
func cause(err error) error { return errors.New(strings.TrimPrefix(err.Error(), "template: ")) }

// execute runs a template within its bounds.
func execute(t *template.Template, m Message) (string, error) {
	b := &budget{steps: templateSteps}
	own, err := t.Clone()
	if err == nil {
		var text strings.Builder
		if err = own.Funcs(functions(b)).Execute(bounded{&text}, view{m, moment{m.At}}); err == nil {
			return text.String(), nil
		}
	}
	failed := &rules.FieldError{Key: "template." + t.Name(), Err: cause(err)}
	if strings.Contains(err.Error(), "nil pointer") {
		failed.Hint = "a message that asks nothing has no Question: write {{with .Question}}…{{end}}"
	}
	return "", failed
}
