package peers

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// at shows looks of several metrics, in percent and a minute long, and returns after which
// look the peer stops; 0: it does not.
func at(w replay.Watchman, minutes ...[]int) int {
	for i, shares := range minutes {
		var seen []replay.Seen
		for _, s := range shares {
			seen = append(seen, look(s))
		}
		if w.See(seen) {
			return i + 1
		}
	}
	return 0
}

// known is what is known of a service with 1 % errors in every look.
func known(step time.Duration, looks int) replay.Before {
	return replay.Before{Level: 0.01, Past: past(looks, replay.Counts{Total: 200, Bad: 2})}
}

func start(step time.Duration, measures ...replay.Before) replay.Start {
	return replay.Start{Step: step, Measures: measures}
}

func TestSeveralMetrics(t *testing.T) {
	one := known(time.Minute, 360)
	nothing := replay.Before{}
	limits := Setting{Times: 2, Count: 2}
	for name, c := range map[string]struct {
		peer    replay.Watchman
		minutes [][]int
		want    int
	}{
		"flagger counts a check in which both fail once":      {FlaggerDocumented(2).Begin(time.Minute), [][]int{{9, 9}, {9, 9}, {9, 9}, {9, 9}, {0, 0}}, 0},
		"flagger counts checks of all metrics together":       {FlaggerDocumented(2).Begin(time.Minute), [][]int{{9, 0}, {0, 9}, {9, 0}, {0, 9}, {9, 0}}, 5},
		"argo rollouts counts failures of each":               {ArgoRollouts.At(limits)(start(time.Minute, one, one)), [][]int{{9, 0}, {0, 9}, {9, 0}, {0, 9}, {9, 0}}, 5},
		"argo rollouts fails by one":                          {ArgoRollouts.At(limits)(start(time.Minute, one, one)), [][]int{{0, 9}, {0, 9}, {0, 9}}, 3},
		"a limit is a multiple of what is usual":              {FluxFlagger.At(limits)(start(time.Minute, one)), [][]int{{2}, {2}, {2}, {3}, {3}}, 5},
		"where nothing is usual there is no limit":            {FluxFlagger.At(limits)(start(time.Minute, nothing, one)), [][]int{{9, 0}, {9, 0}, {9, 0}}, 0},
		"consecutive checks do not add up":                    {ConsecutiveChecks.At(limits)(start(time.Minute, one, one)), [][]int{{9, 0}, {0, 9}, {9, 0}, {0, 9}}, 0},
		"a measure that nothing is known of is not watched":   {ConsecutiveChecks.At(limits)(start(time.Minute, nothing, one)), [][]int{{9, 0}, {9, 0}, {9, 0}, {9, 0}}, 0},
		"a budget is a multiple of what is usual":             {BurnRateAlert.At(Setting{Times: 1, Count: 1})(start(time.Minute, one)), [][]int{{20}, {20}}, 0},
		"and is burnt where it is spent soon enough":          {BurnRateAlert.At(Setting{Times: 0.1, Count: 1})(start(time.Minute, one)), [][]int{{20}, {20}}, 1},
		"the last half hour is compared with":                 {Kayenta.At(Setting{Times: 0.02, Count: 5})(start(time.Minute, one)), [][]int{{9}, {9}, {9}, {9}, {9}}, 5},
		"and what is no worse passes":                         {Kayenta.Documented().Begin(start(time.Minute, one)), [][]int{{1}, {1}, {1}, {1}, {1}}, 0},
		"of two comparisons one that fails is enough":         {Kayenta.Documented().Begin(start(time.Minute, one, one)), [][]int{{1, 9}, {1, 9}, {1, 9}, {1, 9}, {1, 9}}, 5},
		"consecutive checks are as quick as the rows allow":   {ConsecutiveDocumented.each(5 * time.Minute), [][]int{{9}, {9}, {9}}, 3},
		"argo measures rows that are longer than its windows": {ArgoRollouts.At(Setting{Times: 2, Count: 1})(start(5*time.Minute, one)), [][]int{{1}, {9}, {9}}, 3},
		"flagger checks them once each":                       {FlaggerDocumented(1).Begin(5 * time.Minute), [][]int{{9}, {9}, {9}, {9}, {9}}, 5},
		"mann-whitney takes each for a point":                 {Kayenta.Documented().Begin(start(5*time.Minute, known(5*time.Minute, 72))), [][]int{{9}, {9}, {9}, {9}}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			if got := at(c.peer, c.minutes...); got != c.want {
				t.Errorf("stopped at look %d, want %d", got, c.want)
			}
		})
	}
}

