package oracle

import (
	"math"
	"testing"

	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

func TestSeveralRulesTogetherTakeTheMeanOfTheirEvidence(t *testing.T) {
	c := sim.Case{P0: 0.01, Factor: 10, Noise: sim.Clean}
	spared := 1.25 * c.P0
	look := sim.Look{New: sim.Counts{Total: 100, Bad: 7}}
	each := 7*math.Log(c.P1()/spared) + 93*(math.Log1p(-c.P1())-math.Log1p(-spared))
	for name, test := range map[string]struct {
		bad  int // of three rules
		want float64
	}{
		"one rule alone must win for all three": {1, 3*1000 - 2},
		"three that agree need no more each":    {3, 1000},
	} {
		t.Run(name, func(t *testing.T) {
			together := BoundTogether([]sim.Case{c, c, c}, []float64{spared, spared, spared})
			looks := make([]sim.Look, 3) // without requests a rule says nothing
			for i := range test.bad {
				looks[i] = look
			}
			seen := 1
			for ; !together.See(looks) && seen < 1000; seen++ {
			}
			if want := int(math.Ceil(math.Log(test.want) / each)); seen != want {
				t.Errorf("alarms after %d looks, want %d", seen, want)
			}
		})
	}
}
