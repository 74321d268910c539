package contract

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

// record is a log that the suite reads afterwards.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *record) logger() *slog.Logger {
	return slog.New(slog.NewJSONHandler(r, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// mustHide fails the test where a secret shows in one of the values, however it
// may be printed: as text, with its fields, as Go, as JSON.
func mustHide(t *testing.T, secrets []string, values map[string]any) {
	t.Helper()
	for what, value := range values {
		shown := fmt.Sprintf("%v\n%+v\n%#v\n", value, value, value)
		for err, _ := value.(error); err != nil; err = errors.Unwrap(err) {
			shown += err.Error() + "\n"
		}
		if asJSON, err := json.Marshal(value); err == nil {
			shown += string(asJSON)
		}
		for _, secret := range secrets {
			if strings.Contains(shown, secret) {
				t.Errorf("%s shows a secret: %.300s", what, shown)
			}
		}
	}
}

// wantClass checks an error's class, and that people can read it.
func wantClass(t *testing.T, err error, want actions.Class) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := actions.Classify(err); got != want {
		t.Errorf("class %d, want %d, of error: %v", got, want, err)
	}
	if text := err.Error(); text == "" || strings.ContainsAny(text, "\n\x00\x1b") || len(text) > 2048 {
		t.Errorf("not one readable line: %.100q (%d bytes)", text, len(text))
	}
}

// wantAfter checks that the other side's wish to wait was kept.
func wantAfter(t *testing.T, err error, want time.Duration) {
	t.Helper()
	var typed *actions.Error
	if !errors.As(err, &typed) {
		t.Fatalf("no *actions.Error: %v", err)
	}
	if typed.After != want {
		t.Errorf("After is %s, the other side asked for %s", typed.After, want)
	}
}
