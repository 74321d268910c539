package crash_test

import (
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/crash"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

const ago = -hours * 3600.0

func options() *crash.Options { return &crash.Options{Restarts: "restarts_total"} }

// oldPods runs three pods of version 1 that never restart, up to a second after Start.
func oldPods(t *testing.T, server *promtest.Server, to float64) {
	t.Helper()
	pods(t, server, "1", "abc", ago, to, calm)
}

func TestACrashLoopIsFound(t *testing.T) {
	for name, test := range map[string]struct {
		fresh    string // the pods of version 2
		restarts func(int, float64) float64
		old      float64 // how long the pods of version 1 are there
		controls []rules.Control
		within   int // looks
		why      string
	}{
		"of the only pod, beside others": {"x", only(0), 1800, nil, 3, "restarts 240 per pod-hour (3 in 0.75 pod-minutes) against 0 per pod-hour (0 in 2.25 pod-minutes) on 1 at the same time, 0 per pod-hour before"},
		"of the only pod, alone":         {"x", only(0), 0, []rules.Control{rules.Before}, 3, "against 0 per pod-hour before"},
		"of one pod of many, alone":      {"vwxyz", only(2), 0, []rules.Control{rules.Before}, 3, "against 0 per pod-hour before"},
		"of all pods, beside as many":    {"xyz", func(_ int, s float64) float64 { return looping(s) }, 1800, nil, 4, "on 1 at the same time"},
		"of the only pod, beside alone":  {"x", only(0), 1800, []rules.Control{rules.Previous}, 45, "on 1 at the same time; evidence"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			oldPods(t, server, test.old)
			pods(t, server, "2", test.fresh, 0, 900, test.restarts)
			answers := judged(t, server, options(), compared(test.controls...), 50)
			at := breach(answers)
			if at == 0 || at > test.within {
				t.Fatalf("breached at look %d: %s", at, answers[max(at, 1)-1].Why)
			}
			if got := answers[at-1]; !strings.Contains(got.Why, test.why) {
				t.Errorf("says %s", got.Why)
			}
		})
	}
}

func TestOneCrashIsNoRegression(t *testing.T) {
	server := promtest.New(t)
	oldPods(t, server, 900)
	pods(t, server, "2", "xyz", 0, 900, func(pod int, second float64) float64 {
		if pod == 1 && second > 120 {
			return 1
		}
		return 0
	})
	answers := judged(t, server, options(), compared(), 50)
	if at := breach(answers); at > 0 {
		t.Errorf("breached at look %d: %s", at, answers[at-1].Why)
	}
	want := "restarts 4 per pod-hour (1 in 15 pod-minutes) against 0 per pod-hour (0 in 15 pod-minutes) on 1 at the same time, 0 per pod-hour before; evidence "
	if got := answers[20].Why; !strings.HasPrefix(got, want) {
		t.Errorf("says %s", got)
	}
}

