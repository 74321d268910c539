package incidents_test

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/incidents"
	"github.com/bakewatch/bakewatch/watcher/replay"
)

// rows are what is expected of a series: begin and length in seconds, all, bad.
type rows [][4]float64

func TestCountsAreReadAsTheyStand(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		want rows
	}{
		"Unix seconds":         {"time,total,bad\n60,10,1\n120,20,2\n", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
		"RFC 3339":             {"time,total,bad\n1970-01-01T00:01:00Z,10,1\n1970-01-01T01:02:00+01:00,20,2\n", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
		"fractions of seconds": {"time,total,bad\n60.5,10,1\n120.5,20,2\n", rows{{60.5, 60, 10, 1}, {120.5, 60, 20, 2}}},
		"blanks, a mark at the beginning and the ends of lines of Windows": {"\ufefftime, total , bad\r\n60, 10, 1\r\n120,20,2", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
		"empty lines":                    {"time,total,bad\n\n60,10,1\n\n120,20,2\n\n", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
		"in any order":                   {"time,total,bad\n120,20,2\n60,10,1\n", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
		"a repeated row counts once":     {"time,total,bad\n60,10,1\n120,20,2\n60,10,1\n", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
		"an empty total is a gap":        {"time,total,bad\n60,10,1\n120,,2\n180,30,3\n", rows{{60, 60, 10, 1}, {180, 60, 30, 3}}},
		"an empty count of bad is a gap": {"time,total,bad\n60,10,1\n120,20,\n180,30,3\n", rows{{60, 60, 10, 1}, {180, 60, 30, 3}}},
		"NaN is a gap":                   {"time,total,bad\n60,10,1\n120,20,NaN\n180,nan,3\n240,40,4\n", rows{{60, 60, 10, 1}, {240, 60, 40, 4}}},
		"zero is no gap":                 {"time,total,bad\n60,0,0\n120,20,0\n", rows{{60, 60, 0, 0}, {120, 60, 20, 0}}},
		"a missing row is a gap":         {"time,total,bad\n0,1,0\n60,1,0\n120,1,0\n300,1,0\n", rows{{0, 60, 1, 0}, {60, 60, 1, 0}, {120, 60, 1, 0}, {300, 60, 1, 0}}},
		"a little off is no gap":         {"time,total,bad\n0,1,0\n60,1,0\n121,1,0\n180,1,0\n", rows{{0, 60, 1, 0}, {60, 61, 1, 0}, {121, 59, 1, 0}, {180, 60, 1, 0}}},
		"increase() gives fractions":     {"time,total,bad\n60,10.02,1.0001\n120,19.98,1.9\n", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
		"powers of ten":                  {"time,total,bad\n60,1e3,1E1\n120,2e3,0\n", rows{{60, 60, 1000, 10}, {120, 60, 2000, 0}}},
		"only gaps are a series of none": {"time,total,bad\n60,,\n120,,\n", rows{}},
		"quoted":                         {"\"time\",\"total\",\"bad\"\n\"60\",\"10\",\"1\"\n120,20,2\n", rows{{60, 60, 10, 1}, {120, 60, 20, 2}}},
	} {
		t.Run(name, func(t *testing.T) {
			measures, err := incidents.ReadCounts("x.csv", strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			if len(measures) != 1 || measures[0].Name != "bad" {
				t.Fatalf("%+v", measures)
			}
			compare(t, measures[0].Series, test.want)
		})
	}
}

func compare(t *testing.T, got replay.Series, want rows) {
	t.Helper()
	if len(got.Rows) != len(want) {
		t.Fatalf("%d rows, want %d: %+v", len(got.Rows), len(want), got.Rows)
	}
	for i, row := range got.Rows {
		is := [4]float64{float64(row.From.UnixMilli()) / 1000, row.To.Sub(row.From).Seconds(), row.Total, row.Bad}
		if is != want[i] {
			t.Errorf("row %d: %v, want %v", i, is, want[i])
		}
	}
}

func TestEveryFurtherColumnIsAMeasureOfItsOwn(t *testing.T) {
	measures, err := incidents.ReadCounts("x.csv", strings.NewReader("time,total,errors,slow\n60,10,1,\n120,20,2,3\n"))
	if err != nil || len(measures) != 2 || measures[1].Name != "slow" {
		t.Fatal(measures, err)
	}
	compare(t, measures[0].Series, rows{{60, 60, 10, 1}, {120, 60, 20, 2}})
	compare(t, measures[1].Series, rows{{120, 60, 20, 3}})
}

func TestWhatIsWrongIsToldWithItsLineAndWhatToDo(t *testing.T) {
	for name, test := range map[string]struct{ text, want string }{
		"an empty file":           {"", `x.csv: the file is empty; begin the file with "time,total,bad"`},
		"no header":               {"60,10,1\n", `x.csv:1: the header is "60,10,1"; begin the file with "time,total,bad"`},
		"nothing that is bad":     {"time,total\n60,10\n", `x.csv:1: the header is "time,total"; begin the file with "time,total,bad"`},
		"a column twice":          {"time,total,bad,bad\n", `x.csv:1: there are two columns "bad"; name every column once`},
		"a column without a name": {"time,total,\n", `x.csv:1: "" is no name of a column; use small letters, digits, - and _`},
		"no row":                  {"time,total,bad\n", `x.csv: 0 rows; two rows at least tell how long one lasts`},
		"one row":                 {"time,total,bad\n60,1,0\n", `x.csv: 1 rows; two rows at least tell how long one lasts`},
		"too few values":          {"time,total,bad\n60,1\n", "x.csv:2: 2 values, 3 columns; every line has a value or nothing between its commas"},
		"no time":                 {"time,total,bad\n,1,0\n", "x.csv:2: time: it is missing; write Unix seconds or 2026-01-02T15:04:05Z"},
		"a time without its zone": {"time,total,bad\n2026-01-02T15:04:05,1,0\n", `x.csv:2: time: "2026-01-02T15:04:05" is no time; write Unix seconds or 2026-01-02T15:04:05Z`},
		"milliseconds":            {"time,total,bad\n1767366245000,1,0\n", `x.csv:2: time: "1767366245000" are milliseconds, not seconds; write Unix seconds or 2026-01-02T15:04:05Z`},
		"a time that is none":     {"time,total,bad\nNaN,1,0\n", `x.csv:2: time: "NaN" is no time; write Unix seconds or 2026-01-02T15:04:05Z`},
		"a word":                  {"time,total,bad\n60,many,0\n", `x.csv:2: total: "many" is no number; leave it empty where nothing is known`},
		"infinite":                {"time,total,bad\n60,+Inf,0\n", `x.csv:2: total: +Inf is no count; leave it empty where nothing is known`},
		"negative":                {"time,total,bad\n60,5,-1\n", `x.csv:2: bad: -1 is negative; counts of a row, not a counter's or a difference's value`},
		"more bad than all":       {"time,total,bad\n60,5,6\n", `x.csv:2: bad 6 of 5 in all; the bad ones are among all of them`},
		"rows that contradict":    {"time,total,bad\n60,5,1\n120,5,1\n60,5,2\n", `x.csv:4: bad: line 2 is of the same time and says something else; keep one of them`},
		"a gap that contradicts":  {"time,total,bad\n60,,\n120,5,1\n60,5,2\n", `x.csv:4: bad: line 2 is of the same time and says something else; keep one of them`},
		"an open quotation":       {"time,total,bad\n60,\"5,1\n", "x.csv:2: no CSV: extraneous or missing \" in quoted-field; a quoted value must be closed"},
		"all of it at once":       {"time,total,bad\nx,1,0\n60,y,z\n", "x.csv:2: time: \"x\" is no time; write Unix seconds or 2026-01-02T15:04:05Z\nx.csv:3: total: \"y\" is no number; leave it empty where nothing is known\nx.csv:3: bad: \"z\" is no number; leave it empty where nothing is known"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := incidents.ReadCounts("x.csv", strings.NewReader(test.text))
			if _, ok := errors.AsType[incidents.Problems](err); !ok || err.Error() != test.want {
				t.Errorf("%v\nwant %s", err, test.want)
			}
		})
	}
}

func TestOfVeryManyProblemsTheFirstAreTold(t *testing.T) {
	_, err := incidents.ReadCounts("x.csv", strings.NewReader("time,total,bad\n"+strings.Repeat("x,1,0\n", 50)))
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 21 || lines[20] != "x.csv: and 30 more" {
		t.Errorf("%v", err)
	}
}

func FuzzReadCounts(f *testing.F) {
	for _, text := range []string{
		"time,total,bad\n60,10,1\n120,20,2\n",
		"time,total,bad,slow\n2026-01-02T15:04:05Z,10,,1\n2026-01-02T15:05:05Z,NaN,2,\n",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		measures, err := incidents.ReadCounts("x.csv", bytes.NewReader(text))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "x.csv") {
				t.Errorf("it does not say where: %v", err)
			}
			return
		}
		for _, m := range measures {
			var last time.Time
			for i, row := range m.Series.Rows {
				sane := row.Bad >= 0 && row.Bad <= row.Total && row.Total == math.Trunc(row.Total) && row.Bad == math.Trunc(row.Bad)
				if !sane || !row.To.After(row.From) || i > 0 && row.From.Before(last) {
					t.Fatalf("row %d: %+v after %s", i, row, last)
				}
				last = row.To
			}
		}
	})
}

func FuzzLabels(f *testing.F) {
	f.Add([]byte("time,bad,until\n60,true,120\n70,no,\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		folder := t.TempDir()
		for name, content := range map[string][]byte{"a.csv": []byte("time,total,bad\n60,10,1\n120,20,2\n"), "incidents.csv": text} {
			if err := os.WriteFile(folder+"/"+name, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		recordings, err := incidents.Load(folder)
		if err != nil {
			return
		}
		for _, r := range recordings {
			from, to := r.Span()
			for _, d := range r.Deployments {
				if d.At.Before(from) || !d.At.Before(to) {
					t.Fatalf("%+v is outside of the recording", d)
				}
			}
			if len(r.Wrong) != len(r.Bad()) {
				t.Fatalf("%d stretches, %d bad deployments", len(r.Wrong), len(r.Bad()))
			}
		}
	})
}
