package events_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
	"github.com/bakewatch/bakewatch/rules"
)

func quoteJSON(t testing.TB, value string) string {
	t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// binary returns the sample as a CloudEvent in binary mode.
func binary(t testing.TB, name string) events.Message {
	t.Helper()
	return events.Message{
		Subject: "dev.cdevents.service.deployed.0.3.0",
		Headers: map[string][]string{
			"ce-specversion": {"1.0"}, "ce-id": {"5d1a4b0e-deployed-05"}, "ce-source": {"/ci/checkout"},
			"ce-type": {"dev.cdevents.service.deployed.0.3.0"}, "Content-Type": {"application/json"},
		},
		Data: sample(t, name),
	}
}

func TestACDEventIsTheSameInEveryEnvelope(t *testing.T) {
	const subject = "dev.cdevents.service.deployed.0.3.0"
	bare := sample(t, "cdevents/deployed-0.5.json")
	want := parse(t, events.Message{Subject: subject, Data: bare})

	renamed := func(rename func(string) string) events.Message {
		in := binary(t, "cdevents/deployed-0.5.json")
		headers := map[string][]string{}
		for key, values := range in.Headers {
			headers[rename(key)] = values
		}
		in.Headers = headers
		return in
	}
	structured := sample(t, "cloudevents/structured-cdevent.json")
	based := `{"specversion": "1.0", "id": "1", "source": "/ci", "type": "` + subject + `", "data_base64": "` + base64.StdEncoding.EncodeToString(bare) + `"}`
	tests := map[string]events.Message{
		"binary, headers as they are":      renamed(func(key string) string { return key }),
		"binary, headers in upper case":    renamed(strings.ToUpper),
		"binary, headers with ce_":         renamed(func(key string) string { return strings.Replace(key, "ce-", "ce_", 1) }),
		"structured, by its content type":  {Subject: subject, Data: structured, Headers: map[string][]string{"content-type": {"application/cloudevents+json; charset=UTF-8"}}},
		"structured, by its body":          {Subject: subject, Data: structured},
		"structured, with ce- headers too": {Subject: subject, Data: structured, Headers: map[string][]string{"ce-specversion": {"1.0"}, "content-type": {"application/cloudevents+json"}}},
		"structured, data in base64":       {Subject: subject, Data: []byte(based)},
	}
	for name, in := range tests {
		t.Run(name, func(t *testing.T) { same(t, parse(t, in), want) })
	}
}

func TestANativeEventMayTravelInACloudEvent(t *testing.T) {
	d := parse(t, events.Message{Data: sample(t, "cloudevents/structured-native.json")})
	if d.Service != "checkout" || d.Source != "/ci/checkout" || !d.At.Equal(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)) || d.Step != rules.Finished {
		t.Errorf("got %+v", d)
	}
	if !strings.HasPrefix(d.ID, "sha256:") {
		t.Errorf("an id that is no name becomes a hash; got %q", d.ID)
	}
}

func TestACloudEventThatIsNoneIsRefused(t *testing.T) {
	with := func(key, value string) events.Message {
		in := binary(t, "cdevents/deployed-0.5.json")
		in.Headers[key] = []string{value}
		return in
	}
	twice := binary(t, "cdevents/deployed-0.5.json")
	twice.Headers["CE-ID"] = []string{"another"}
	body := func(text string) events.Message { return events.Message{Data: []byte(text)} }
	tests := map[string]struct {
		in          events.Message
		field, what string
	}{
		"a version nobody knows":         {with("ce-specversion", "7.0"), "specversion", "CloudEvents 1.0"},
		"no id":                          {with("ce-id", ""), "", "id"},
		"a time that is none":            {with("ce-time", "yesterday"), "time", "is not a time"},
		"a header that says two things":  {twice, "header ce-id", "twice"},
		"another type than its data":     {with("ce-type", "dev.cdevents.service.removed.0.3.0"), "data.context.type", "in a CloudEvent of type"},
		"a batch":                        {with("Content-Type", "application/cloudevents-batch+json"), "header content-type", "one event a message"},
		"structured without a source":    {body(`{"specversion": "1.0", "id": "1", "type": "x", "data": {}}`), "", "source"},
		"structured without data":        {body(`{"specversion": "1.0", "id": "1", "type": "x", "source": "/ci"}`), "data", "is not a JSON object"},
		"structured with text for data":  {body(`{"specversion": "1.0", "id": "1", "type": "x", "source": "/ci", "data": "x"}`), "data", "is not a JSON object"},
		"a number for base64":            {body(`{"data_base64": 1, "specversion": "1.0", "id": "1", "type": "x", "source": "/ci"}`), "data_base64", "is a number"},
		"broken base64":                  {body(`{"specversion": "1.0", "id": "1", "type": "x", "source": "/ci", "data_base64": "%%%"}`), "data_base64", "base64"},
		"a wrong type inside the data":   {body(`{"specversion": "1.0", "id": "1", "type": "x", "source": "/ci", "data": {"version": 2}}`), "data.version", "is a number"},
		"a CDEvent's type, no CDEvent":   {body(`{"specversion": "1.0", "id": "1", "type": "dev.cdevents.service.deployed.0.3.0", "source": "/ci", "data": {"id": "1"}}`), "data.context.type", "the data is the whole CDEvent"},
		"a key twice in base64":          {body(`{"specversion": "1.0", "id": "1", "type": "x", "source": "/ci", "data_base64": "` + base64.StdEncoding.EncodeToString([]byte(`{"id":"1","id":"2"}`)) + `"}`), "data.id", "twice"},
		"content type without its shape": {events.Message{Data: []byte(`{}`), Headers: map[string][]string{"content-type": {"application/cloudevents+json"}}}, "specversion", "is not read"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { refused(t, test.in, test.field, test.what) })
	}
}
