package quality

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/bakewatch/bakewatch/watcher/replay/peers"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// some runs a little of everything that is reported.
func some(seed uint64, workers int) Result {
	return Run(Config{
		Seed: seed, Workers: workers,
		Runs: func(s Service, c sim.Control) (healthy, bad int) {
			if s.Rate != 10 || s.P0 != 0.001 {
				return 0, 0
			}
			healthy, bad = 2, 1
			if s.Noise == sim.Clean || s.Noise == sim.Drift {
				healthy, bad = 60, 2
			}
			if c == sim.NineToOne || c == sim.Other {
				bad = 0
			}
			return healthy, bad
		},
		Several: func(s Service) int {
			if s.Rate == 10 && s.Noise == sim.Clean {
				return 2
			}
			return 0
		},
	})
}

func TestTheReportFollowsFromTheSeedAlone(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	print := func(r Result) string { return r.Report(Printed{Command: "make quality", Pooled: true}) }
	one, other := print(some(1, 1)), print(some(1, 3))
	if one != other {
		t.Error("it depends on the workers")
	}
	if another := print(some(2, 2)); one == another {
		t.Error("it does not depend on the seed")
	}
	for _, want := range []string{"## Targets", "## Losing cells", "three rules", "tuned to the service", "worst of the cells, of 2 runs"} {
		if !strings.Contains(one, want) {
			t.Errorf("no %q in the report", want)
		}
	}
	if strings.Contains(one, "NaN") || strings.Contains(one, "%!") {
		t.Error("the report holds what is no number")
	}
}

func TestWhatWasKeptIsNotSimulatedAgain(t *testing.T) {
	kept := map[Part][]byte{}
	var lock sync.Mutex
	c := tiny(1)
	c.Keep = func(p Part, r Result) {
		text, err := json.Marshal(r)
		lock.Lock()
		defer lock.Unlock()
		if kept[p] = text; err != nil {
			t.Error(err)
		}
	}
	whole := Run(c)
	if len(kept) != 2 {
		t.Fatalf("%d parts were kept", len(kept))
	}
	c.Keep, c.Seed = nil, 2 // with which all would be otherwise
	c.Kept = func(p Part) (r Result, ok bool) {
		text, ok := kept[p]
		return r, ok && json.Unmarshal(text, &r) == nil
	}
	if again := Run(c); !reflect.DeepEqual(again, whole) {
		t.Error("it is another result")
	}
}

func TestAFingerprintTellsResultsApart(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	one, errOne := Fingerprint(tiny(1))
	other, errOther := Fingerprint(tiny(2))
	if errOne != nil || errOther != nil || one == other {
		t.Errorf("%q, %v, and of another seed %q, %v", one, errOne, other, errOther)
	}
}

// tiny runs a few deployments of two services.
func tiny(seed uint64) Config {
	return Config{Seed: seed, Workers: 2, Runs: func(s Service, _ sim.Control) (healthy, bad int) {
		if s.Rate == 10 && s.P0 == 0.01 && (s.Noise == sim.Clean || s.Noise == sim.Missed) {
			return 60, 1
		}
		return 0, 0
	}}
}

// counts are tallies of so many runs and alarms at one look.
func counts(runs, alarms, look int) *Tally {
	t := &Tally{}
	for i := range runs {
		o := outcome{}
		if i < alarms {
			o.look = look
		}
		t.add(o)
	}
	return t
}

func TestWhereCellsWereRunInFullTheOthersSayNothing(t *testing.T) {
	quick := sim.Case{Rate: 10, P0: 0.01, Factor: 1, Noise: sim.Drift, Control: sim.NineToOne}
	whole := quick
	whole.Control = sim.OneToOne
	r := Result{{quick, Ours}: counts(240, 1, 5)}
	if f := r.Figures(false); math.Abs(f.FalseControl-1000.0/240) > 1e-9 || r.whole() != "" {
		t.Errorf("%+v, in full: %q", f, r.whole())
	}
	r[Cell{whole, Ours}] = counts(10_000, 5, 5)
	if f := r.Figures(false); f.FalseControl != 0.5 || f.Healthy != 10_000 {
		t.Errorf("%+v", f)
	}
	if want := "control 1:1: drift (only 10/s with 1 %)"; r.whole() != want {
		t.Errorf("in full: %q, want %q", r.whole(), want)
	}
}

