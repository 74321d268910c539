package events_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/integrations/nats/events"
)

func TestHarmfulMessagesAreRefusedWithAReason(t *testing.T) {
	nested := func(n int) string {
		return `{"id": "1", "version": "2", "x": ` + strings.Repeat("[", n-1) + strings.Repeat("]", n-1) + `}`
	}
	tests := map[string]struct{ body, field, what string }{
		"nothing":                        {"", "", "is not a JSON object"},
		"blanks":                         {" \n", "", "is not a JSON object"},
		"a list":                         {"[]", "", "is not a JSON object"},
		"a text":                         {`"deployed"`, "", "is not a JSON object"},
		"no JSON":                        {`{"id": checkout}`, "", "is not JSON, at byte"},
		"half an object":                 {`{"id": "1", "ver`, "", "breaks off"},
		"a comma too many":               {`{"id": "1",}`, "", "is not JSON"},
		"two objects":                    {`{"id": "1", "version": "2"} {}`, "", "goes on after its JSON object"},
		"bytes after the object":         {`{"id": "1", "version": "2"}]`, "", "goes on after its JSON object"},
		"invalid UTF-8":                  {"{\"id\": \"\xff\"}", "", "not valid UTF-8 at byte 8"},
		"a key given twice":              {`{"id": "1", "version": "2", "version": "3"}`, "version", "is given twice"},
		"a key given twice with escapes": {`{"id": "1", "version": "2", "\u0076ersion": "3"}`, "version", "is given twice"},
		"a key given twice further in":   {`{"id": "1", "version": "2", "x": [{"a": 1, "a": 2}]}`, "x.0.a", "is given twice"},
		"a huge number":                  {`{"id": "1", "version": "2", "x": {"big": 1e999999999}}`, "x.big", "is too large"},
		"too deep":                       {nested(events.MaxDepth + 1), "x", "deeper than 32"},
		"far too deep":                   {nested(500_000), "x", "deeper than 32"},
		"far too deep and never closed":  {`{"x": ` + strings.Repeat(`{"x":`, 100_000), "x", "deeper than 32"},
		"too large":                      {`{"x": "` + strings.Repeat("x", events.MaxSize) + `"}`, "", "at most 1048576"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := native(test.body)
			if test.what == "deeper than 32" {
				_, err := events.Parse(in, now)
				if err == nil || !strings.Contains(err.Error(), test.what) {
					t.Errorf("got %v", err)
				}
				return
			}
			refused(t, in, test.field, test.what)
		})
	}
	t.Run("nesting up to the limit is kept", func(t *testing.T) { parse(t, native(nested(events.MaxDepth))) })
}

func TestAReasonIsShortAndPrintable(t *testing.T) {
	long := strings.Repeat("long\n\x1b[2J", 2000)
	bodies := map[string]string{
		"a long value": `{"id": "1", "version": ` + quoteJSON(t, long) + `}`,
		"a long key":   `{"id": "1", "version": "2", "labels": {` + quoteJSON(t, long) + `: 1}}`,
		"a key twice":  `{` + quoteJSON(t, long) + `: 1, ` + quoteJSON(t, long) + `: 1}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			_, err := events.Parse(native(body), now)
			if err == nil {
				t.Fatal("accepted")
			}
			if text := err.Error(); len(text) > 1000 || strings.ContainsAny(text, "\n\x1b") {
				t.Errorf("got %d bytes: %q", len(text), text)
			}
		})
	}
}

func TestAMessageOf10MBCostsNoMemory(t *testing.T) {
	in := native(`{"x": "` + strings.Repeat("x", 10<<20) + `"}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	refused(t, in, "", "at most")
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("allocated %d bytes", used)
	}
}

func TestAMessageOfManySmallPartsCostsBoundedMemory(t *testing.T) {
	in := native(`{"x": [` + strings.TrimSuffix(strings.Repeat("0,", 400_000), ",") + `]}`)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := events.Parse(in, now)
	runtime.ReadMemStats(&after)
	if err == nil {
		t.Fatal("accepted without an id")
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 100<<20 {
		t.Errorf("allocated %d bytes", used)
	}
}
