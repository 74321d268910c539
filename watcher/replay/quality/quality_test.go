package quality_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay/quality"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

var (
	full   = flag.Bool("full", false, "10,000 healthy deployments of each service")
	update = flag.Bool("update", false, "write docs/decision-quality.md")
	tune   = flag.Bool("tune", false, "tune the peers and write settings.go")
	runs   = flag.Int("runs", 0, "healthy deployments of each service; 0: what the form says")
	cells  = flag.String("cells", "", "a regexp: only services that match, such as '10/s p0=0.001 drift'")
)

// promised are the noises in which false alarms are promised to be few.
var promised = []sim.Noise{sim.Clean, sim.Clusters4, sim.Clusters, sim.Drift}

// howMany says how much each form simulates.
func howMany(s quality.Service) (healthy, bad int) {
	shown := s.Noise == sim.Clean || s.Noise == sim.Clusters4
	switch {
	case *full && shown:
		healthy, bad = 10_000, 1000
	case *full:
		healthy, bad = 10_000, 300
	case shown:
		healthy, bad = 240, 60
	case slices.Contains(promised, s.Noise):
		healthy = 240
	default:
		healthy = 80
	}
	if *runs > 0 {
		healthy = *runs
		if bad > 0 {
			bad = *runs
		}
	}
	return healthy, bad
}

// config is that of the form that the flags ask for.
func config(b *testing.B) quality.Config {
	b.Helper()
	chosen, err := regexp.Compile(*cells)
	if err != nil {
		b.Fatal(err)
	}
	c := quality.Config{
		Seed: quality.ReportingSeed, Workers: runtime.GOMAXPROCS(0), Healthy: sim.Controls(),
		Bad: []sim.Control{sim.NoControl, sim.OneToOne}, Progress: progress(),
	}
	if *full {
		c.Bad = sim.Controls()
	}
	c.Runs = func(s quality.Service) (healthy, bad int) {
		if !chosen.MatchString(s.String()) {
			return 0, 0
		}
		return howMany(s)
	}
	c.Several = func(s quality.Service) int {
		healthy, _ := c.Runs(s)
		if !*full && !slices.Contains(promised, s.Noise) {
			return 0
		}
		return healthy / 2
	}
	return c
}

// progress tells on stderr how far it is, at most every ten seconds.
func progress() func(done, all int) {
	var lock sync.Mutex
	began, told := time.Now(), time.Now()
	return func(done, all int) {
		lock.Lock()
		defer lock.Unlock()
		if time.Since(told) < 10*time.Second {
			return
		}
		told = time.Now()
		left := time.Since(began) * time.Duration(all-done) / time.Duration(done)
		fmt.Fprintf(os.Stderr, "%d of %d deployments, %s left\n", done, all, left.Round(time.Second))
	}
}

// BenchmarkQuality prints how well deployments are decided: `make quality`, `make quality-full`.
func BenchmarkQuality(b *testing.B) {
	for range b.N {
		c := config(b)
		result := quality.Run(c)
		p := quality.Printed{Command: "make quality", Seed: c.Seed, Pooled: !*full, Silent: 5}
		if *full {
			p.Command = "make quality-full"
		}
		p.Accused, p.Passed = quality.Silence(c.Seed, p.Silent)
		text := result.Report(p)
		line := result.Figures(p.Pooled).String()
		if *update {
			page := text + "## In one line\n\n```text\n" + line + "\n```\n"
			if err := os.WriteFile(filepath.Join("..", "..", "..", "docs", "decision-quality.md"), []byte(page), 0o644); err != nil {
				b.Fatal(err)
			}
		}
		fmt.Printf("\n%s%s\n", text, line)
	}
}

// BenchmarkTune tunes the peers: `make quality-tune`.
func BenchmarkTune(b *testing.B) {
	if !*tune {
		b.Skip("only with -tune")
	}
	n := *runs
	if n == 0 {
		n = 1500
	}
	text := quality.Tune(quality.TuningSeed, n, func(line string) { fmt.Fprintln(os.Stderr, line) })
	if err := os.WriteFile("settings.go", []byte(text), 0o644); err != nil {
		b.Fatal(err)
	}
}
