package actions_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
)

// heard is a channel that keeps what it was told.
type heard struct{ last actions.Message }

func (h *heard) Notify(_ context.Context, _ string, m actions.Message) (string, error) {
	h.last = m
	return "ok", nil
}

func (h *heard) Follows(m actions.Message) bool { return m.Attention == actions.Over }
func (h *heard) Describe() string               { return "keeps it" }

// tell tells a message through a channel with this template, and returns what it heard and logged.
func tell(t *testing.T, template actions.Template, m actions.Message) (got actions.Message, log string) {
	t.Helper()
	var channel heard
	var text bytes.Buffer
	notifier, err := actions.Templated(&channel, template, slog.New(slog.NewTextHandler(&text, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if receipt, err := notifier.Notify(t.Context(), "k", m); err != nil || receipt != "ok" {
		t.Fatalf("%q, %v", receipt, err)
	}
	return channel.last, text.String()
}

var asked = actions.Message{
	Title: "checkout 2.4.0 → 2.3.9?", Lines: []string{"one", "two"}, Service: "checkout", Version: "2.4.0", Audience: actions.Page,
	At: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC), Links: map[string]string{"runbook": "https://wiki.example"},
	Question: &actions.Asked{Within: rules.Duration(10 * time.Minute), Needs: map[string]int{"oncall": 2}},
}

func TestAChannelSaysItInItsOwnWords(t *testing.T) {
	for name, c := range map[string]struct {
		template actions.Template
		title    string
		lines    []string
	}{
		"a title alone leaves the lines":     {actions.Template{Title: "{{.Service}} {{.Version}}"}, "checkout 2.4.0", asked.Lines},
		"a text alone leaves the title":      {actions.Template{Text: "- {{join .Lines \"\\n- \"}}\n"}, asked.Title, []string{"- one", "- two"}},
		"a title is one line":                {actions.Template{Title: "a\n{{.Service}}\r\nBcc: x"}, "a checkout Bcc: x", asked.Lines},
		"an empty title is none":             {actions.Template{Title: "{{if false}}x{{end}}"}, asked.Title, asked.Lines},
		"the question may be asked about":    {actions.Template{Title: "{{with .Question}}within {{.Within}}{{end}}"}, "within 10m", asked.Lines},
		"a time may be written as one likes": {actions.Template{Title: `{{.At.Format "15:04"}} {{.At}}`}, "01:02 2026-11-23T01:02:03Z", asked.Lines},
		"a link that is not there is none":   {actions.Template{Text: "{{.Links.runbook}}|{{.Links.other}}|"}, asked.Title, []string{"https://wiki.example||"}},
		"an audience may be told apart":      {actions.Template{Title: `{{if eq .Audience "page"}}wake up{{end}}`}, "wake up", asked.Lines},
		"what an event says is text":         {actions.Template{Title: "{{.Version}}"}, "{{.Secret}}", asked.Lines},
	} {
		t.Run(name, func(t *testing.T) {
			m := asked
			if name == "what an event says is text" {
				m.Version = "{{.Secret}}"
			}
			got, log := tell(t, c.template, m)
			if got.Title != c.title || !slices.Equal(got.Lines, c.lines) || log != "" {
				t.Errorf("%q\n%q\n%s", got.Title, got.Lines, log)
			}
			if got.Question == nil {
				t.Error("the question is gone")
			}
			if err := c.template.Check(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestATemplateThatFailsIsToldInTheUsualWordsAndSaysSo(t *testing.T) {
	got, log := tell(t, actions.Template{Title: "never", Text: "{{index .Lines 7}}"}, asked)
	if got.Title != asked.Title || !slices.Equal(got.Lines[:2], asked.Lines) {
		t.Errorf("%+v", got)
	}
	if last := got.Lines[len(got.Lines)-1]; len(got.Lines) != 3 || !strings.Contains(last, "template failed: template.text") {
		t.Errorf("the last line is %q", last)
	}
	if !strings.Contains(log, "index out of range") || len(asked.Lines) != 2 {
		t.Errorf("the log says %q", log)
	}
}

func TestATemplateIsRefusedWhenItIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		source, says, hint string
	}{
		"one that is none":                   {"{{.Title", "unclosed action", ""},
		"one with an unknown field":          {"{{.Servce}}", "can't evaluate field Servce", ""},
		"one with an unknown function":       {"{{shout .Title}}", `function "shout" not defined`, ""},
		"one that takes a question for sure": {"{{.Question.Silence}}", "nil pointer", "{{with .Question}}"},
		"one that takes a line for sure":     {"{{index .Lines 0}}", "out of range", ""},
		"one with what is withheld":          {`{{if true}}{{range .Lines}}{{printf "%s" .}}{{end}}{{end}}`, "printf is not to be had", ""},
		"and in a template within":           {`{{define "x"}}{{html .}}{{end}}{{template "x" .Title}}`, "html is not to be had", ""},
		"and below a pipe":                   {`{{with $x := (.Title | js)}}{{$x}}{{end}}`, "js is not to be had", ""},
		"one that is too long":               {strings.Repeat("x", 9000), "longer than", ""},
		"one that says too much":             {"{{range 5000}}aaaaaaaaaaaa{{end}}", "makes more than", ""},
		"one that does not end":              {"{{range 1000000000000}}{{end}}", "more than 10000 steps", ""},
		"one that does not end, in loops":    {"{{range 9000}}{{range 9000}}{{range 9000}}{{end}}{{end}}{{end}}", "more than 10000 steps", ""},
		"one that calls itself":              {`{{define "x"}}{{template "x" .}}{{end}}{{template "x" .}}`, "more than 10000 steps", ""},
		"one that grows":                     {`{{$x := "aaaaaaaa"}}{{range 60}}{{$x = print $x $x}}{{end}}`, "makes more than", ""},
		"one that grows by joining":          {`{{$x := join .Lines (print .Title .Title)}}{{range 60}}{{$x = join $.Lines $x}}{{end}}{{slice $x 0 99999}}`, "", ""},
		"one that grows by the time":         {`{{$x := "1"}}{{range 60}}{{$x = $.At.Format $x}}{{end}}`, "layout of the time", ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := actions.Template{Text: c.source}.Check()
			var field *rules.FieldError
			if !errors.As(err, &field) || field.Key != "template.text" || !strings.Contains(err.Error(), c.says) || !strings.Contains(field.Hint, c.hint) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestATemplateHidesNothingOfItsChannel(t *testing.T) {
	notifier, err := actions.Templated(&heard{}, actions.Template{Title: "x"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	follower, is := notifier.(actions.Follower)
	if !is || !follower.Follows(actions.Message{Attention: actions.Over}) || follower.Follows(actions.Message{}) {
		t.Error("it does not follow as its channel does")
	}
	if described, is := notifier.(interface{ Describe() string }); !is || !strings.HasPrefix(described.Describe(), "keeps it") {
		t.Error("it does not describe its channel")
	}
	plain := &heard{}
	if same, err := actions.Templated(plain, actions.Template{}, nil); err != nil || same != actions.Notifier(plain) {
		t.Errorf("without a template: %v, %v", same, err)
	}
}
