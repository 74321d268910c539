package quality_test

import (
	"flag"
	"fmt"
	"go/format"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay/quality"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

var (
	full     = flag.Bool("full", false, "10,000 healthy deployments of each service and more")
	update   = flag.Bool("update", false, "write docs/decision-quality.md")
	tune     = flag.Bool("tune", false, "tune the peers and write settings.go")
	runs     = flag.Int("runs", 0, "healthy deployments of each service; 0: what the form says")
	cells    = flag.String("cells", "", "a regexp: only services that match, such as '10/s p0=0.001 drift'")
	controls = flag.String("controls", "", "a regexp: with -full, only controls that match, such as 'none|1:1'")
	rest     = flag.Bool("rest", false, "with -full: what does not match as in the quick form, instead of not at all")
	keep     = flag.String("keep", "", "a folder for what is done of -full, so that another run goes on from there")
)

// promised are the noises in which false alarms are promised to be few.
var promised = []sim.Noise{sim.Clean, sim.Clusters4, sim.Clusters, sim.Drift}

// quick is how much of a service the quick form simulates.
func quick(s quality.Service, c sim.Control) (healthy, bad int) {
	switch {
	case s.Noise == sim.Clean || s.Noise == sim.Clusters4:
		healthy, bad = 240, 60
	case slices.Contains(promised, s.Noise):
		healthy = 240
	default:
		healthy = 80
	}
	if c != sim.NoControl && c != sim.OneToOne {
		bad = 0
	}
	return healthy, bad
}

// full10000 is how much of a service the full form simulates.
func full10000(s quality.Service) (healthy, bad int) {
	if s.Noise == sim.Clean || s.Noise == sim.Clusters4 {
		return 10_000, 1000
	}
	return 10_000, 300
}

// choice are the services and controls that the flags choose.
type choice struct{ cells, controls *regexp.Regexp }

// threeRules is by what -controls chooses the deployments that three rules judge.
const threeRules = "three rules"

// form returns whether a cell is simulated as by the full form, and whether at all.
func (c choice) form(s quality.Service, control string) (whole, any bool) {
	matches := c.cells.MatchString(s.String())
	if !*full {
		return false, matches
	}
	whole = matches && c.controls.MatchString(control)
	return whole, whole || *rest
}

// howMany says how much of a cell is simulated.
func (c choice) howMany(s quality.Service, control sim.Control) (healthy, bad int) {
	whole, some := c.form(s, string(control))
	switch {
	case whole:
		healthy, bad = full10000(s)
	case some:
		healthy, bad = quick(s, control)
	}
	if *runs > 0 {
		healthy = min(healthy*10_000, *runs) // where there are none it stays so
		bad = min(bad*10_000, *runs)
	}
	return healthy, bad
}

// several says how many deployments of a service are judged by three rules.
func (c choice) several(s quality.Service) int {
	whole, some := c.form(s, threeRules)
	promised := slices.Contains(promised, s.Noise)
	switch {
	case *runs > 0 && some:
		return *runs
	case whole:
		return 10_000
	case some && promised:
		return 120
	}
	return 0
}

// config is that of the form that the flags ask for.
func config(b *testing.B) quality.Config {
	b.Helper()
	chosen := choice{regexp.MustCompile(*cells), regexp.MustCompile(*controls)}
	c := quality.Config{
		Seed: quality.ReportingSeed, Workers: runtime.GOMAXPROCS(0), Progress: progress(),
		Runs: chosen.howMany, Several: chosen.several,
	}
	if *keep == "" {
		return c
	}
	print, err := quality.Fingerprint(c)
	if err != nil {
		b.Fatal(err)
	}
	k := keeper{folder: filepath.Join(*keep, print), config: c}
	if err := os.MkdirAll(k.folder, 0o755); err != nil {
		b.Fatal(err)
	}
	c.Kept, c.Keep = k.read, func(p quality.Part, r quality.Result) {
		if err := k.write(p, r); err != nil {
			b.Error(err)
		}
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

// command is what prints the same again.
func command() string {
	name, with := "make quality", []string{}
	flag.Visit(func(f *flag.Flag) {
		switch f.Name {
		case "full":
			name = "make quality-full"
		case "cells", "controls", "runs":
			with = append(with, fmt.Sprintf("-%s='%s'", f.Name, f.Value))
		case "rest":
			with = append(with, "-rest")
		}
	})
	if len(with) == 0 {
		return name
	}
	return fmt.Sprintf("%s QUALITY=%q", name, strings.Join(with, " "))
}

// BenchmarkQuality prints how well deployments are decided: `make quality`, `make quality-full`.
func BenchmarkQuality(b *testing.B) {
	for range b.N {
		c := config(b)
		result := quality.Run(c)
		p := quality.Printed{Command: command(), Seed: c.Seed, Pooled: !*full, Silent: 5}
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
	each, all := quality.Tune(quality.TuningSeed, n, func(line string) { fmt.Fprintln(os.Stderr, line) })
	for file, text := range map[string]string{"settings.go": each, filepath.Join("..", "peers", "settings.go"): all} {
		source, err := format.Source([]byte(text))
		if err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(file, source, 0o644); err != nil {
			b.Fatal(err)
		}
	}
}
