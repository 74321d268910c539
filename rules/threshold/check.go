package threshold

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

// fewest is the default of min_requests where the limit does not ask for more.
const fewest = 20

// MinRequests returns the fewest requests that a share is judged on. Unsaid (0),
// it is so many that one bad request alone never breaks the limit, and at least 20.
func MinRequests(said int, limit float64) float64 {
	if said > 0 {
		return float64(said)
	}
	if limit <= 0 {
		return fewest
	}
	return max(fewest, math.Ceil(1/limit-1e-9))
}

// sigmas is how far below the planned share chance must not reach.
const sigmas = 4

// MinOfShare returns the fewest events of which a version that is meant to take a
// planned share, in (0, 1], must take the part least of it, in (0, 1]. Unsaid (0), it is
// so many that the share taken by chance, of n events each routed by itself, is below
// least but once in about 30,000 windows: sigmas standard deviations
// √(planned (1 − planned) / n) of the binomial share make up planned (1 − least).
func MinOfShare(said int, planned, least float64) float64 {
	if said > 0 || planned >= 1 {
		return MinRequests(said, 1)
	}
	room := 1 - least
	return max(fewest, math.Ceil(sigmas*sigmas*(1-planned)/(planned*room*room)-1e-6))
}

// enough is how many events a goal must come to: were there truly twice as many, chance
// would take one of about 5700 windows below the goal (Poisson: 40, and fewer than 20).
const enough = 20

// MinForGoal returns the fewest events that a goal, so many others for each of them, is
// judged on. Unsaid (0), it is so many that the goal means 20 of the others.
func MinForGoal(said int, goal float64) float64 {
	if said > 0 {
		return float64(said)
	}
	return max(fewest, math.Ceil(enough/goal-1e-9))
}

// CheckMinRequests says what is wrong with min_requests.
func CheckMinRequests(said int) error { return CheckFewest("min_requests", said) }

// CheckFewest says what is wrong with the fewest events that a rule is judged on.
func CheckFewest(key string, said int) error {
	if said < 0 {
		return &rules.FieldError{Key: key, Err: fmt.Errorf("%d is negative", said)}
	}
	return nil
}

// CheckShare says what is wrong with the largest share that is allowed; none is fine.
func CheckShare(key string, share quantity.Quantity) error {
	wrong := func(hint, format string, args ...any) error {
		return &rules.FieldError{Key: key, Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case share.IsZero():
		return nil
	case share.Unit() != quantity.Ratio && share.Unit() != quantity.Plain:
		return wrong(`write "1%" or 0.01`, "%s is no share of requests", share)
	case share.Value() < 0:
		return wrong("", "%s is negative", share)
	case share.Value() >= 1:
		return wrong(fmt.Sprintf(`"%g%%" if that is meant`, share.Value()), "%s is everything: it could never be broken", share)
	}
	return nil
}

// NoLimit says that a plain limit is needed.
func NoLimit(key string) error {
	return &rules.FieldError{Key: key, Hint: "set " + key, Err: errors.New("a limit is needed")}
}

// Later lists the keys of a rule that a later version brings: those of every kind, and more.
func Later(more ...string) []string {
	return slices.Concat([]string{"bake"}, more)
}
