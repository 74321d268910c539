package rules

// Station is a service that a rule borrows as a control, for want of one of its own: by a
// rule of that service's own plan. What goes on there tells of what all suffer.
type Station struct {
	Service string `json:"service"`
	// Missing says why it lends nothing; empty: it does.
	Missing string `json:"missing,omitempty"`
	// Select and Rule are those of its plan.
	Select Select `json:"select,omitzero"`
	Rule   *Spec  `json:"rule,omitempty"`
}

// Weather is what a borrowed service has shown in the window.
type Weather struct {
	Service string  `json:"service"`
	Bad     float64 `json:"bad,omitempty"`
	Total   float64 `json:"total,omitempty"`
	Level   float64 `json:"level,omitempty"` // the share that is normal there
	// Rose is by how much the share is above Level; 0 where that may be chance.
	Rose float64 `json:"rose,omitempty"`
	// Missing says why it does not speak now; empty: it does.
	Missing string `json:"missing,omitempty"`
	// Shares says that what is broken may be explained by it: only a limit is, and the
	// service suffers as well.
	Shares bool `json:"shares,omitempty"`
}

// Share is the share of bad events; 0 where there were none at all.
func (w Weather) Share() float64 {
	if w.Total <= 0 {
		return 0
	}
	return w.Bad / w.Total
}

// Borrower is evidence that borrows other services as controls.
type Borrower interface {
	Evidence
	// Borrows names the services. They are those of the deployment's environment.
	Borrows() []string
	// Tell says what is known of a service's deployments. Whoever folds looks, or the past,
	// into the evidence tells it before.
	Tell(service string, of Deployments)
}

// Deployments are the stretches of time in which a service cannot tell of the weather:
// what goes on there may be its own doing.
type Deployments struct {
	// Watched are those in which it was being deployed to, or stayed on a version that ended badly.
	Watched []Span
	// Bad are those in which versions ran that ended badly: no part of what is normal.
	Bad []Span
}
