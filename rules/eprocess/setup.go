package eprocess

// Setup says what a version is judged by.
type Setup struct {
	Bets
	// History is the service's own; Known: there is one. It tells what noise is normal.
	History Model
	Known   bool
	// Nulls are what the version's share is compared with: the history, a load test. Each must show it.
	Nulls []Model
	// Controls are the histories of the arms beside the version. Each that speaks must show it.
	// Where none is known they are the limit; without one nobody can tell whether they suffer.
	Controls []Model
	// Elsewhen says of each control that it ran at another time, such as a week ago: it
	// cannot show what all suffer now. nil: none did.
	Elsewhen []bool
	// Borrows says that what other services suffer raises the nulls, as long as no control
	// speaks that runs in the same minutes.
	Borrows bool
	// Limit is the share that must be proved to be exceeded; Limited: there is one.
	Limit   float64
	Limited bool
	// Fewer says that the events are wanted, by the history, every null and every control.
	Fewer bool
	// Matters is the share that is worse by the smallest effect that matters.
	Matters float64
	// Better returns the share that is just as much better than p as is asked of the
	// version, which every null and every control must be askable for (Model.Improved);
	// nil: it must not be worse.
	Better func(p float64) float64
	// Large is the rate that must be visible for the end of a bake to say healthy, if ten times
	// the normal is less, and that an early proof rules out, where the totals are a time, in
	// which bad events are rare; 0: they are events, and one in twenty must be visible.
	Large float64
}

// A large regression is ten times the normal, and at least one event in twenty.
const (
	largeFactor = 10
	largeShare  = 0.05
)

// large is the regression that must be visible for the end of a bake to say healthy, as a share.
func (s Setup) large(normal Model) float64 {
	if s.Fewer {
		return normal.Null / largeFactor
	}
	least := s.Large
	if least == 0 {
		least = largeShare
	}
	return min(0.9, max(worse(normal.Null, largeFactor), least))
}

// noise is what is normal, by the best that is known.
func (s Setup) noise() Model {
	switch {
	case s.Fewer && s.Limited && len(s.Nulls) == 0:
		return s.goal()
	case len(s.Nulls) > 0:
		return s.Nulls[0]
	case s.Known:
		return s.History
	case len(s.Controls) > 0:
		return s.Controls[0]
	}
	return s.goal()
}

// goal is the model of the limit.
func (s Setup) goal() Model {
	m := Fixed(s.Limit, s.History, s.Known)
	m.Fewer = s.Fewer
	return m
}

// versionBeside is the model of the version beside a control: of the same service, if
// nothing else is known.
func (s Setup) versionBeside(control Model) Model {
	if s.Known {
		return s.History
	}
	return control
}
