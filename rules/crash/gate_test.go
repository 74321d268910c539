package crash_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/crash"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// limited are options that allow so many restarts in the window.
func limited(most string) *crash.Options {
	o := options()
	o.Max = quantity.Must(most)
	return o
}

func TestALimitAloneComparesNothing(t *testing.T) {
	rule := promtest.Build(t, limited("2"), compared())
	if _, is := rule.Begin(deployment()).(rules.Historical); is || len(rule.Queries(deployment())) != 2 {
		t.Errorf("asks %d queries", len(rule.Queries(deployment())))
	}
	server := promtest.New(t)
	pods(t, server, "2", "xyz", 0, 60, only(0))
	if got := judged(t, server, limited("2"), compared(), 3)[2]; got.Verdict != rules.Breached || got.Bad != 3 || got.Total != 0 || got.Test != nil {
		t.Errorf("%+v", got)
	}
}

func TestALimitBesidesIsBrokenAtOnceAndWhatItAllowsIsCompared(t *testing.T) {
	for name, test := range map[string]struct {
		most    string
		past    bool
		breach  int
		ceiling rules.Power
		why     string
	}{
		"beyond the limit":    {"0", true, 1, rules.Auto, "restarts 1 in 15s > limit 0; restarts 240 per pod-hour (1 in 0.25 pod-minutes) against 0 per pod-hour before; evidence "},
		"within the limit":    {"9", true, 3, rules.Ask, "restarts 240 per pod-hour (3 in 0.75 pod-minutes) against 0 per pod-hour before; restarts 3 in 45s ≤ limit 9; evidence "},
		"beyond, and no past": {"2", false, 3, rules.Auto, "restarts 3 in 45s > limit 2; nothing to compare with: before: no history"},
		"within, and no past": {"9", false, 0, rules.Auto, "restarts 2 in 5m ≤ limit 9; nothing to compare with: before: no history"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			if test.past {
				oldPods(t, server, 0)
			}
			pods(t, server, "2", "x", 0, 450, only(0))
			answers := judged(t, server, limited(test.most), compared(rules.Before), 28)
			got := answers[len(answers)-1]
			if test.breach > 0 {
				got = answers[test.breach-1]
			}
			if at := breach(answers); at != test.breach || got.Ceiling != test.ceiling || !strings.HasPrefix(got.Why, test.why) {
				t.Errorf("breached at look %d, at most %v: %s", at, got.Ceiling, got.Why)
			}
			if test.breach == 0 && got.Verdict != rules.Healthy {
				t.Errorf("%v", got.Verdict)
			}
			if test.past && (got.Test == nil || len(got.Compared) != 1) {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestALimitBesidesHasNothingToSayWithoutPods(t *testing.T) {
	server := promtest.New(t)
	oldPods(t, server, 300)
	if got := judged(t, server, limited("2"), compared(rules.Before), 3)[2]; got.Verdict != rules.NoData || got.Why != "no series of restarts" {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestWhatDoesNotFitIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		options *crash.Options
		change  func(*rules.Setting)
		key     string
	}{
		"a plain limit that is none": {options(), func(s *rules.Setting) { s.Judge = "threshold" }, "max"},
		"nothing to judge by":        {options(), func(s *rules.Setting) { s.CompareTo = []rules.Control{} }, "compare_to"},
		"a limit and an empty list":  {limited("2"), func(s *rules.Setting) { s.CompareTo = []rules.Control{} }, "compare_to"},
		"a pause in a test":          {options(), func(s *rules.Setting) { s.For = s.Interval }, "for"},
		"a pause beside a test":      {limited("2"), func(s *rules.Setting) { s.For, s.CompareTo = s.Interval, []rules.Control{rules.Before} }, "for"},
		"points of a rate":           {options(), func(s *rules.Setting) { s.WorseBy.Points = 0.01 }, "worse_by"},
		"a load test": {options(), func(s *rules.Setting) {
			s.CompareTo, s.LoadTest = []rules.Control{rules.LoadTest}, &rules.LoadTestSummary{Requests: 9}
		}, "compare_to"},
		"a judge that there is not":    {options(), func(s *rules.Setting) { s.Judge = "jury" }, "judge"},
		"a judge beside that there is": {limited("2"), func(s *rules.Setting) { s.Judge, s.CompareTo = "jury", []rules.Control{rules.Before} }, "judge"},
	} {
		t.Run(name, func(t *testing.T) {
			setting := compared()
			test.change(&setting)
			_, err := test.options.Rule(setting)
			if blamed, ok := errors.AsType[*rules.FieldError](err); !ok || blamed.Key != test.key {
				t.Errorf("got %v", err)
			}
		})
	}
}
