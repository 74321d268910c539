package suspect

import (
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// suspect is one who may be to blame instead. Its score is evidence × overlap in
// space × decay of age; without overlap there is no suspect.
type suspect struct {
	blame rules.Blame
	name  string
	score float64
	why   []string
}

// recent is how long before the onset a deployment is still a suspect.
const recent = time.Hour

// unproved is the evidence against a deployment of which nobody knows that it is bad. It
// makes one of the last five minutes before this one a cause that cannot be told from it.
const unproved = 0.7

// suspects returns the most likely of those who may be to blame instead, and what is
// worth knowing of the others.
func (f Facts) suspects() (best suspect, others []string) {
	elsewhere := false
	for _, o := range f.Others {
		s, overlaps := f.suspectOf(o)
		elsewhere = elsewhere || f.timely(o.Live) && !overlaps
		best = best.or(s)
	}
	for _, d := range f.Dependencies {
		best = best.or(f.accuse(d))
	}
	switch {
	case best.score > 0:
		return best, best.why
	case elsewhere:
		return best, clues("nothing that it depends on was deployed")
	}
	return best, clues("nothing else was deployed")
}

// suspectOf holds another deployment against what is known; without a score it is none.
func (f Facts) suspectOf(o Other) (s suspect, overlaps bool) {
	overlap := min(max(o.Shared, 0), 1)
	if o.Needed {
		overlap = 1
	}
	if overlap == 0 || !f.timely(o.Live) {
		return suspect{}, overlap > 0
	}
	evidence, reason := unproved, o.Name+" went live "
	if o.Breached {
		evidence, reason = 1, o.Name+" is breached itself, and went live "
	}
	age := f.reference().Sub(o.Live)
	if age < blur {
		reason += "when it began"
	} else {
		reason += length(age) + " before it began"
	}
	return suspect{
		blame: rules.AnotherDeployment, name: o.Name, score: evidence * overlap * decay(age), why: clues(reason),
	}, true
}

// timely says whether a deployment was there when things became worse, and not long before.
func (f Facts) timely(live time.Time) bool {
	latest := f.reference()
	if !f.Early {
		latest = latest.Add(blur)
	}
	return !live.After(latest) && live.After(f.reference().Add(-recent))
}

// accuse holds a dependency in trouble against what is known. One that got into
// trouble only later is no cause.
func (f Facts) accuse(d Dependency) suspect {
	if !d.Since.IsZero() && d.Since.After(f.reference().Add(blur)) {
		return suspect{}
	}
	return suspect{blame: rules.ADependency, name: d.Name, score: 1, why: clues(d.Name + " is in trouble itself")}
}

// or returns the more likely of two; the first among equals.
func (s suspect) or(other suspect) suspect {
	if other.score > s.score {
		return other
	}
	return s
}

// orAmbient is who is to blame where this deployment is not.
func (s suspect) orAmbient() (blame rules.Blame, name string, why []string) {
	if s.score > 0 {
		return s.blame, s.name, s.why
	}
	return rules.Ambient, "", nil
}