func TestATallysMedianCountsMissesAsLongerThanAny(t *testing.T) {
	tally := &Tally{}
	for _, look := range []int{3, 4, 9, 0, 0} {
		tally.add(outcome{look: look, alone: look, requests: look * 100})
	}
	if delay, ok := tally.Delay(); !ok || delay != 9*sim.Step {
		t.Errorf("median %g, %v", delay, ok)
	}
	if tally.Missed() != 0.4 || tally.Requests() != 400 || tally.Per1000() != 600 {
		t.Errorf("missed %g, requests %g, %g of 1000", tally.Missed(), tally.Requests(), tally.Per1000())
	}
	tally.add(outcome{})
	if _, ok := tally.Delay(); ok {
		t.Error("half are missed, and there is a median")
	}
	twice := &Tally{}
	twice.Merge(tally)
	twice.Merge(tally)
	if twice.Runs != 12 || twice.Alarms != 6 || twice.Missed() != tally.Missed() || len(twice.requests) != 6 {
		t.Errorf("merged: %+v", twice)
	}
}

func TestFiguresAreTakenFromTheCellsThatArePromised(t *testing.T) {
	r := Result{}
	add := func(c sim.Case, judge string, runs, alarms, look int) {
		tally := r.add(Cell{c, judge})
		for i := range runs {
			o := outcome{}
			if i < alarms {
				o.look = look
			}
			tally.add(o)
		}
	}
	service := sim.Case{Rate: 10, P0: 0.01, Factor: 1, Noise: sim.Drift, Control: sim.NoControl}
	other := service
	other.Rate = 1
	add(service, Ours, 1000, 2, 5)
	add(other, Ours, 1000, 0, 0)
	noisy := service
	noisy.Noise = sim.Blips // promised less
	add(noisy, Ours, 100, 50, 5)
	beside := service
	beside.Control = sim.NineToOne
	add(beside, Ours, 500, 2, 5)
	bad := sim.Case{Rate: 10, P0: 0.01, Factor: 10, Noise: sim.Clean, Control: sim.NoControl}
	add(bad, Ours, 100, 90, 4)
	add(bad, Oracle, 100, 95, 2)
	add(bad, "flagger", 100, 100, 24)
	add(bad, "flagger, tuned to the service", 100, 100, 4)
	clustered := bad // in which no speed is promised
	clustered.Noise = sim.Clusters4
	add(clustered, Ours, 100, 100, 1)
	add(clustered, "flagger", 100, 100, 100)
	f := r.Figures(false)
	want := Figures{False: 2, FalseControl: 4, DelayMedian: 2, DelayMost: 2, Misses: 5, Speedup: 6, SpeedupEach: 1, Healthy: 500}
	f.Misses = math.Round(f.Misses*1e6) / 1e6
	if f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
	if pooled := r.Figures(true); pooled.False != 1 {
		t.Errorf("pooled: %g", pooled.False)
	}
}

func TestEveryPeerIsTunedForEveryService(t *testing.T) {
	for _, f := range families {
		for _, rate := range sim.Rates() {
			for _, p0 := range sim.P0s() {
				s, ok := tunedSettings[tuning{f.Name, rate, p0}]
				if !ok || s != f.tunedSetting(rate, p0) {
					t.Errorf("%s, %g/s, %g: %v, %v", f.Name, rate, p0, s, ok)
				}
			}
		}
	}
	if TuningSeed == ReportingSeed {
		t.Error("what is reported was tuned on")
	}
}

func TestTuningChoosesTheQuickestThatAccusesFewEnough(t *testing.T) {
	trials := []trial{{peers.Setting{Times: 1, Count: 1}, 9, 10}, {peers.Setting{Times: 2, Count: 1}, 4, 30}, {peers.Setting{Times: 3, Count: 1}, 2, 20}, {peers.Setting{Times: 4, Count: 1}, 0, 90}}
	if got := choose(trials, 4); got.Times != 3 {
		t.Errorf("%+v", got)
	}
	if got := choose(trials[:1], 4); got.Times != 1 {
		t.Errorf("with none that does: %+v", got)
	}
}
