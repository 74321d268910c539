package incidents_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/incidents"
	"github.com/bakewatch/bakewatch/watcher/replay"
)

// folder writes files and returns their folder.
func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	in := t.TempDir()
	for name, text := range files {
		path := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return in
}

const two = "time,total,bad\n60,10,1\n120,20,2\n"

func TestAFolderIsReadWithTheFoldersBelowIt(t *testing.T) {
	recordings, err := incidents.Load(folder(t, map[string]string{
		"shop.csv": two, "eu/shop.csv": two, "eu/basket.csv": two,
		"eu/incidents.csv": "time,bad,recording,until,name\n60,true,shop,90,2.4.0\n100,no,basket,,\n",
		"notes.txt":        "not read",
	}))
	if err != nil {
		t.Fatal(err)
	}
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0).UTC() }
	for name, want := range map[string][]replay.Deployment{
		"shop":      nil,
		"eu/shop":   {{Name: "2.4.0", At: at(60), Bad: true}},
		"eu/basket": {{Name: "1970-01-01T00:01:40Z", At: at(100)}},
	} {
		r := find(t, recordings, name)
		if len(r.Deployments) != len(want) || len(want) > 0 && r.Deployments[0] != want[0] {
			t.Errorf("%s: %+v", name, r.Deployments)
		}
	}
	if wrong := find(t, recordings, "eu/shop").Wrong; len(wrong) != 1 || !wrong[0].From.Equal(at(60)) || !wrong[0].To.Equal(at(90)) {
		t.Errorf("%+v", wrong)
	}
}

func find(t *testing.T, recordings []replay.Recording, name string) replay.Recording {
	t.Helper()
	for _, r := range recordings {
		if r.Name == name {
			return r
		}
	}
	t.Fatalf("there is no %s", name)
	return replay.Recording{}
}

