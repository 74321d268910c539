package eprocess

// improving is what a judge needs besides where the version must be better than what it
// is compared with: at least so much. The bets are against "it is as much better", and
// begin small, for what has not changed at all must show, given the traffic.
//
// What runs in the same minutes tells it best: a rate drifts more in a day than an
// improvement is large. So the controls beside the version show that it is missed, each
// that speaks, and what was before only where none does. That it is reached must be so
// against all of them.
type improving struct {
	before  []former   // as the judge's nulls
	beside  []*partner // as the judge's controls
	never   bool       // that it is reached can never be proved before the end
	version Counts     // so far
}

// former is something of the past that the version must be better than.
type former struct {
	model     Model // whose null is the improvement
	effect    *Detector
	unchanged float64 // the share
	asked     float64 // the share that is as much better
}

func newImproving(s Setup) *Judge {
	j := &Judge{bets: s.Bets, improving: &improving{}}
	for _, null := range s.Nulls {
		j.nulls = append(j.nulls, newMissed(null, s))
		j.improving.before = append(j.improving.before, former{
			model: null, effect: newMissed(null, s).briefly(), unchanged: null.unchanged(), asked: s.Better(null.unchanged()),
		})
		if well, ever := newWellImproved(null, s.Better); ever {
			j.well = append(j.well, well)
		} else {
			j.improving.never = true
		}
	}
	// What others suffer is no excuse for not being better: nothing is borrowed.
	j.raised, j.then = j.nulls, make([]bool, len(s.Controls))
	j.limited(s)
	for _, control := range s.Controls {
		p := newPartner(s, s.versionBeside(control), control)
		j.beside, j.improving.beside = append(j.beside, p.Versus), append(j.improving.beside, p)
	}
	if len(j.nulls) > 0 {
		j.onset = j.nulls[0]
	} else {
		j.onset = newMissed(s.known(), s)
	}
	return j
}

// known is what is known best of the service before the version, whatever it is compared with.
func (s Setup) known() Model {
	switch {
	case s.Known:
		return s.History
	case len(s.Controls) > 0:
		return s.Controls[0]
	}
	return s.goal()
}

// newMissed begins bets that the improvement on a model is missed.
func newMissed(m Model, s Setup) *Detector {
	improved, _ := m.Improved(s.Better)
	d := NewDetector(improved, s.Bets)
	d.sizes = improvementBets(improved.improvement())
	return d
}

// expect folds a look for all that does not bet on an improvement that is missed.
func (m *improving) expect(version Counts, controls []Counts) {
	unchanged := version
	for _, before := range m.before {
		if version.Known() {
			unchanged.Bad = version.Total * before.unchanged
		}
		before.effect.See(unchanged, 0)
	}
	if version.Known() {
		m.version = m.version.plus(version)
	}
	for i, p := range m.beside {
		control := Missing
		if i < len(controls) {
			control = controls[i]
		}
		p.expect(version, control)
	}
}

// doubted says whether something speaks for an improvement that is missed beside a control.
func (m *improving) doubted() bool {
	for _, p := range m.beside {
		if p.Wealth() >= nothingYet {
			return true
		}
	}
	return false
}

// proved says whether the improvement is proved to be reached against each control that
// speaks, none of which is in trouble, where something was compared with at all.
func (m *improving) proved(f Finding) bool {
	for i, p := range m.beside {
		if b := f.Beside[i]; b.Speaks && (b.Shared || !p.proof.Proved()) {
			return false
		}
	}
	return !m.never && (len(m.before) > 0 || !f.Alone)
}

// short says whether the improvement is missed in all, against any of what there is.
func (m *improving) short(f Finding) bool {
	for _, b := range m.before {
		if m.version.Total > 0 && b.model.timesWorse(m.version.share(), b.asked) > 1 {
			return true
		}
	}
	for i, p := range m.beside {
		if f.Beside[i].Speaks && p.short() {
			return true
		}
	}
	return false
}

// telling says whether no change at all would have been seen in this traffic: beside
// each control that speaks, or where none does, against all that was before.
func (m *improving) telling(f Finding, threshold float64) bool {
	if f.Alone {
		for _, b := range m.before {
			if b.effect.Wealth() < threshold {
				return false
			}
		}
		return len(m.before) > 0
	}
	for i, p := range m.beside {
		if f.Beside[i].Speaks && p.effect.Wealth() < threshold {
			return false
		}
	}
	return true
}

// missed is the wealth of the bets that the improvement is missed. While a control is in
// trouble nothing is shown: what both suffer from hides an improvement, and what the
// control alone suffers from looks like one.
func (j *Judge) missed(f *Finding) float64 {
	if f.Alone {
		if len(j.nulls) == 0 {
			return 0
		}
		return j.unlessBlip(f, j.nulls[0], f.History)
	}
	won := f.split()
	for _, b := range f.Beside {
		if b.Speaks && b.Shared {
			f.Held = true
			return min(won, 1)
		}
	}
	return won
}
