package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
)

func TestCDEventsMeanSteps(t *testing.T) {
	tests := map[string]struct {
		step    rules.Step
		version string // empty: nothing to watch
	}{
		"deployed":               {rules.Finished, "2.4.0"},
		"upgraded":               {rules.Finished, "2.4.0"},
		"rolledback":             {rules.RolledBack, "2.3.9"},
		"published":              {"", ""},
		"published-with-version": {rules.Finished, "2.4.0"},
		"removed":                {"", ""},
		"removed-with-version":   {rules.Cancelled, "2.4.0"},
	}
	for name, test := range tests {
		for _, release := range []string{"0.4", "0.5"} {
			t.Run(name+" in CDEvents "+release, func(t *testing.T) {
				d, err := events.Parse(events.Message{Data: sample(t, "cdevents/"+name+"-"+release+".json")}, now)
				var nothing *events.Nothing
				if errors.As(err, &nothing) {
					d = nothing.Deployment
				} else if err != nil {
					t.Fatal(err)
				}
				if (nothing != nil) != (test.version == "") || d.Version != test.version || (nothing == nil && d.Step != test.step) {
					t.Errorf("got step %q, version %q, error %v", d.Step, d.Version, err)
				}
				if d.Service != "checkout" || d.Environment != "production" {
					t.Errorf("got %s/%s", d.Environment, d.Service)
				}
			})
		}
	}
}

func TestCustomDataSaysWhatCDEventsCannot(t *testing.T) {
	d := parse(t, events.Message{Data: sample(t, "cdevents/upgraded-0.5.json")})
	if d.Strategy != rules.Canary || d.Stage != "25%" || d.Previous != "2.3.9" || d.By != "ci/checkout#991" || !slices.Equal(d.Authors, []string{"ana"}) {
		t.Errorf("got %+v", d)
	}
	if d.ID != "5d1a4b0e-upgraded-05" || d.Source != "/ci/checkout" || !d.At.Equal(time.Date(2026, 11, 23, 10, 0, 0, 250e6, time.UTC)) {
		t.Errorf("got id %q, source %q, at %s", d.ID, d.Source, d.At)
	}
	if got := extraKeys(d); !slices.Equal(got, []string{"cdevent", "ticket"}) {
		t.Errorf("got extra %q", got)
	}
}

// change returns the sample with one field replaced; nil removes it.
func change(t testing.TB, value any, path ...string) events.Message {
	t.Helper()
	var event map[string]any
	if err := json.Unmarshal(sample(t, "cdevents/deployed-0.5.json"), &event); err != nil {
		t.Fatal(err)
	}
	inner := event
	for _, key := range path[:len(path)-1] {
		if inner[key] == nil {
			inner[key] = map[string]any{}
		}
		inner = inner[key].(map[string]any)
	}
	last := path[len(path)-1]
	if inner[last] = value; value == nil {
		delete(inner, last)
	}
	data, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	return events.Message{Data: data}
}

func TestTheVersionIsReadFromTheArtifact(t *testing.T) {
	tests := map[string]struct{ artifact, version string }{
		"the tag of an OCI image goes before its digest": {"pkg:oci/mysvc@sha256%3A0b31?tag=2.4.0", "2.4.0"},
		"an OCI image without a tag has its digest":      {"pkg:oci/mysvc@sha256%3A0b31b1c0", "sha256:0b31b1c0"},
		"a container image":                              {"pkg:docker/team/mysvc@2.4.0", "2.4.0"},
		"a Go module":                                    {"pkg:golang/example.com/team/mysvc@v2.4.0", "v2.4.0"},
		"a scope in the name is no version":              {"pkg:npm/%40team/mysvc@2.4.0", "2.4.0"},
		"a subpath is no version":                        {"pkg:golang/example.com/mysvc@v2.4.0#cmd/mysvc", "v2.4.0"},
		"an image reference":                             {"registry.example.com:5000/team/mysvc:2.4.0@sha256:0b31", "2.4.0"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := parse(t, change(t, test.artifact, "subject", "content", "artifactId"))
			if d.Version != test.version || d.Artifact != test.artifact {
				t.Errorf("got version %q, artifact %q", d.Version, d.Artifact)
			}
		})
	}
	t.Run("customData goes before it", func(t *testing.T) {
		if d := parse(t, change(t, "9.9", "customData", "version")); d.Version != "9.9" {
			t.Errorf("got %q", d.Version)
		}
	})
}

