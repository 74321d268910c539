package events_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
)

func TestANativeEventIsReadWhole(t *testing.T) {
	yes := true
	got := parse(t, events.Message{Subject: "deployments.production.checkout", Data: sample(t, "native/full.json")})
	same(t, got, rules.Deployment{
		ID: "checkout-4711", Service: "checkout", Environment: "production", Version: "2.4.0",
		Step: rules.Finished, Strategy: rules.Canary, Stage: "25%", Slot: "green", Flag: "one-click", Cohort: "beta",
		Previous: "2.3.9", At: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC), By: "ci/checkout#991", Authors: []string{"ana"},
		Release: "2026-47", Reversible: &yes, Commit: "9f3c…", Artifact: "pkg:oci/checkout@sha256:…",
		Labels: map[string]string{"pci": "true"}, Links: map[string]string{"pipeline": "https://ci.example.com/991"},
		Notes: "One-click checkout.\nSecond try.", Source: "deployments.production.checkout",
		Extra: map[string]json.RawMessage{"evidence": json.RawMessage(`{"load-test": {"p99_seconds": 0.31}}`)},
	})
}

func TestWhatIsLeftOutHasADefault(t *testing.T) {
	in := native(`{"id": "7", "version": "2.4.0"}`)
	t.Run("environment and service come from the subject", func(t *testing.T) {
		if d := parse(t, in); d.Environment != "production" || d.Service != "checkout" {
			t.Errorf("got %s/%s", d.Environment, d.Service)
		}
	})
	t.Run("an event without a step is finished", func(t *testing.T) {
		if d := parse(t, in); d.Step != rules.Finished {
			t.Errorf("got %q", d.Step)
		}
	})
	t.Run("an event without a time happened when it was received", func(t *testing.T) {
		in := in
		in.Received = now.Add(-time.Hour)
		if d := parse(t, in); !d.At.Equal(in.Received) {
			t.Errorf("got %s", d.At)
		}
	})
	t.Run("or now, if that is not known", func(t *testing.T) {
		if d := parse(t, in); !d.At.Equal(now) {
			t.Errorf("got %s", d.At)
		}
	})
	t.Run("nothing unknown means nothing extra", func(t *testing.T) {
		if d := parse(t, in); d.Extra != nil {
			t.Errorf("got %v", d.Extra)
		}
	})
}

func TestEveryAcceptedSampleIsRead(t *testing.T) {
	for _, name := range sampleNames(t, "native") {
		t.Run(name, func(t *testing.T) {
			subject := "deployments.production.checkout"
			if name == "native/names-with-everything.json" {
				subject = "events.other"
			}
			parse(t, events.Message{Subject: subject, Data: sample(t, name)})
		})
	}
}

