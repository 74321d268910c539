package promql

import "github.com/bakewatch/bakewatch/rules"

// Arm is whose series are asked for, and when.
type Arm struct {
	Deployment rules.Deployment
	// Whole takes the series of all versions and slots.
	Whole bool
	// Rest takes the series of all versions, or slots, but the deployment's.
	Rest bool
	// Ago is how long before the look; 0: at the look.
	Ago rules.Duration
}

// Version is the arm of the deployment itself.
func Version(d rules.Deployment) Arm { return Arm{Deployment: d} }

// History is the arm of the whole service, whatever its version. Only what is the same
// for all watches of the service is left of the deployment, so that they ask the same.
func History(d rules.Deployment) Arm {
	return Arm{Deployment: rules.Deployment{Service: d.Service, Environment: d.Environment}, Whole: true}
}

// LastWeek is the arm of the whole service a week before the look.
func LastWeek(d rules.Deployment) Arm {
	a := History(d)
	a.Ago = 7 * day
	return a
}

const day = rules.Duration(24 * 3600 * 1e9)

// PreviousVersion is the arm of the version that was live before, while it still
// serves. Missing says why there is none.
func (s Scope) PreviousVersion(d rules.Deployment, selectors ...*Selector) (a Arm, missing string) {
	switch {
	case len(s.slots) > 0:
		return s.otherSlot(d)
	case !s.tells(selectors, "version"):
		return Arm{}, "versions cannot be told apart"
	case d.Previous == "":
		return Arm{}, "no previous version is known"
	case d.Previous == d.Version:
		return Arm{}, "the previous version is the same"
	}
	d.Version, d.Previous = d.Previous, ""
	return Version(d), ""
}

// tells says whether the arms of all selectors differ by the placeholder.
func (s Scope) tells(selectors []*Selector, placeholder string) bool {
	for _, selector := range selectors {
		apart := selector.Uses(placeholder) || placeholder == "version" && s.Apart(selector)
		if !apart {
			return false
		}
	}
	return len(selectors) > 0
}

func (s Scope) otherSlot(d rules.Deployment) (a Arm, missing string) {
	if len(s.slots) != 2 {
		return Arm{}, "which slot is the other one cannot be told"
	}
	if _, known := s.slots[d.Slot]; !known {
		return Arm{}, "the event names no slot of the plan"
	}
	for name := range s.slots {
		if name != d.Slot {
			d.Slot = name
			break
		}
	}
	return Version(d), ""
}

// OffCohort is the arm of a feature toggle's users for whom it is off, where the
// selectors tell cohorts apart by $cohort.
func (s Scope) OffCohort(d rules.Deployment, selectors ...*Selector) (a Arm, missing string) {
	const off = "off"
	switch {
	case !s.tells(selectors, "cohort"):
		return Arm{}, "cohorts cannot be told apart: no selector holds $cohort"
	case d.Cohort == off:
		return Arm{}, "the deployment is for the cohort off itself"
	}
	d.Cohort = off
	return Version(d), ""
}

// Of returns the selector's series that belong to the arm.
func (s Scope) Of(selector *Selector, a Arm) Series {
	if a.Whole {
		return Series{selector: selector.Where(s.match...), ago: a.Ago}
	}
	if a.Rest {
		return s.rest(selector, a.Deployment)
	}
	series := s.Series(selector, a.Deployment)
	series.ago = a.Ago
	return series
}

// AllApart says of all selectors what Apart says of one.
func (s Scope) AllApart(selectors ...*Selector) bool {
	for _, selector := range selectors {
		if !s.Apart(selector) {
			return false
		}
	}
	return len(selectors) > 0
}
