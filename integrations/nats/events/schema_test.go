package events_test

import (
	"bytes"
	"errors"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
)

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiled, err := compiler.Compile("../../../configs/deployment.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

func valid(t testing.TB, schema *jsonschema.Schema, data []byte) error {
	t.Helper()
	event, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%v in %s", err, data)
	}
	return schema.Validate(event)
}

func TestTheSchemaTakesWhatTheParserTakes(t *testing.T) {
	schema := schema(t)
	for _, name := range sampleNames(t, "native") {
		t.Run(name, func(t *testing.T) {
			if err := valid(t, schema, sample(t, name)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTheSchemaRefusesWhatTheParserRefuses(t *testing.T) {
	schema := schema(t)
	for _, name := range sampleNames(t, "refused") {
		t.Run(name, func(t *testing.T) {
			if valid(t, schema, sample(t, name)) == nil {
				t.Error("valid by the schema")
			}
		})
	}
}

// FuzzSchema holds the parser and the schema together. What a schema cannot say is
// left out: a key given twice, depth, size, huge numbers, the clock.
func FuzzSchema(f *testing.F) {
	for _, folder := range []string{"native", "refused"} {
		for _, name := range sampleNames(f, folder) {
			f.Add(sample(f, name))
		}
	}
	f.Add([]byte(`{"id": "1", "version": "2", "links": {"a": "https://x/é"}, "notes": "\u0085"}`))
	f.Add([]byte(`{"id": "1", "version": "2", "at": "2026-11-23T23:59:60Z"}`))
	f.Add([]byte(`{"id": "1\n", "version": "2", "by": "\u009f"}`))
	schema := schema(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := events.Parse(events.Message{Subject: "deployments.production.checkout", Data: data}, now)
		var reason *events.Reason
		if errors.As(err, &reason) && unsayable(*reason) || d.Source != "" && d.At != now {
			return
		}
		if said := valid(t, schema, data); (said == nil) != (err == nil) {
			t.Errorf("parser: %v; schema: %v", err, said)
		}
	})
}
