package log_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/integrations/log"
)

func TestChannel(t *testing.T) {
	contract.Channel(t, contract.ChannelSuite{
		Kind: log.Kind(),
		Start: func(_ *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			return contract.Outside{Options: log.Kind().New()}, conduct == contract.Works
		},
		Log: func(line string) (contract.Call, bool) {
			var logged struct {
				Msg, Key, Reasons string
				Answer            string `json:"answer_with"`
			}
			if json.Unmarshal([]byte(line), &logged) != nil {
				return contract.Call{}, false
			}
			return contract.Call{Key: logged.Key, Text: logged.Msg + " " + logged.Reasons + " " + logged.Answer}, true
		},
	})
}

var message = actions.Message{
	Topic: "decided", Level: actions.Good, Audience: actions.Chat, Title: "checkout 2.4.0 passed\nINFO forged line",
	Lines: []string{"first", "second\nthird"}, Service: "checkout", Environment: "production",
}

func TestAMessageIsOneLineWhateverTheLogIsSetTo(t *testing.T) {
	quiet := &slog.HandlerOptions{Level: slog.LevelError}
	for name, handler := range map[string]func(io.Writer) slog.Handler{
		"text": func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, quiet) },
		"json": func(w io.Writer) slog.Handler { return slog.NewJSONHandler(w, quiet) },
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			notifier, err := (&log.Options{}).Notifier("log", slog.New(handler(&out)))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := notifier.Notify(t.Context(), "k", message); err != nil {
				t.Fatal(err)
			}
			if text := out.String(); strings.Count(text, "\n") != 1 || !strings.Contains(text, "second") || strings.Contains(text, "target") {
				t.Errorf("%q", text)
			}
		})
	}
}

func TestALogThatCannotBeWrittenIsTriedAgain(t *testing.T) {
	notifier, err := (&log.Options{}).Notifier("log", slog.New(slog.NewTextHandler(full{}, nil)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := notifier.Notify(t.Context(), "k", message); err == nil || actions.Classify(err) != actions.ClassRetryable {
		t.Errorf("%v", err)
	}
}

// full is a disk without room.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }
