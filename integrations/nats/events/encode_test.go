package events_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
)

func deployments() *rapid.Generator[rules.Deployment] {
	anyName := rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,127}`)
	maybe := rapid.OneOf(rapid.Just(""), anyName)
	line := rapid.StringMatching(`[a-zé"<\\]{0,20}`)
	return rapid.Custom(func(t *rapid.T) rules.Deployment {
		d := rules.Deployment{
			ID: anyName.Draw(t, "id"), Service: anyName.Draw(t, "service"), Environment: anyName.Draw(t, "environment"),
			Version: anyName.Draw(t, "version"), Step: rapid.SampledFrom(rules.Steps()).Draw(t, "step"),
			Strategy: rapid.SampledFrom(rules.Strategies()).Draw(t, "strategy"), Stage: anyName.Draw(t, "stage"),
			Flag: anyName.Draw(t, "flag"), Slot: maybe.Draw(t, "slot"), Cohort: maybe.Draw(t, "cohort"), Previous: maybe.Draw(t, "previous"),
			At: now.Add(-time.Duration(rapid.IntRange(0, int(events.MaxAge)).Draw(t, "age"))), By: line.Draw(t, "by"),
			Release: line.Draw(t, "release"), Retry: rapid.Bool().Draw(t, "retry"), Notes: line.Draw(t, "notes"), Source: "bakewatch/eu",
		}
		if rapid.Bool().Draw(t, "with more") {
			reversible := rapid.Bool().Draw(t, "reversible")
			d.Reversible = &reversible
			d.Authors = []string{anyName.Draw(t, "author")}
			d.Labels = map[string]string{anyName.Draw(t, "label"): line.Draw(t, "value")}
			d.Links = map[string]string{"pipeline": "https://ci.example.com/" + rapid.StringMatching(`[a-z0-9]*`).Draw(t, "link")}
			d.Extra = map[string]json.RawMessage{"ticket": json.RawMessage(`{"key":"SHOP-7","weight":1.50}`)}
		}
		return d
	})
}

func TestWhatIsEncodedIsParsedTheSame(t *testing.T) {
	schema := schema(t)
	rapid.Check(t, func(rt *rapid.T) {
		want := deployments().Draw(rt, "deployment")
		subject, data, err := events.Encode(want)
		if err != nil {
			rt.Fatal(err)
		}
		if strings.Count(subject, ".") != 2 || strings.ContainsAny(subject, " *>") {
			rt.Fatalf("subject %q", subject)
		}
		got, err := events.Parse(events.Message{Subject: subject, Data: data}, now)
		if err != nil {
			rt.Fatal(err)
		}
		same(t, got, want)
		if err := valid(t, schema, data); err != nil {
			rt.Fatal(err)
		}
	})
}

func TestEncodeRefusesBeforePublishing(t *testing.T) {
	good := rules.Deployment{ID: "1", Service: "checkout", Environment: "production", Version: "2.4.0"}
	if _, _, err := events.Encode(good); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		spoil func(*rules.Deployment)
		field string
	}{
		"no id":                     {func(d *rules.Deployment) { d.ID = "" }, "id"},
		"no environment":            {func(d *rules.Deployment) { d.Environment = "" }, "environment"},
		"no service":                {func(d *rules.Deployment) { d.Service = "" }, "service"},
		"no version":                {func(d *rules.Deployment) { d.Version = "" }, "version"},
		"a blank in the version":    {func(d *rules.Deployment) { d.Version = "2 4" }, "version"},
		"a wildcard in the service": {func(d *rules.Deployment) { d.Service = "*" }, "service"},
		"a step nobody knows":       {func(d *rules.Deployment) { d.Step = "done" }, "step"},
		"a toggle without a flag":   {func(d *rules.Deployment) { d.Strategy = rules.FeatureToggle }, "flag"},
		"a link that is no page":    {func(d *rules.Deployment) { d.Links = map[string]string{"x": "ftp://x"} }, "links.x"},
		"an extra that is known":    {func(d *rules.Deployment) { d.Extra = map[string]json.RawMessage{"version": json.RawMessage(`"3"`)} }, "version"},
		"an extra that is no JSON":  {func(d *rules.Deployment) { d.Extra = map[string]json.RawMessage{"x": json.RawMessage(`{`)} }, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := good
			test.spoil(&d)
			_, _, err := events.Encode(d)
			var reason *events.Reason
			if err == nil || (test.field != "" && (!errors.As(err, &reason) || reason.Field != test.field)) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestTheSubjectOfANameWithADotIsEncoded(t *testing.T) {
	subject, data, err := events.Encode(rules.Deployment{ID: "1", Service: "team/shop.v1", Environment: "eu.prod", Version: "2"})
	if err != nil || subject != "deployments.eu%2Eprod.team%2Fshop%2Ev1" {
		t.Fatalf("got %q, %v", subject, err)
	}
	d := parse(t, events.Message{Subject: subject, Data: data})
	if d.Service != "team/shop.v1" || d.Environment != "eu.prod" {
		t.Errorf("got %s", d.Lane())
	}
}
