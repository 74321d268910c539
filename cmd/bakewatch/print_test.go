package main

import (
	"bytes"
	"strings"
	"testing"
	"time"
)

func TestPrinter(t *testing.T) {
	rows := []row{
		{colour: red, cells: []string{"breached", "5xx", "4.1 % > 1 %"}},
		{cells: []string{"healthy", "latency", "ok"}},
	}
	tests := map[string]struct {
		terminal, coloured bool
		want               string
	}{
		"a terminal gets a header, aligned columns and colours": {
			terminal: true, coloured: true,
			want: "\x1b[2mVERDICT   RULE     WHY\x1b[0m\n\x1b[31mbreached  5xx      4.1 % > 1 %\x1b[0m\nhealthy   latency  ok\n",
		},
		"a terminal without colours is aligned all the same": {
			terminal: true,
			want:     "VERDICT   RULE     WHY\nbreached  5xx      4.1 % > 1 %\nhealthy   latency  ok\n",
		},
		"a pipe gets tabs and nothing else": {
			want: "breached\t5xx\t4.1 % > 1 %\nhealthy\tlatency\tok\n",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			printer{w: &got, terminal: test.terminal, coloured: test.coloured}.table("", []string{"VERDICT", "RULE", "WHY"}, rows)
			if got.String() != test.want {
				t.Errorf("got:\n%q\nwant:\n%q", got.String(), test.want)
			}
		})
	}
}

func TestTimesAreReadAtAGlance(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "12s": 12 * time.Second, "4m": 4 * time.Minute, "4m30s": 4*time.Minute + 30*time.Second,
		"26m": 26*time.Minute + 20*time.Second, "1h": time.Hour, "1h5m": time.Hour + 5*time.Minute, "3d4h": 76 * time.Hour,
	} {
		if got := short(d); got != want {
			t.Errorf("%v reads %q, want %q", d, got, want)
		}
	}
	for want, at := range map[string]time.Time{"(overdue)": noon, "(in 5s)": noon.Add(5 * time.Second)} {
		if got := left(at, noon); !strings.HasSuffix(got, want) {
			t.Errorf("due %q, want %s", got, want)
		}
	}
	for want, at := range map[string]time.Time{"(just now)": noon, "(5s ago)": noon.Add(-5 * time.Second)} {
		if got := since(at, noon); !strings.HasSuffix(got, want) {
			t.Errorf("happened %q, want %s", got, want)
		}
	}
	if got := clock(noon, noon.AddDate(0, 0, 1)); len(got) <= len(time.TimeOnly) {
		t.Errorf("a time of another day has no day: %q", got)
	}
}