func (c Consecutive) each(step time.Duration) replay.Watchman { return Each{c.Begin(step)} }

func TestTheControlIsThePastOrWhatIsBeside(t *testing.T) {
	worse := start(time.Minute, known(time.Minute, 360))
	beside := worse
	beside.Beside = true
	for name, c := range map[string]struct {
		start   replay.Start
		control replay.Counts
		want    bool
	}{
		"worse than the past, and no control":       {worse, replay.Counts{}, true},
		"worse than the past, as the control is":    {beside, replay.Counts{Total: 100, Bad: 9}, false},
		"worse than the past, and than the control": {beside, replay.Counts{Total: 100, Bad: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			peer, stopped := Kayenta.Documented().Begin(c.start), false
			for range 10 {
				seen := look(9)
				seen.Control = c.control
				stopped = stopped || peer.See([]replay.Seen{seen})
			}
			if stopped != c.want {
				t.Errorf("stopped: %v", stopped)
			}
		})
	}
}

func TestAPeerWithoutThePastThatItNeedsCannotJudge(t *testing.T) {
	silent := replay.Before{Past: past(360, replay.Counts{})}
	for _, p := range All() {
		limit := p.Name == ArgoRollouts.Name || p.Name == FluxFlagger.Name || p.Name == ConsecutiveChecks.Name
		if able := p.Begin(start(time.Minute, silent)) != nil; able != limit {
			t.Errorf("%s: %v", p.Name, able)
		}
	}
}

func TestEveryToolIsDocumentedAndTuned(t *testing.T) {
	all := All()
	if len(all) != 2*len(Tools()) || len(tuned) != len(Tools()) {
		t.Fatalf("%d peers of %d tools, %d tuned", len(all), len(Tools()), len(tuned))
	}
	for i, tool := range Tools() {
		if s, ok := tuned[tool.Name]; !ok || s.Times <= 0 || s.Count < 0 {
			t.Errorf("%s: %+v", tool.Name, s)
		}
		if all[2*i].Name != tool.Name || !strings.HasPrefix(all[2*i+1].Name, tool.Name+", ") {
			t.Errorf("%s: %q, %q", tool.Name, all[2*i].Name, all[2*i+1].Name)
		}
	}
}

func TestLooksNeedNotDivideAMinute(t *testing.T) {
	for _, c := range []struct {
		step time.Duration
		want int // minutes of five failed checks
	}{{10 * time.Second, 30}, {25 * time.Second, 12}, {45 * time.Second, 7}, {90 * time.Second, 5}} {
		f, stopped := FlaggerDocumented(1).Begin(c.step), 0
		for i := 1; stopped == 0 && i < 100; i++ {
			if f.See([]replay.Seen{look(9)}) {
				stopped = i
			}
		}
		if stopped != c.want {
			t.Errorf("every %s: stopped at look %d, want %d", c.step, stopped, c.want)
		}
	}
}

func TestAWindowIsNeverShorterThanItsLength(t *testing.T) {
	for step, want := range map[time.Duration]int{15 * time.Second: 4, 45 * time.Second: 2, time.Minute: 1, 5 * time.Minute: 1} {
		if got := looks(time.Minute, step); got != want {
			t.Errorf("a minute every %s: %d looks, want %d", step, got, want)
		}
	}
	run := MannWhitneyDocumented.run(45 * time.Second)
	for range 4 {
		run.See(look(9))
	}
	if len(run.ranks.fresh) != 2 {
		t.Errorf("every 45 s: %d points in 3 minutes, want 2", len(run.ranks.fresh))
	}
}