// A loop would have been seen once four restarts are due, one in five minutes of a pod.
func TestCalmPodsAreHealthyOnceALoopWouldHaveBeenSeen(t *testing.T) {
	server := promtest.New(t)
	oldPods(t, server, 0)
	pods(t, server, "2", "xyz", 0, 900, calm)
	answers := judged(t, server, options(), compared(), 50)
	for look, want := range map[int]rules.Verdict{1: rules.LowTraffic, 20: rules.LowTraffic, 27: rules.Healthy, 49: rules.Healthy} {
		if got := answers[look-1]; got.Verdict != rules.Inconclusive || got.AtEnd != want {
			t.Errorf("look %d: %v, at the end %v, want %v: %s", look, got.Verdict, got.AtEnd, want, got.Why)
		}
	}
	if got := answers[49]; got.Verdict != rules.Healthy || !got.Proved || !strings.Contains(got.Why, "proved to stay below 12 per pod-hour") {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

// Nor is a loop ruled out beside a control alone.
func TestCalmPodsWithoutAPastAreNotHealthyAtOnce(t *testing.T) {
	server := promtest.New(t)
	pods(t, server, "1", "abc", -600, 900, calm)
	pods(t, server, "2", "xyz", 0, 900, calm)
	got := judged(t, server, options(), compared(), 20)[19]
	if got.Verdict != rules.Inconclusive || got.AtEnd != rules.LowTraffic {
		t.Errorf("%v, at the end %v: %s", got.Verdict, got.AtEnd, got.Why)
	}
}

func TestNoPodsAreNoDataAndNotHealthy(t *testing.T) {
	server := promtest.New(t)
	oldPods(t, server, 900)
	for look, got := range judged(t, server, options(), compared(), 50) {
		if got.Verdict != rules.NoData || got.Why != "no series of restarts" || got.AtEnd == rules.Healthy {
			t.Fatalf("look %d: %v, %s", look+1, got.Verdict, got.Why)
		}
	}
}

func TestPodsThatVanishAndComeBackCountWhileTheyAreThere(t *testing.T) {
	const gone, back = 300.0, 900.0
	server := promtest.New(t)
	oldPods(t, server, 1800)
	pods(t, server, "2", "xyz", 0, 1800, func(pod int, second float64) float64 {
		switch {
		case second > gone && second < gone+15:
			return promtest.Stale
		case second > gone && second < back:
			return -1
		case second > 30 && pod == 0:
			return 2 // which they show again when they are back
		}
		return 0
	})
	answers := judged(t, server, options(), compared(), 110)
	if at := breach(answers); at > 0 {
		t.Fatalf("breached at look %d: %s", at, answers[at-1].Why)
	}
	for look, want := range map[int]string{
		20: "restarts 8 per pod-hour (2 in 15 pod-minutes)",
		40: "no series of restarts",
		70: "restarts 0 per pod-hour (0 in 7.5 pod-minutes)",
		90: "restarts 0 per pod-hour (0 in 15 pod-minutes)",
	} {
		if got := answers[look-1]; !strings.Contains(got.Why, want) || (got.Verdict == rules.NoData) != (look == 40) {
			t.Errorf("look %d: %v, %s", look, got.Verdict, got.Why)
		}
	}
}

// As of every counter: it was reset, and what it shows was counted since.
func TestACounterThatGoesBackwardsCountsWhatItShowsAtOneLook(t *testing.T) {
	for shows, want := range map[float64]float64{5: 5, 500: 45} { // at most one in each second of the three pods
		server := promtest.New(t)
		oldPods(t, server, 300)
		pods(t, server, "2", "xyz", 0, 300, func(pod int, second float64) float64 {
			switch {
			case pod > 0:
				return 0
			case second < 120:
				return 900
			}
			return shows
		})
		answers := judged(t, server, options(), compared(), 20)
		if at := breach(answers); at > 0 {
			t.Errorf("breached at look %d: %s", at, answers[at-1].Why)
		}
		if last := answers[19]; last.Bad != want {
			t.Errorf("900, then %v: %v restarts, want %v", shows, last.Bad, want)
		}
	}
}

func TestASilentArmAccusesNobodyAndExcusesNobody(t *testing.T) {
	for name, test := range map[string]struct {
		controls []rules.Control
		want     rules.Verdict
		why      string
	}{
		"the history decides": {nil, rules.Breached, "not compared with previous: no data"},
		"nothing is left":     {[]rules.Control{rules.Previous}, rules.NoData, "nothing to compare with: previous: no data"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			oldPods(t, server, 0)
			pods(t, server, "1", "a", 0, 15, func(int, float64) float64 { return promtest.Stale })
			pods(t, server, "1", "b", 0, 15, func(int, float64) float64 { return promtest.Stale })
			pods(t, server, "1", "c", 0, 15, func(int, float64) float64 { return promtest.Stale })
			pods(t, server, "2", "xyz", 0, 300, func(_ int, s float64) float64 { return looping(s) })
			got := judged(t, server, options(), compared(test.controls...), 20)[19]
			if got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %s", got.Verdict, got.Why)
			}
			if test.want == rules.Breached && got.Ceiling != rules.Ask {
				t.Errorf("few bad looks and no control are evidence for %v", got.Ceiling)
			}
		})
	}
}

