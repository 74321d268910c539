package rules_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
)

func tested(wealths ...float64) []rules.Answer {
	answers := make([]rules.Answer, len(wealths))
	for i, w := range wealths {
		answers[i].Test = &rules.Test{Wealth: w}
	}
	return answers
}

func breached(answers []rules.Answer) (blamed []int) {
	for i, a := range answers {
		if a.Verdict == rules.Breached {
			blamed = append(blamed, i)
		}
	}
	return blamed
}

func TestTestsOfOnePlanShareTheFalseAlarms(t *testing.T) {
	enough := rules.Threshold(0)
	for name, c := range map[string]struct {
		answers []rules.Answer
		chance  rules.Chance
		blamed  []int
	}{
		"one alone needs the threshold":             {tested(enough), 0, []int{0}},
		"and no less":                               {tested(enough - 1), 0, nil},
		"of two, one needs twice as much":           {tested(2*enough-1, 0), 0, nil},
		"and is then blamed alone":                  {tested(2*enough, 0), 0, []int{0}},
		"two that are weak alone are enough":        {tested(enough+10, enough-10), 0, []int{0}},
		"both are blamed where each can carry it":   {tested(3*enough, enough+1), 0, []int{0, 1}},
		"fewer false alarms need more":              {tested(10*enough - 1), 0.0001, nil},
		"ten times fewer, ten times more":           {tested(10 * enough), 0.0001, []int{0}},
		"evidence that is held back does not count": {[]rules.Answer{{Test: &rules.Test{Wealth: 1e6, Held: "a blip"}}}, 0, nil},
		"a rule without a test takes no part":       {append(tested(enough), rules.Answer{}), 0, []int{0}},
		"wealth that is no number proves nothing":   {tested(math.NaN()), 0, nil},
		"nothing is nothing":                        {nil, 0, nil},
	} {
		rules.Combine(c.answers, c.chance)
		if got := breached(c.answers); !slices.Equal(got, c.blamed) {
			t.Errorf("%s: blamed %v, want %v", name, got, c.blamed)
		}
	}
}

func TestEachTestSaysWhatItTakes(t *testing.T) {
	for name, c := range map[string]struct {
		answers []rules.Answer
		want    []float64
	}{
		// As if 300 were needed of one alone; the rest is in proportion.
		"one alone":                               {tested(12), []float64{300}},
		"twice as much beside one that has none":  {tested(399, 0), []float64{600, 300}},
		"less beside one that has some":           {tested(310, 290), []float64{310, 300}},
		"of three, the second is blamed at twice": {tested(1000, 350, 340), []float64{210, 600, 600}},
		"one that is held gives nothing":          {append(tested(399), rules.Answer{Test: &rules.Test{Wealth: 1e6, Held: "a blip"}}), []float64{600, 300}},
	} {
		scale := rules.Threshold(0) / 300
		for _, a := range c.answers {
			a.Test.Wealth *= scale
		}
		rules.Combine(c.answers, 0)
		for i, a := range c.answers {
			if math.Abs(a.Test.Needed/scale-c.want[i]) > 1e-9 {
				t.Errorf("%s: rule %d needs %v, want %v", name, i, a.Test.Needed, c.want[i])
			}
		}
	}
}

func TestWhatIsNeededIsReachedExactlyByWhatIsBlamed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		answers := tested(rapid.SliceOfN(rapid.Float64Range(0, 5000), 1, 5).Draw(t, "wealths")...)
		rules.Combine(answers, 0)
		for _, a := range answers {
			if (a.Verdict == rules.Breached) != (a.Test.Wealth >= a.Test.Needed-1e-9) {
				t.Fatalf("%v with %+v", a.Verdict, *a.Test)
			}
		}
	})
}

func TestASentenceTellsTheEvidenceOnlyWhereItSaysSomething(t *testing.T) {
	for name, c := range map[string]struct {
		answer rules.Answer
		want   string
	}{
		"what is not proved":    {rules.Answer{Why: "errors", Test: &rules.Test{Wealth: 0.5625}}, "errors; evidence 0.56, 700 is enough"},
		"what is breached":      {rules.Answer{Why: "errors", Test: &rules.Test{Wealth: 1508.3}}, "errors; evidence 1508, 700 is enough"},
		"what is beyond doubt":  {rules.Answer{Why: "errors", Test: &rules.Test{Wealth: 3e7}}, "errors; evidence over 10^7, 700 is enough"},
		"what is proved well":   {rules.Answer{Why: "errors", Proved: true, Verdict: rules.Healthy, Test: &rules.Test{Wealth: 0.5}}, "errors"},
		"what is held":          {rules.Answer{Why: "reading history", Test: &rules.Test{Wealth: 1, Held: "reading history"}}, "reading history"},
		"what is a plain limit": {rules.Answer{Why: "errors"}, "errors"},
		"what has no sentence":  {rules.Answer{Test: &rules.Test{Wealth: 1}}, ""},
	} {
		answers := []rules.Answer{c.answer}
		if rules.Combine(answers, 0); answers[0].Why != c.want {
			t.Errorf("%s: %q, want %q", name, answers[0].Why, c.want)
		}
	}
}

func TestMoreEvidenceNeverTakesABreachAway(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		wealths := rapid.SliceOfN(rapid.Float64Range(0, 2000), 1, 6).Draw(t, "wealths")
		before := tested(wealths...)
		rules.Combine(before, 0)
		i := rapid.IntRange(0, len(wealths)-1).Draw(t, "which")
		wealths[i] += rapid.Float64Range(0, 1e6).Draw(t, "more")
		after := tested(wealths...)
		rules.Combine(after, 0)
		if len(breached(before)) > 0 && len(breached(after)) == 0 {
			t.Fatalf("%v is no breach any more", wealths)
		}
	})
}

func TestAMarginIsAFactorOrPoints(t *testing.T) {
	for text, want := range map[string]float64{"1.25x": 0.0125, "2x": 0.02, "1x": 0.01, "+0.1pp": 0.011, "0.5pp": 0.015} {
		var m rules.Margin
		if err := m.UnmarshalText([]byte(text)); err != nil || math.Abs(m.Apply(0.01)-want) > 1e-12 {
			t.Errorf("%s: %v, %v", text, m.Apply(0.01), err)
		}
		var again rules.Margin
		if err := again.UnmarshalText([]byte(m.String())); err != nil || again != m {
			t.Errorf("%s is written %s: %v", text, m, err)
		}
	}
	for _, text := range []string{"1.25", "x", "0.5x", "-1pp", "100pp", "NaNx", "NaNpp", "+pp", "1e9x"} {
		if err := new(rules.Margin).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a margin", text)
		}
	}
}

func TestAChanceIsOneInSoMany(t *testing.T) {
	var c rules.Chance
	if err := c.UnmarshalText([]byte("1 in 2000")); err != nil || c != 0.0005 || c.String() != "1 in 2000" || rules.Threshold(c) != 2*rules.Threshold(0) {
		t.Errorf("%v %v %v", c, rules.Threshold(c), c.UnmarshalText([]byte("1 in 2000")))
	}
	for _, text := range []string{"0.1 %", "1 in 1", "1 in 0", "2 in 1000", "1 in many", "1 in -5", "1 in NaN", "1 in 10000000"} {
		if err := c.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for a chance", text)
		}
	}
}
