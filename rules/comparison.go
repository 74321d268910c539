package rules

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Control is what a version is compared with.
type Control string

// The controls of a comparison.
const (
	Previous Control = "previous"  // the previous version, while it still serves
	Off      Control = "off"       // the other cohort of a feature toggle
	Before   Control = "before"    // the service's own history
	LastWeek Control = "last-week" // the service at the same time a week ago
	LoadTest Control = "load-test" // what a load test measured
)

// Words lists the controls as people write them.
func (Control) Words() []string {
	return []string{string(Previous), string(Off), string(Before), string(LastWeek), string(LoadTest)}
}

// ControlsFor returns the controls of a rule that names none, the strategy's own first.
func ControlsFor(s Strategy) []Control {
	if s == FeatureToggle {
		return []Control{Off, Before}
	}
	return []Control{Previous, Before}
}

// Margin is the smallest difference that matters: a factor ("1.25x") or points ("+0.1pp").
// The zero Margin is "not set".
type Margin struct {
	Factor float64 // above 1; or 0
	Points float64 // a share, above 0: 0.001 for +0.1pp; or 0
}

// SmallestMargin is the smallest difference that matters where a plan does not say.
var SmallestMargin = Margin{Factor: 1.25}

// IsZero says whether nothing was set.
func (m Margin) IsZero() bool { return m == Margin{} }

// Apply returns the level that is worse than p by the margin.
func (m Margin) Apply(p float64) float64 {
	if m.Points > 0 {
		return p + m.Points
	}
	return p * max(m.Factor, 1)
}

// Below returns the level that is lower than p by the margin, at least 0.
func (m Margin) Below(p float64) float64 {
	if m.Points > 0 {
		return max(0, p-m.Points)
	}
	return p / max(m.Factor, 1)
}

// CheckImprovement says what is wrong with the improvement that a rule asks for; nil
// where it asks for none. What is wrong is a *FieldError.
func (s Spec) CheckImprovement() error {
	switch {
	case s.BetterBy.IsZero():
		return nil
	case s.BetterBy.Factor == 1:
		return &FieldError{Key: "better_by", Hint: "leave it out: a rule that compares allows nothing worse", Err: errors.New("1x is no improvement")}
	case !s.WorseBy.IsZero():
		return &FieldError{Key: "better_by", Hint: "remove one of them, or write two rules", Err: errors.New("stands beside worse_by: what must be better may not be worse")}
	case s.CompareTo != nil && len(s.CompareTo) == 0:
		return &FieldError{Key: "better_by", Hint: "name a control, or remove it", Err: errors.New("there is nothing to be better than: compare_to is empty")}
	}
	return nil
}

func (m Margin) String() string {
	switch {
	case m.Points > 0:
		return "+" + strconv.FormatFloat(m.Points*100, 'g', 12, 64) + "pp"
	case m.Factor > 0:
		return strconv.FormatFloat(m.Factor, 'g', -1, 64) + "x"
	}
	return ""
}

// MarshalText returns the margin as people write it.
func (m Margin) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads "1.25x" or "+0.1pp".
func (m *Margin) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*m = Margin{}
		return nil
	}
	if number, ok := strings.CutSuffix(s, "pp"); ok {
		points, err := strconv.ParseFloat(strings.TrimPrefix(number, "+"), 64)
		if err != nil || !(points > 0 && points < 100) {
			return fmt.Errorf("%q is no number of points between 0 and 100, such as +0.1pp", s)
		}
		*m = Margin{Points: points / 100}
		return nil
	}
	factor, err := strconv.ParseFloat(strings.TrimSuffix(s, "x"), 64)
	if err != nil || !strings.HasSuffix(s, "x") || !(factor >= 1 && factor <= 1000) {
		return fmt.Errorf("%q is neither a factor of 1 or more, such as 1.25x, nor points, such as +0.1pp", s)
	}
	*m = Margin{Factor: factor}
	return nil
}

// Chance is a probability as people write it: "1 in 1000".
type Chance float64

// String returns the chance as people write it.
func (c Chance) String() string {
	if c <= 0 {
		return ""
	}
	return "1 in " + strconv.FormatFloat(math.Round(1000/float64(c))/1000, 'f', -1, 64)
}

// MarshalText returns the chance as people write it.
func (c Chance) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads "1 in 1000": between 1 in 10 and 1 in a million.
func (c *Chance) UnmarshalText(text []byte) error {
	s := string(text)
	if s == "" {
		*c = 0
		return nil
	}
	number, ok := strings.CutPrefix(s, "1 in ")
	of, err := strconv.ParseFloat(strings.ReplaceAll(number, ",", ""), 64)
	if !ok || err != nil || !(of >= 10 && of <= 1e6) {
		return fmt.Errorf("%q is no chance between 1 in 10 and 1 in 1000000", s)
	}
	*c = Chance(1 / of)
	return nil
}
