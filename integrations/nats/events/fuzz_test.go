package events_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
)

// unsayable tells reasons that no JSON Schema can have.
func unsayable(reason events.Reason) bool {
	for _, what := range []string{"given twice", "nested deeper", "too large", "UTF-8", "bytes; at most", "in the future", "is watched", "in the subject", "JSON", "breaks off"} {
		if strings.Contains(reason.What, what) {
			return true
		}
	}
	return false
}

// FuzzParse holds Parse to its promises for any message: it does not panic, its
// error is a short *Reason or a *Nothing, and what it accepts can be said again.
func FuzzParse(f *testing.F) {
	for _, folder := range []string{"native", "refused", "cdevents", "cloudevents"} {
		for _, name := range sampleNames(f, folder) {
			f.Add("deployments.production.checkout", "", "", sample(f, name))
		}
	}
	f.Add("dev.cdevents.service.deployed.0.3.0", "1.0", "dev.cdevents.service.deployed.0.3.0", sample(f, "cdevents/deployed-0.5.json"))
	f.Fuzz(func(t *testing.T, subject, specversion, kind string, data []byte) {
		in := events.Message{Subject: subject, Data: data, Headers: map[string][]string{}}
		if specversion != "" {
			in.Headers["ce-specversion"], in.Headers["ce-type"] = []string{specversion}, []string{kind}
			in.Headers["ce-id"], in.Headers["ce-source"] = []string{"1"}, []string{"/fuzz"}
		}
		d, err := events.Parse(in, now)
		var reason *events.Reason
		var nothing *events.Nothing
		switch {
		case err == nil:
		case errors.As(err, &reason) || errors.As(err, &nothing):
			if text := err.Error(); len(text) > 1000 || strings.ContainsAny(text, "\r\n\x00\x1b") {
				t.Fatalf("a reason of %d bytes: %q", len(text), text)
			}
			return
		default:
			t.Fatalf("an error of type %T: %v", err, err)
		}
		if d.Extra["context"] != nil || d.Extra["specversion"] != nil {
			return // unknown fields of an event in an envelope; without it they would be the envelope
		}
		at, text, err := events.Encode(d)
		if err != nil {
			t.Fatalf("accepted, and cannot be said again: %v", err)
		}
		again := parse(t, events.Message{Subject: at, Data: text})
		same(t, again, d)
	})
}
