package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/watcher/replay/peers"
)

// saysReplay runs replay and returns what it prints.
func saysReplay(t *testing.T, code int, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	if got := run(context.Background(), append([]string{"replay"}, args...), strings.NewReader(""), &out, &errs); got != code {
		t.Fatalf("exit %d, want %d: %s", got, code, errs.String())
	}
	return out.String(), errs.String()
}

func TestReplaySaysOfTheRecordingsWhatItSaid(t *testing.T) {
	for golden, args := range map[string][]string{
		"text.golden": nil,
		"json.golden": {"--output", "json", "--every", "6h"},
	} {
		t.Run(golden, func(t *testing.T) {
			got, _ := saysReplay(t, 0, append([]string{"--incidents", "testdata/replay"}, args...)...)
			path := filepath.Join("testdata", "replay", golden)
			if *update {
				write(t, path, got)
			}
			want, err := os.ReadFile(path) //nolint:gosec // a file of this repository
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("it says\n%s\nand said\n%s\nwrite it anew with go test ./cmd/bakewatch -run TestReplay -update", got, want)
			}
		})
	}
}

// What the golden files say may change with the judge; this may not.
func TestReplayDetectsTheBadReleaseOfTheRecordingsAndBlamesNoGoodOne(t *testing.T) {
	out, _ := saysReplay(t, 0, "--incidents", "testdata/replay")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if last := lines[len(lines)-1]; !regexp.MustCompile(`^incidents: bad=1 detected=1 healthy=\d+ false=0$`).MatchString(last) {
		t.Errorf("%s", last)
	}
}

func TestReplayPrintsTheSameCountsAsJSON(t *testing.T) {
	out, _ := saysReplay(t, 0, "--incidents", "testdata/replay", "--output", "json", "--every", "0s")
	var report replayReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	if report.Bad != 1 || report.Detected != 1 || report.Healthy != 0 || len(report.Deployments) != 1 || report.Deployments[0].Deployment != "2.4.0" {
		t.Errorf("%+v", report)
	}
	judges := []string{"bakewatch"}
	for _, peer := range peers.All() {
		judges = append(judges, peer.Name)
	}
	for i, judge := range report.Judges {
		if stopped := report.Deployments[0].Peers[judge.Name] != ""; i > 0 && (judge.Detected == 1) != stopped {
			t.Errorf("%+v, and in the deployment: %v", judge, stopped)
		}
		judges = slices.DeleteFunc(judges, func(name string) bool { return name == judge.Name })
	}
	if len(judges) > 0 {
		t.Errorf("nothing is said of %q", judges)
	}
}

func TestReplayNamesABadDeploymentThatItMisses(t *testing.T) {
	folder := t.TempDir()
	rows := "time,total,bad\n"
	for i := range 300 {
		rows += fmt.Sprintf("%d,1000,%d\n", i*300, i%2)
	}
	write(t, filepath.Join(folder, "shop.csv"), rows)
	write(t, filepath.Join(folder, "incidents.csv"), "time,bad,name\n80000,yes,2.4.0\n")
	out, _ := saysReplay(t, 0, "--incidents", folder, "--every", "0s")
	if !strings.HasPrefix(out, "shop\t2.4.0\tbad\tpassed\t-\t0 of 10\tbad: ") || !strings.HasSuffix(out, "\nincidents: bad=1 detected=0 healthy=0 false=0\n") {
		t.Errorf("%s", out)
	}
}

func TestReplaySaysWhichPeersCannotJudge(t *testing.T) {
	folder := t.TempDir()
	rows := "time,total,bad\n"
	for i := range 30 {
		rows += fmt.Sprintf("%d,1000,%d\n", i*60, i%2)
	}
	write(t, filepath.Join(folder, "shop.csv"), rows)
	write(t, filepath.Join(folder, "incidents.csv"), "time,bad,name\n0,yes,2.4.0\n")
	out, _ := saysReplay(t, 0, "--incidents", folder)
	for _, want := range []string{
		"\nflagger\t0 of 1\t-\t0 of 0\n",
		"\nflagger, tuned\t0 of 1\t-\t0 of 0\tcannot judge 1: too little is known of the time before\n",
		"\nmann-whitney\t0 of 1\t-\t0 of 0\tcannot judge 1: too little is known of the time before\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%s\nwant %s", out, want)
		}
	}
	out, _ = saysReplay(t, 0, "--incidents", folder, "--output", "json")
	if !strings.Contains(out, `"unable": [`) || !strings.Contains(out, `"unable": 1`) {
		t.Errorf("%s", out)
	}
}

func TestReplaySaysWhatIsWrongWithItsOptionsAndFiles(t *testing.T) {
	folder := t.TempDir()
	write(t, filepath.Join(folder, "a.csv"), "time,total,bad\n60,5,6\n120,5,0\n")
	for name, test := range map[string]struct {
		code int
		args []string
		want string
	}{
		"no folder":           {exitUsage, nil, "name their folder with --incidents"},
		"no such folder":      {exitFailed, []string{"--incidents", folder + "/nowhere"}, "no such file"},
		"a file with a flaw":  {exitFailed, []string{"--incidents", folder}, "a.csv:2: bad 6 of 5 in all; the bad ones are among all of them"},
		"a bake of no length": {exitUsage, []string{"--incidents", "testdata/replay", "--bake", "0s"}, "--bake: 0s is too short"},
		"no chance":           {exitUsage, []string{"--incidents", "testdata/replay", "--false-alarms", "2 in 3"}, "--false-alarms: "},
		"too few looks":       {exitUsage, []string{"--incidents", "testdata/replay", "--bake", "1m", "--interval", "5m"}, "every 5m0s in a bake of 1m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, errs := saysReplay(t, test.code, test.args...); !strings.Contains(errs, test.want) {
				t.Errorf("%s\nwant %s", errs, test.want)
			}
		})
	}
}

// The data set itself is not part of this repository; what is said of it is in the page.
func TestThePageTellsWhatReplaySaysOfPetShop(t *testing.T) {
	const data, page = house + "/../shared/data/petshop", house + "/docs/replay.md"
	if !exists(data) {
		t.Skip("the PetShop data are not here")
	}
	out, _ := saysReplay(t, 0, "--incidents", data)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	table := "| judge | detected | half within | false |\n|---|---|---|---|\n"
	for _, line := range lines[len(lines)-2-len(peers.All()) : len(lines)-1] {
		table += "| " + strings.Join(strings.Split(line, "\t")[:4], " | ") + " |\n"
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	old := string(text)
	told := regexp.MustCompile(`(?m)^incidents: bad=16 .*$`).ReplaceAllLiteralString(old, lines[len(lines)-1])
	told = regexp.MustCompile(`(?m)^\| judge \|.*\n(\|.*\n)*`).ReplaceAllLiteralString(told, table)
	switch {
	case !strings.Contains(told, table) || !strings.Contains(told, lines[len(lines)-1]):
		t.Errorf("the page has no place for what it says")
	case told != old && *update:
		write(t, page, told)
		t.Log("read the rest of the page: its figures may have changed")
	case told != old:
		t.Errorf("it says %q and\n%s\nthe page says otherwise; run this test with -update, and read the page", lines[len(lines)-1], table)
	}
}