func TestTheServiceIsTheEndOfItsPath(t *testing.T) {
	tests := map[string]string{
		"checkout": "checkout", "service/checkout": "checkout", "/daemonset/checkout/": "checkout", "team/checkout": "team/checkout",
		"/apis/apps/v1/namespaces/shop/deployments/checkout": "checkout", "apps/service": "service", "service": "service",
	}
	for id, want := range tests {
		t.Run(id, func(t *testing.T) {
			if d := parse(t, change(t, id, "subject", "id")); d.Service != want {
				t.Errorf("got %q, want %q", d.Service, want)
			}
		})
	}
	t.Run("customData goes before it", func(t *testing.T) {
		if d := parse(t, change(t, "cart", "customData", "service")); d.Service != "cart" {
			t.Errorf("got %q", d.Service)
		}
	})
}

func TestACDEventThatIsNotUnderstoodIsRefusedWithItsField(t *testing.T) {
	tests := map[string]struct {
		in          events.Message
		field, what string
	}{
		"another kind of event":           {change(t, "dev.cdevents.build.started.0.2.0", "context", "type"), "context.type", "is not read"},
		"another predicate":               {change(t, "dev.cdevents.service.paused.0.3.0", "context", "type"), "context.type", "is not read"},
		"a version to come":               {change(t, "dev.cdevents.service.deployed.1.0.0", "context", "type"), "context.type", "versions 0.x"},
		"no id":                           {change(t, nil, "context", "id"), "context.id", "is missing"},
		"no source":                       {change(t, nil, "context", "source"), "context.source", "is missing"},
		"a time without a zone":           {change(t, "2026-11-23T10:00:00", "context", "timestamp"), "context.timestamp", "RFC 3339"},
		"no subject":                      {change(t, nil, "subject"), "subject.id", "is missing"},
		"a service that is no name":       {change(t, "check out", "subject", "id"), "subject.id", "is not valid"},
		"no environment":                  {change(t, nil, "subject", "content", "environment"), "subject.content.environment.id", "is missing"},
		"an environment that is a string": {change(t, "production", "subject", "content", "environment"), "subject.content.environment", "is a string, not an object"},
		"no artifact":                     {change(t, nil, "subject", "content", "artifactId"), "subject.content.artifactId", "customData.version"},
		"an artifact without a version":   {change(t, "pkg:oci/checkout", "subject", "content", "artifactId"), "subject.content.artifactId", "names no version"},
		"an artifact of another form":     {change(t, "0b31b1c02ff458ad", "subject", "content", "artifactId"), "subject.content.artifactId", "names no version"},
		"a version that is no name":       {change(t, "pkg:oci/checkout?tag=%22%7D", "subject", "content", "artifactId"), "subject.content.artifactId", "is not valid"},
		"a broken package URL":            {change(t, "pkg:oci", "subject", "content", "artifactId"), "subject.content.artifactId", "not a package URL"},
		"a wrong type in customData":      {change(t, 1, "customData", "version"), "customData.version", "is a number"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { refused(t, test.in, test.field, test.what) })
	}
}

func TestACDEventMustAgreeWithItsSubject(t *testing.T) {
	in := events.Message{Subject: "dev.cdevents.service.removed.0.3.0", Data: sample(t, "cdevents/deployed-0.5.json")}
	refused(t, in, "context.type", `the subject says "removed"`)
	in.Subject = "deployments.staging.checkout"
	refused(t, in, "environment", "staging")
	in.Subject = "dev.cdevents.service.deployed.0.3.0"
	parse(t, in)
}

func TestCustomDataMayNotDenyARollback(t *testing.T) {
	data := bytes.Replace(sample(t, "cdevents/rolledback-0.5.json"), []byte(`"context"`), []byte(`"customData": {"step": "finished"}, "context"`), 1)
	refused(t, events.Message{Data: data}, "customData.step", "leave it out")
}

func TestCustomDataMaySayMoreOfADeployment(t *testing.T) {
	if d := parse(t, change(t, "started", "customData", "step")); d.Step != rules.Started {
		t.Errorf("got %q", d.Step)
	}
}

func TestCustomDataThatIsNoObjectIsKept(t *testing.T) {
	d := parse(t, change(t, "PHhtbC8+", "customData"))
	if string(d.Extra["customData"]) != `"PHhtbC8+"` {
		t.Errorf("got %s", d.Extra["customData"])
	}
}
