package oracle

import (
	"testing"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// alarm returns the seconds after which a judge alarms; 0: it does not.
func alarm(j sim.Judge, looks []sim.Look) int {
	for _, l := range looks {
		if j.See(l) {
			return l.At
		}
	}
	return 0
}

// minutes are minutes of 200 requests a look; shares are in percent, −1 is a minute
// without requests, −2 one whose scrapes are missing.
func minutes(shares ...int) (looks []sim.Look) {
	for _, s := range shares {
		for range sim.Minute {
			l := sim.Look{At: (len(looks) + 1) * sim.Step, Missed: s == -2}
			if s >= 0 {
				l.New = sim.Counts{Total: 200, Bad: 2 * s}
			}
			looks = append(looks, l)
		}
	}
	return looks
}

func TestTheOracleIsAsQuickAsWhatItKnowsAllows(t *testing.T) {
	c := sim.Case{P0: 0.01, Factor: 20}
	clusters := c
	clusters.Noise = sim.Clusters
	for name, test := range map[string]struct {
		c      sim.Case
		shares []int
		want   int
	}{
		"seeing nothing it says nothing":            {c, []int{-1, -1, -2}, 0},
		"it is quick where the difference is plain": {c, []int{20}, 15},
		"knowing the clusters it takes more":        {clusters, []int{20}, 30},
		"it is not moved by what is normal":         {c, []int{1, 1, 1, 1}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := alarm(New(test.c), minutes(test.shares...)); got != test.want {
				t.Errorf("alarm after %d s, want %d", got, test.want)
			}
		})
	}
}

func TestTheOracleKeepsItsErrorRates(t *testing.T) {
	for _, noise := range []sim.Noise{sim.Clean, sim.Clusters4} {
		c := sim.Case{Rate: 10, P0: 0.01, Factor: 5, Noise: noise}
		const runs = 10_000
		wrong, missed := 0, 0
		for i := range uint64(runs) {
			w := sim.NewBake(c, 99, i)
			if alarm(For(c, 5), w.Deploy(1, sim.NoControl)) > 0 {
				wrong++
			}
			if i < 500 && alarm(New(c), w.Deploy(5, sim.NoControl)) == 0 {
				missed++
			}
		}
		if wrong > 22 || missed > 0 { // 10 expected at most; 22 has a chance of 1 in 2000
			t.Errorf("%s: %d of %d healthy ones accused, %d of 500 bad ones missed", noise, wrong, runs, missed)
		}
	}
}

func TestTheBoundSparesWhatItMust(t *testing.T) {
	c := sim.Case{Rate: 100, P0: 0.01, Factor: 1.6, Noise: sim.Clean}
	bound, oracle := 0, 0
	for i := range uint64(200) {
		looks := sim.NewBake(c, 99, i).Deploy(1.25, sim.NoControl)
		if alarm(Bound(c, 0.0125), looks) > 0 {
			bound++
		}
		if alarm(New(c), looks) > 0 {
			oracle++
		}
	}
	if bound > 2 || oracle < 50 { // 0.2 expected at most
		t.Errorf("of 200 versions 1.25 times worse the bound accuses %d, the oracle %d", bound, oracle)
	}
	looks := sim.NewBake(c, 99, 1).Deploy(5, sim.NoControl)
	c.Factor = 5
	if quick, later := alarm(New(c), looks), alarm(Bound(c, 0.0125), looks); quick == 0 || later < quick {
		t.Errorf("oracle after %d s, bound after %d s", quick, later)
	}
}