func TestWithoutAHistoryAndAControlThereIsNothingToSay(t *testing.T) {
	server := promtest.New(t)
	pods(t, server, "1", "abc", -1000, 0, calm) // less than an hour of a pod
	pods(t, server, "2", "x", 0, 300, only(0))
	got := judged(t, server, options(), compared(rules.Before), 20)[19]
	if got.Verdict != rules.NoData || got.Why != "nothing to compare with: before: no history" {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestWhereVersionsCannotBeToldApartTheServiceIsComparedWithItsPast(t *testing.T) {
	server := promtest.New(t)
	oldPods(t, server, 600)
	pods(t, server, "2", "x", 0, 600, only(0))
	setting := compared()
	setting.Select.Version = ""
	answers := judged(t, server, options(), setting, 40)
	at := breach(answers)
	if at == 0 || at > 6 {
		t.Fatalf("breached at look %d: %s", at, answers[39].Why)
	}
	for _, want := range []string{" pod-minutes) against 0 per pod-hour before", "not compared with previous: versions cannot be told apart"} {
		if !strings.Contains(answers[at-1].Why, want) {
			t.Errorf("%q is not said: %s", want, answers[at-1].Why)
		}
	}
}

func TestTheTargetOfARollbackMustNotCrashAgainAndAgain(t *testing.T) {
	once := func(pod int, second float64) float64 { return min(1, only(0)(pod, second)) }
	for name, test := range map[string]struct {
		max      string
		past     bool
		restarts func(int, float64) float64
		want     rules.Verdict
	}{
		"calm":                    {"", true, calm, rules.Healthy},
		"one crash of three pods": {"", true, once, rules.Healthy},
		"in a loop":               {"", true, only(0), rules.Breached},
		"calm, and no past":       {"", false, calm, rules.Healthy},
		"in a loop, and no past":  {"", false, only(0), rules.Breached},
		"calm, and a limit":       {"0", true, calm, rules.Healthy},
		"in a loop beyond max":    {"0", true, only(0), rules.Breached},
		"in a loop that max lets": {"9", true, only(0), rules.Healthy},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			if test.past {
				oldPods(t, server, 0)
			}
			pods(t, server, "2", "xyz", 0, 300, test.restarts)
			o, setting := options(), compared()
			if test.max != "" {
				o.Max, setting.CompareTo = quantity.Must(test.max), []rules.Control{rules.Before}
			}
			rule := promtest.Build(t, o, setting)
			evidence := rule.(rules.Verifier).Verify(deployment())
			if past, is := evidence.(rules.Historical); is {
				learn(t, server, past)
			}
			var got rules.Answer
			for look := range 8 {
				at := promtest.At(float64(look+1) * 15)
				got = evidence.See(at, server.Ask(t, at, rule.Queries(deployment())))
			}
			if got.Verdict != test.want {
				t.Errorf("%v, %s", got.Verdict, got.Why)
			}
		})
	}
}

func TestPodsAreToldApartByTheirNamesOrByWhatIsKnownOfThem(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*crash.Options, *rules.Setting)
		why    string
	}{
		"their names": {
			func(o *crash.Options, s *rules.Setting) {
				o.Restarts, s.Select.Version = `restarts_total{pod=~"$version.*"}`, ""
			},
			"(3 in 0.75 pod-minutes) against 0 per pod-hour (0 in 2.25 pod-minutes) on 1 at the same time; not compared with before: ",
		},
		"another metric": {
			func(_ *crash.Options, s *rules.Setting) {
				s.Select = rules.Select{Join: &rules.Join{Metric: "kube_pod_labels", On: []string{"pod"}, Label: "label_version"}}
			},
			"(3 in 0.75 pod-minutes) against 0 per pod-hour (0 in 2.25 pod-minutes) on 1 at the same time, 0 per pod-hour before; ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			oldPods(t, server, 900)
			pods(t, server, "2", "x", 0, 900, only(0))
			for second := -60.0; second < 900; second += 15 {
				for _, pod := range []string{"1a", "1b", "1c", "2x"} {
					server.Add(t, `kube_pod_labels{pod="`+pod+`",label_version="`+pod[:1]+`"}`, promtest.Sample{Second: second, Value: 1})
				}
			}
			o, setting := options(), compared()
			test.change(o, &setting)
			answers := judged(t, server, o, setting, 50)
			if at := breach(answers); at == 0 || !strings.Contains(answers[2].Why, test.why) {
				t.Errorf("breached at look %d: %s", at, answers[2].Why)
			}
		})
	}
}
