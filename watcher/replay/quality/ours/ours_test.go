package ours

import (
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// judge shows a deployment to Bakewatch and returns the seconds to its alarm, 0 for none.
func judge(c sim.Case, number uint64) (alarm int, ended Ended) {
	w := sim.NewWorld(c, 5, number)
	watch := Of([]*sim.History{w.History})(c)
	for _, l := range w.Deploy(c.Factor, c.Control) {
		if watch.See(l) {
			return l.At, watch.End()
		}
	}
	return 0, watch.End()
}

func TestABadVersionIsRolledBackByTheStateMachine(t *testing.T) {
	for _, control := range sim.Controls() {
		alarm, ended := judge(sim.Case{Rate: 100, P0: 0.01, Factor: 20, Noise: sim.Clean, Control: control}, 1)
		if alarm == 0 || alarm > 60 {
			t.Errorf("control %s: alarm after %d s", control, alarm)
		}
		if alone := control == sim.NoControl || control == sim.Other; ended.Decided == alone {
			t.Errorf("control %s: decided %v", control, ended.Decided)
		}
	}
}

func TestAHealthyVersionPasses(t *testing.T) {
	for _, control := range sim.Controls() {
		alarm, ended := judge(sim.Case{Rate: 100, P0: 0.001, Factor: 1, Noise: sim.Clean, Control: control}, 1)
		if alarm != 0 || !ended.Passed {
			t.Errorf("control %s: alarm after %d s, %+v", control, alarm, ended)
		}
	}
}

func TestWithoutDataNothingIsRolledBackAndNothingPasses(t *testing.T) {
	for _, noise := range []sim.Noise{sim.Down, sim.Nothing} {
		alarm, ended := judge(sim.Case{Rate: 10, P0: 0.001, Factor: 1, Noise: noise, Control: sim.OneToOne}, 1)
		if alarm != 0 || ended.Passed || ended.Verdict != rules.NoData {
			t.Errorf("%s: alarm after %d s, %+v", noise, alarm, ended)
		}
	}
}

func TestTooLittleTrafficIsSaidToBeTooLittle(t *testing.T) {
	alarm, ended := judge(sim.Case{Rate: 0.001, P0: 0.001, Factor: 1, Noise: sim.Clean}, 1)
	if alarm != 0 || ended.Passed || ended.Verdict != rules.LowTraffic {
		t.Errorf("alarm after %d s, %+v", alarm, ended)
	}
}

func BenchmarkBake(b *testing.B) {
	for _, c := range []sim.Case{{Rate: 1, P0: 0.001, Factor: 1, Noise: sim.Clusters4}, {Rate: 1, P0: 0.001, Factor: 1, Noise: sim.Clusters4, Control: sim.OneToOne}, {Rate: 100, P0: 0.01, Factor: 1, Noise: sim.Drift, Control: sim.Other}} {
		w := sim.NewWorld(c, 1, 1)
		begin := New(w.History)
		looks := w.Deploy(1, c.Control)
		b.Run(c.String(), func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				j := begin(c)
				for _, l := range looks {
					j.See(l)
				}
			}
		})
	}
	w := sim.NewWorld(sim.Case{Rate: 1, P0: 0.001, Noise: sim.Clusters4}, 1, 1)
	b.Run("history", func(b *testing.B) {
		for range b.N {
			New(w.History)
		}
	})
}