func TestEveryRefusedSampleIsRefusedWithItsField(t *testing.T) {
	fields := []string{"id", "version", "service", "environment", "step", "strategy", "flag", "stage", "at", "reversible", "by", "authors", "labels", "links", "notes", "previous", "retry"}
	for _, name := range sampleNames(t, "refused") {
		t.Run(name, func(t *testing.T) {
			_, err := events.Parse(events.Message{Data: sample(t, name)}, now)
			if err == nil || !slices.ContainsFunc(fields, func(field string) bool { return strings.HasPrefix(err.Error(), field) }) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestAReasonSaysWhereAndWhatToDo(t *testing.T) {
	tests := map[string]struct{ body, field, what string }{
		"a number for a name":        {`{"id": "1", "version": 2.4}`, "version", "is a number, not a string"},
		"an object for a name":       {`{"id": {}, "version": "2"}`, "id", "is an object, not a string"},
		"no id":                      {`{"version": "2"}`, "id", "bakewatch announce makes one"},
		"a field in upper case":      {`{"id": "1", "Version": "2"}`, "version", `"Version": names are lower case`},
		"a name with a blank":        {`{"id": "1", "version": "2 4"}`, "version", `"2 4" is not valid`},
		"a time without a zone":      {`{"id": "1", "version": "2", "at": "2026-11-23T10:00:00"}`, "at", "RFC 3339"},
		"a label that is a number":   {`{"id": "1", "version": "2", "labels": {"pci": 1}}`, "labels.pci", "is a number, not a string"},
		"an author that is null":     {`{"id": "1", "version": "2", "authors": ["ana", null]}`, "authors.1", "is null"},
		"a link that is no web page": {`{"id": "1", "version": "2", "links": {"x": "javascript:1"}}`, "links.x", "http"},
		"a step nobody knows":        {`{"id": "1", "version": "2", "step": "done"}`, "step", "rolled-back"},
		"a toggle without its flag":  {`{"id": "1", "version": "2", "strategy": "feature-toggle"}`, "flag", "is missing"},
		"a stage without its name":   {`{"id": "1", "version": "2", "step": "stage"}`, "stage", "is missing"},
		"too many authors":           {`{"id": "1", "version": "2", "authors": ["a"` + strings.Repeat(`,"a"`, 64) + `]}`, "authors", "65 entries"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { refused(t, native(test.body), test.field, test.what) })
	}
}

func TestAnEventFromTheFutureOrLongAgoIsRefused(t *testing.T) {
	tests := map[string]struct {
		ahead time.Duration
		what  string
	}{
		"5 minutes ahead is a clock's error": {events.MaxAhead, ""},
		"more is not":                        {events.MaxAhead + time.Second, "in the future"},
		"7 days ago is watched":              {-events.MaxAge, ""},
		"more is not watched":                {-events.MaxAge - time.Second, "nothing older than 7 days"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := native(fmt.Sprintf(`{"id": "1", "version": "2", "at": %q}`, now.Add(test.ahead).Format(time.RFC3339)))
			if test.what == "" {
				parse(t, in)
				return
			}
			refused(t, in, "at", test.what)
		})
	}
	t.Run("an event that waited too long in the stream is refused too", func(t *testing.T) {
		in := native(`{"id": "1", "version": "2"}`)
		in.Received = now.Add(-8 * 24 * time.Hour)
		refused(t, in, "at", "nothing older")
	})
}

func TestSubjectAndBodyMustAgree(t *testing.T) {
	tests := map[string]struct{ subject, body, field, lane string }{
		"both say the same":               {"deployments.production.checkout", `"service": "checkout", "environment": "production"`, "", "production/checkout"},
		"another service":                 {"deployments.production.checkout", `"service": "cart"`, "service", ""},
		"another environment":             {"deployments.staging.checkout", `"environment": "production"`, "environment", ""},
		"a dot is percent-encoded":        {"deployments.production.shop%2Ev1", `"note": ""`, "", "production/shop.v1"},
		"and must agree as well":          {"deployments.production.shop%2Ev1", `"service": "shop.v2"`, "service", ""},
		"a plain dot stands in the body":  {"deployments.production.shop.v1", `"service": "shop.v1", "environment": "production"`, "", "production/shop.v1"},
		"or the subject cannot be split":  {"deployments.production.shop.v1", `"service": "shop.v1"`, "subject", ""},
		"a slash in the body is encoded":  {"deployments.production.team%2Fshop", `"service": "team/shop"`, "", "production/team/shop"},
		"a subject without a service":     {"deployments.production", `"service": "checkout", "environment": "production"`, "subject", ""},
		"a token that is no name":         {"deployments.production.%00", `"note": ""`, "subject", ""},
		"other subjects say nothing":      {"ci.done", `"service": "checkout", "environment": "production"`, "", "production/checkout"},
		"so the body must":                {"ci.done", `"service": "checkout"`, "environment", ""},
		"a CDEvents subject wants one":    {"dev.cdevents.service.deployed.0.3.0", `"service": "checkout", "environment": "production"`, "context.type", ""},
		"the subject's tokens are a name": {"deployments.production.check%20out", `"note": ""`, "subject", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := events.Message{Subject: test.subject, Data: []byte(`{"id": "1", "version": "2", ` + test.body + `}`)}
			if test.field != "" {
				refused(t, in, test.field, "")
				return
			}
			if got := parse(t, in).Lane().String(); got != test.lane {
				t.Errorf("got lane %s, want %s", got, test.lane)
			}
		})
	}
}

func TestBlanksDoNotMakeAnotherPerson(t *testing.T) {
	d := parse(t, native(`{"id": "1", "version": "2", "by": " ana ", "authors": ["ana ", "  ", "bob"]}`))
	if d.By != "ana" || !slices.Equal(d.Authors, []string{"ana", "bob"}) {
		t.Errorf("got by %q, authors %q", d.By, d.Authors)
	}
}

func TestUnknownFieldsAreKeptUpToALimit(t *testing.T) {
	big := `"` + strings.Repeat("x", events.MaxExtra) + `"`
	d := parse(t, native(`{"id": "1", "version": "2", "ticket": "SHOP-7", "log": `+big+`}`))
	if got := extraKeys(d); !slices.Equal(got, []string{"(left out)", "ticket"}) {
		t.Fatalf("got %q", got)
	}
	if got := string(d.Extra["(left out)"]); got != `"1 unknown fields, too large to keep"` {
		t.Errorf("got %s", got)
	}
}

func TestOurOwnEventsAreKnownByTheirSource(t *testing.T) {
	d := parse(t, native(`{"id": "1", "version": "2", "source": "bakewatch/eu"}`))
	if !events.IsOurs(d, "eu") || events.IsOurs(d, "us") {
		t.Errorf("source %q", d.Source)
	}
}