func TestWhatIsWrongInAFolderIsToldAllAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		files map[string]string
		want  []string
	}{
		"several files": {map[string]string{"a.csv": "x", "b/b.csv": "y"}, []string{"a.csv:1: the header", "b.csv:1: the header"}},
		"labels of an unknown recording": {
			map[string]string{"a.csv": two, "b.csv": two, "incidents.csv": "time,bad\n60,true\n"},
			[]string{`incidents.csv:2: there is no recording ""; name a file of this folder`},
		},
		"labels of another time": {
			map[string]string{"a.csv": two, "incidents.csv": "time,bad\n999,true\n59,false\n"},
			[]string{"incidents.csv:2: nothing was recorded at 1970-01-01T00:16:39Z", "incidents.csv:3: nothing was recorded", "was recorded from 1970-01-01T00:01:00Z to"},
		},
		"labels that are none": {
			map[string]string{"a.csv": two, "incidents.csv": "time,bad,until\n60,perhaps,50\nx,true,\n60,true\n"},
			[]string{`incidents.csv:2: bad: "perhaps" is neither true nor false`, "incidents.csv:2: until", `incidents.csv:3: time: "x" is no time`, "incidents.csv:4: 2 values, 3 columns"},
		},
		"an unknown column": {
			map[string]string{"a.csv": two, "incidents.csv": "time,bad,colour\n"},
			[]string{`incidents.csv:1: column "colour"; begin the file with "time,bad"`},
		},
		"no column of what is bad": {
			map[string]string{"a.csv": two, "incidents.csv": "time,until\n"},
			[]string{`incidents.csv:1: the header is "time,until"`},
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := incidents.Load(folder(t, test.files))
			if _, ok := errors.AsType[incidents.Problems](err); !ok {
				t.Fatalf("%v", err)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it does not say %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestAFolderWithoutRecordingsIsAnError(t *testing.T) {
	if _, err := incidents.Load(t.TempDir()); !errors.Is(err, incidents.ErrNothing) {
		t.Errorf("%v", err)
	}
	if _, err := incidents.Load(filepath.Join(t.TempDir(), "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestAFolderMayHaveAnyName(t *testing.T) {
	in := filepath.Join(t.TempDir(), "a[b*c?")
	if err := os.Mkdir(in, 0o700); err != nil {
		t.Skip("not on this file system")
	}
	if err := os.WriteFile(filepath.Join(in, "a.csv"), []byte(two), 0o600); err != nil {
		t.Fatal(err)
	}
	if recordings, err := incidents.Load(in); err != nil || len(recordings) != 1 {
		t.Errorf("%v, %v", recordings, err)
	}
}

// pet is a metrics.csv in the layout of PetShop, made up.
const pet = `microservice,PetSearch,PetSite,PetSite,PetSite,PetSite,PetSite,PetSite
metric,requests,requests,availability,latency,latency,latency,latency
statistic,Sum,Sum,Average,p50,p90,p95,p99
unix_timestamp,,,,,,,
`

func TestThePetShopLayoutIsRead(t *testing.T) {
	recordings, err := incidents.Load(folder(t, map[string]string{
		"high/noissue/metrics.csv": pet + `300.0,7,1000,99.9,0.05,0.2,0.3,0.4
600.0,7,1000,,0.05,0.2,0.3,0.4
900.0,7,1000,100,0.05,0.2,0.3,
1200.0,7,,100,0.05,0.2,0.3,0.4
1500.0,7,995,98.9949748,0.05,0.2,0.4,0.5
`,
		"high/train/issue_0/metrics.csv": pet + "9000.0,7,800,100,0.05,0.2,0.3,0.4\n9300.0,7,800,50,0.05,0.4,0.6,0.9\n",
		"high/train/issue_0/target.json": `{"target": {"node": "PetSite", "metric": "availability", "timestamp": 9250}}`,
	}))
	if err != nil {
		t.Fatal(err)
	}
	healthy, issue := find(t, recordings, "high/noissue"), find(t, recordings, "high/issue_0")
	compare(t, healthy.Measures[0].Series, rows{{300, 300, 1000, 1}, {900, 300, 1000, 0}, {1500, 300, 995, 10}})
	compare(t, healthy.Measures[1].Series, rows{{300, 300, 1000, 10}, {600, 300, 1000, 10}, {1500, 300, 995, 50}})
	if got := healthy.Measures[1].Subject; got != "requests slower than 400ms" {
		t.Error(got)
	}
	// The healthy operation ends where the issue begins.
	compare(t, issue.Measures[0].Series, rows{{7500, 300, 1000, 1}, {8100, 300, 1000, 0}, {8700, 300, 995, 10}, {9000, 300, 800, 0}, {9300, 300, 800, 400}})
	if d := issue.Deployments; len(d) != 1 || !d[0].Bad || d[0].At.Unix() != 9250 || issue.Borrowed.Unix() != 9000 {
		t.Errorf("%+v, borrowed until %s", d, issue.Borrowed)
	}
	if good := issue.Good(time.Minute, 0, time.Minute); len(good) > 4 {
		t.Errorf("%d good deployments in a borrowed past", len(good))
	}
}

func TestWhatIsWrongInPetShopDataIsTold(t *testing.T) {
	for name, test := range map[string]struct{ metrics, issue, target, want string }{
		"no such column":       {"a,b\nc,d\ne,f\ng,h\n", "", "", "noissue/metrics.csv:1: there is no column (PetSite, requests, Sum)"},
		"headers only":         {pet, "", "", "noissue/metrics.csv: 0 rows"},
		"an empty file":        {"", "", "", "noissue/metrics.csv: the file is empty"},
		"a percentage":         {pet + "300,1,1,101,1,1,1,1\n", "", "", "noissue/metrics.csv:5: availability 101"},
		"a word":               {pet + "300,1,many,100,1,1,1,1\n", "", "", `noissue/metrics.csv:5: requests Sum: "many" is no value`},
		"no time":              {pet + "x,1,1,100,1,1,1,1\n", "", "", `noissue/metrics.csv:5: time: "x" is no time`},
		"a target elsewhere":   {"", pet + "300,1,1,100,1,1,1,1\n600,1,1,100,1,1,1,1\n", `{"target":{"timestamp":5000}}`, "target.json: the timestamp 5000 is not within"},
		"a target that is not": {"", pet + "300,1,1,100,1,1,1,1\n600,1,1,100,1,1,1,1\n", `{}`, "target.json: target.timestamp is missing"},
		"no JSON":              {"", pet + "300,1,1,100,1,1,1,1\n600,1,1,100,1,1,1,1\n", `time`, "target.json: no JSON"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"noissue/metrics.csv": test.metrics}
			if test.issue != "" {
				files["noissue/metrics.csv"] = test.issue
				files["train/issue_0/metrics.csv"], files["train/issue_0/target.json"] = test.issue, test.target
			}
			_, err := incidents.Load(folder(t, files))
			if err == nil || !strings.Contains(filepath.ToSlash(err.Error()), test.want) {
				t.Errorf("%v, want %s", err, test.want)
			}
		})
	}
}

func TestTheShareOfSlowRequestsIsInterpolatedBetweenPercentiles(t *testing.T) {
	nan := math.NaN()
	for name, test := range map[string]struct {
		limit, p50, p90, p95, p99, want float64
	}{
		"at a percentile":               {0.3, 0.1, 0.2, 0.3, 0.6, 0.05},
		"between two, a Pareto tail":    {0.1 * math.Sqrt2, 0.1, 0.2, 0.3, 0.6, math.Sqrt(0.5 * 0.1)},
		"beyond the last it goes on":    {1.2, 0.1, 0.2, 0.3, 0.6, 0.002},
		"below the median half is sure": {0.01, 0.1, 0.2, 0.3, 0.6, 0.5},
		"percentiles that are the same": {0.25, 0.1, 0.2, 0.2, 0.2, 0.01},
		"one that is missing":           {0.3, 0.1, nan, 0.3, 0.6, nan},
		"ones that contradict":          {0.3, 0.1, 0.4, 0.3, 0.6, nan},
		"one that is nothing":           {0.3, 0, 0.2, 0.3, 0.6, nan},
		"no limit is known":             {nan, 0.1, 0.2, 0.3, 0.6, nan},
	} {
		t.Run(name, func(t *testing.T) {
			got := incidents.SlowerThan(test.limit, test.p50, test.p90, test.p95, test.p99)
			if !(math.Abs(got-test.want) < 1e-9 || math.IsNaN(got) && math.IsNaN(test.want)) {
				t.Errorf("%v, want %v", got, test.want)
			}
		})
	}
}

// The data set itself is not part of this repository.
func TestThePetShopDataSetIsRead(t *testing.T) {
	const data = "../../../../../shared/data/petshop"
	if _, err := os.Stat(data); err != nil {
		t.Skip("the PetShop data are not here")
	}
	recordings, err := incidents.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	bad := 0
	for _, r := range recordings {
		bad += len(r.Bad())
	}
	if len(recordings) != 18 || bad != 16 {
		t.Errorf("%d recordings, %d bad deployments", len(recordings), bad)
	}
	total := replay.Counts{}
	for _, row := range find(t, recordings, "high_traffic/noissue").Measures[0].Series.Rows {
		total.Total, total.Bad = total.Total+row.Total, total.Bad+row.Bad
	}
	if total != (replay.Counts{Total: 406226, Bad: 364}) {
		t.Errorf("%+v", total)
	}
}
