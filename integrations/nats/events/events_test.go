package events_test

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
)

const samples = "../../../testdata/events"

// now is half an hour after the samples' events.
var now = time.Date(2026, 11, 23, 10, 30, 0, 0, time.UTC)

func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(samples, filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func sampleNames(t testing.TB, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(samples, folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples in %s: %v", folder, err)
	}
	for i, file := range files {
		files[i] = folder + "/" + filepath.Base(file)
	}
	return files
}

// parse fails the test unless the message is understood.
func parse(t testing.TB, in events.Message) rules.Deployment {
	t.Helper()
	d, err := events.Parse(in, now)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	return d
}

// refused fails the test unless the message is refused, for this field.
func refused(t testing.TB, in events.Message, field, what string) {
	t.Helper()
	d, err := events.Parse(in, now)
	var reason *events.Reason
	if !errors.As(err, &reason) {
		t.Fatalf("got %+v and error %v, want a reason", d, err)
	}
	if reason.Field != field || !strings.Contains(err.Error(), what) {
		t.Errorf("got reason %q for field %q; want field %q and %q", err, reason.Field, field, what)
	}
}

// same compares deployments as people see them: as JSON.
func same(t testing.TB, got, want rules.Deployment) {
	t.Helper()
	a, errA := json.MarshalIndent(got, "", " ")
	b, errB := json.MarshalIndent(want, "", " ")
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	if string(a) != string(b) {
		t.Errorf("got %s\nwant %s", a, b)
	}
}

func native(body string) events.Message {
	return events.Message{Subject: "deployments.production.checkout", Data: []byte(body)}
}

func extraKeys(d rules.Deployment) []string { return slices.Sorted(maps.Keys(d.Extra)) }
