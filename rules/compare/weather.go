package compare

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

// Lent is a rule of another service, by which that service is borrowed as a control.
type Lent struct {
	Service string
	// Rule is a rule by comparison, built for the borrower's interval and source.
	Rule rules.Rule
	// Missing says why there is none; empty: there is.
	Missing string
}

// Borrow returns the rule as one that borrows other services. One for which fewer are
// worse cannot: what all suffer would have to lower its null. Nor does one of rates, of
// which other services say little, or one that asks for an improvement.
func (r *Rule) Borrow(lent []Lent) (*Rule, error) {
	switch c := r.config; {
	case len(lent) == 0:
	case c.Fewer:
		return nil, fmt.Errorf("%s: no other service can be borrowed where fewer are worse", c.Subject)
	case c.Rate != nil:
		return nil, fmt.Errorf("%s: no other service can be borrowed for a rate", c.Subject)
	case c.improves():
		return nil, fmt.Errorf("%s: no other service can be borrowed where an improvement is asked for", c.Subject)
	}
	borrowing := *r
	borrowing.lent = lent
	return &borrowing, nil
}

// weather begins what is known of the services that the rule borrows.
func (r *Rule) weather(d rules.Deployment) (w weather) {
	for _, l := range r.lent {
		w = append(w, newStation(l, d))
	}
	return w
}

// weather is what the borrowed services show.
type weather []*station

// wants is the next of the past that any of them needs to know.
func (w weather) wants() (p rules.Past, s *station, more bool) {
	for _, s := range w {
		if p, more := s.Wants(); more {
			p.Queries = optional(p.Queries)
			return p, s, true
		}
	}
	return rules.Past{}, nil, false
}

func (w weather) begin() {
	for _, s := range w {
		s.begin()
	}
}

// queries is how many results of a look are theirs.
func (w weather) queries() (n int) {
	for _, s := range w {
		n += len(s.queries)
	}
	return n
}

// see folds their part of a look.
func (w weather) see(at time.Time, got []rules.Result) {
	for _, s := range w {
		n := min(len(s.queries), len(got))
		s.see(at, got[:n])
		got = got[n:]
	}
}

// raised is how much what they suffer now raises the null of a version with these looks.
func (w weather) raised(version []eprocess.Counts) float64 {
	stations := make([]eprocess.Station, len(w))
	for i, s := range w {
		stations[i] = eprocess.Station{Looks: s.looks, Normal: s.normal}
	}
	by, enough := eprocess.Raised(version, stations...)
	for _, s := range w {
		if !enough && s.silent == "" {
			s.silent = "too little traffic"
		}
	}
	return by
}

// now returns what each of them has counted at the last look.
func (w weather) now() []eprocess.Counts {
	now := make([]eprocess.Counts, len(w))
	for i, s := range w {
		now[i] = s.looks[len(s.looks)-1]
	}
	return now
}

// Wants implements rules.Historical: what was before here, then where it borrows.
func (e *evidence) Wants() (rules.Past, bool) {
	if p, more := e.past.Wants(); more {
		return p, true
	}
	p, _, more := e.weather.wants()
	return p, more
}

// Learn implements rules.Historical.
func (e *evidence) Learn(results [][]rules.Result, bad []rules.Span) {
	if _, more := e.past.Wants(); more {
		e.past.Learn(results, bad)
		return
	}
	if _, s, more := e.weather.wants(); more {
		s.learn(results)
	}
}

// Borrows implements rules.Borrower.
func (e *evidence) Borrows() (services []string) {
	for _, s := range e.weather {
		services = append(services, s.name)
	}
	return services
}

// Tell implements rules.Borrower.
func (e *evidence) Tell(service string, of rules.Deployments) {
	for _, s := range e.weather {
		if s.name == service {
			s.deployments = of
		}
	}
}

// clearly is how many standard errors a rise must be for people to be told of it.
const clearly = 3

// elsewhere says what the borrowed services have shown in the window.
func (e *evidence) elsewhere(answer rules.Answer, f eprocess.Finding) []rules.Weather {
	all := make([]rules.Weather, len(e.weather))
	for i, s := range e.weather {
		var seen eprocess.Counts
		for _, look := range e.window {
			seen = both(seen, look.weather[i])
		}
		w := rules.Weather{Service: s.name, Bad: seen.Bad, Total: seen.Total, Level: s.normal.Level, Missing: s.silent}
		_, above, variance := eprocess.Station{Normal: s.normal}.Above(seen)
		if s.silent == "" && above > clearly*math.Sqrt(variance) {
			w.Rose = above / seen.Total
		}
		w.Shares = e.onlyLimit(f) && answer.Value != nil && w.Rose > 0 && 2*w.Rose >= *answer.Value-e.null
		all[i] = w
	}
	return all
}

// onlyLimit says that the limit is proved to be broken, and nothing that is worse than
// what other services suffer.
func (e *evidence) onlyLimit(f eprocess.Finding) bool {
	return f.Limit >= e.bets().Threshold && f.History < e.bets().Threshold
}

// rises says which of the borrowed services do worse than they use to.
func (e *evidence) rises(answer rules.Answer) (said string) {
	for i, w := range answer.Weather {
		if w.Rose == 0 {
			continue
		}
		if said != "" {
			said += ", "
		}
		said += fmt.Sprintf("%s of %s rose by %s points", e.weather[i].subject(e.weather[i].mark), w.Service, points(w.Rose))
	}
	if said != "" {
		said += " in the same minutes: not held against it"
	}
	return said
}

// suffers says whether any borrowed service clearly does worse than it used to.
func suffers(all []rules.Weather) bool {
	return slices.ContainsFunc(all, func(w rules.Weather) bool { return w.Rose > 0 })
}
