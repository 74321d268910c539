package quality

import (
	"reflect"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

func TestALosingCellIsExplainedByTheFirstBoundThatGoesFarEnough(t *testing.T) {
	bad := sim.Case{Rate: 10, P0: 0.01, Factor: 5, Noise: sim.Clean, Control: sim.NoControl}
	for name, c := range map[string]struct {
		bound, anySize, ours *Tally
		want                 string
	}{
		"a delay within 1.5 times the bound's":       {counts(10, 10, 8), counts(10, 10, 9), counts(10, 10, 12), "the bound explains it wholly"},
		"one within 1.5 times the other bound's":     {counts(10, 10, 7), counts(10, 10, 8), counts(10, 10, 12), "the bound of any size explains it wholly"},
		"one that the other bound has no median for": {counts(10, 10, 7), counts(10, 4, 8), counts(10, 10, 12), "the bound of any size explains it wholly"},
		"a longer one":                  {counts(10, 10, 4), counts(10, 10, 6), counts(10, 10, 12), "no bound explains it: it is 45 s over what the bound of any size allows"},
		"one without the other bound":   {counts(10, 10, 7), &Tally{}, counts(10, 10, 12), "no bound explains it"},
		"misses like the bound's":       {counts(100, 81, 4), counts(100, 70, 4), counts(100, 80, 4), "the bound explains it wholly: it misses 9.0 of these points"},
		"misses like the other bound's": {counts(100, 85, 4), counts(100, 81, 4), counts(100, 80, 4), "the bound misses 5.0 of these points; the bound of any size explains it wholly: it misses 9.0"},
		"fewer misses than the bound's": {counts(100, 75, 4), counts(100, 70, 4), counts(100, 80, 4), "the bound explains it wholly: it misses all of these points"},
		"more misses":                   {counts(100, 87, 4), counts(100, 85, 4), counts(100, 80, 4), "the bound misses 3.0 of these points; the bound of any size misses 5.0 of these points; 3.0 points are left"},
	} {
		t.Run(name, func(t *testing.T) {
			r := Result{{bad, Ours}: c.ours, {bad, Oracle}: counts(c.ours.Runs, c.ours.Runs*9/10, 4), {bad, Bound}: c.bound, {bad, AnySize}: c.anySize}
			rows := r.missed(false)
			if len(rows) != 1 || rows[0][2] != c.bound.delay() || rows[0][3] != c.anySize.delay() || !strings.HasPrefix(rows[0][4], c.want) {
				t.Errorf("%q", rows)
			}
		})
	}
}

func TestTheBoundOfAnySizeIsShownWhatTheContendersSaw(t *testing.T) {
	const runs = 8
	r := Run(Config{Seed: 3, Workers: 2, Runs: func(s Service, c sim.Control) (healthy, bad int) {
		if s.Rate == 0.1 && s.P0 == 0.01 && (s.Noise == sim.Clean || s.Noise == sim.Clusters4) && c == sim.NoControl {
			return runs, runs
		}
		return 0, 0
	}})
	all := r.withAnySize(3)
	cells := r.where(Bound, func(c sim.Case) bool { return !c.Healthy() })
	if len(cells) != 2*len(sim.Factors()[1:]) || len(all) != len(r)+len(cells) {
		t.Fatalf("%d cells of the bound, %d of %d with the other", len(cells), len(all), len(r))
	}
	for _, cell := range cells {
		if got := again(3, cell.Case, runs, bound(nil)); !reflect.DeepEqual(got, r[cell]) {
			t.Errorf("%s: %+v, and in the run %+v", cell.Case, got, r[cell])
		}
		if got := all.of(judgedBy(cell, AnySize)); got.Runs != runs {
			t.Errorf("%s: %d runs", cell.Case, got.Runs)
		}
	}
}

func TestWhereThreeRulesAlarmTooOftenTheirBoundIsShownTheSame(t *testing.T) {
	drift := Cell{sim.Case{Rate: 10, Factor: 1, Noise: sim.Drift, Control: sim.NoControl}, ThreeRules}
	calm := drift
	calm.Noise = sim.Clean
	r := Result{drift: counts(20, 1, 9), calm: counts(20, 0, 9)}
	for name, pooled := range map[string]bool{"each service": false, "all together": true} {
		t.Run(name, func(t *testing.T) {
			all := r.withBoundOfThree(3, pooled)
			if len(all) != 3 || all.of(judgedBy(drift, BoundOfThree)).Runs != 20 {
				t.Fatalf("%d cells", len(all))
			}
			rows := rareTogether.broken(all, pooled)
			if len(rows) != 1 || rows[0][2] != all.of(judgedBy(drift, BoundOfThree)).alarms() {
				t.Errorf("%q", rows)
			}
		})
	}
}
