package eprocess

import "math"

// Judge holds one version against its history, controls beside it, and a limit.
type Judge struct {
	bets   Bets
	nulls  []*Detector
	raised []*Detector // the nulls as others raise them; the nulls themselves if nothing is borrowed
	onset  *Detector   // when it began: the first of nulls, or by what noise is known
	beside []*Versus
	then   []bool // of each in beside: it ran at another time
	limit  *Detector
	effect *Detector // what would be seen of a large regression in this traffic
	split  []*Versus // and beside each control, where there is nothing else to compare with
	size   float64   // of that regression, as a share
	whole  bool      // its events are too rare to be taken for parts of one
	due    float64   // the part of such an event that is due
	well   []*Well

	improving *improving // nil: the version must not be worse
}

// NewJudge begins the bets. With nothing to judge by nothing is ever proved.
func NewJudge(s Setup) *Judge {
	if s.Better != nil {
		return newImproving(s)
	}
	noise := s.noise()
	j := &Judge{bets: s.Bets, size: s.large(noise), whole: s.Large > 0, effect: newBriefDetector(noise, s.Bets)}
	for _, null := range s.Nulls {
		j.nulls = append(j.nulls, NewDetector(null, s.Bets))
		j.well = append(j.well, NewWell(null, max(s.Matters, s.Large)))
	}
	j.raised = j.nulls
	if s.Borrows {
		j.raised = nil
		for _, null := range s.Nulls {
			j.raised = append(j.raised, NewDetector(null, s.Bets))
		}
	}
	j.then = make([]bool, len(s.Controls))
	copy(j.then, s.Elsewhen)
	j.limited(s)
	for _, control := range s.Controls {
		version := s.versionBeside(control)
		beside := NewVersus(version, control, s.Bets)
		beside.untold = !s.Known && !s.Limited
		j.beside = append(j.beside, beside)
		if len(s.Nulls) == 0 {
			effect := NewVersus(version, control, s.Bets)
			effect.own = nil
			j.split = append(j.split, effect)
		}
	}
	if j.onset = NewDetector(noise, s.Bets); len(j.nulls) > 0 {
		j.onset = j.nulls[0]
	}
	return j
}

// limited begins the bets against the limit, if there is one.
func (j *Judge) limited(s Setup) {
	if !s.Limited {
		return
	}
	limit := s.goal()
	j.limit = NewDetector(limit, s.Bets)
	j.limit.sizes = &aboveLimit
	j.well = append(j.well, newWellBelow(s.Limit, limit))
}

// See folds one look: the version, the controls beside it (Missing where one is not
// there), and how much what others suffer now raises the nulls, where they are borrowed.
func (j *Judge) See(version Counts, controls []Counts, raised float64) {
	for i, d := range j.nulls {
		d.See(version, 0)
		if j.raised[i] != d {
			j.raised[i].See(version, raised)
		}
	}
	if len(j.nulls) == 0 {
		j.onset.See(version, 0)
	}
	if j.limit != nil {
		j.limit.See(version, 0)
	}
	for i, v := range j.beside {
		control := Missing
		if i < len(controls) {
			control = controls[i]
		}
		v.See(version, control)
	}
	for _, w := range j.well {
		w.See(version)
	}
	j.expect(version, controls)
}

// expect folds what the look would have been with a large regression, or where an
// improvement is asked for, without any.
func (j *Judge) expect(version Counts, controls []Counts) {
	if j.improving != nil {
		j.improving.expect(version, controls)
		return
	}
	if version.Known() {
		version.Bad = j.expected(version.Total)
	}
	j.effect.See(version, 0)
	for i, v := range j.split {
		control := Missing
		if i < len(controls) && controls[i].Known() {
			control = Counts{Total: controls[i].Total, Bad: controls[i].Total * v.control.Level}
		}
		v.See(version, control)
	}
}

// expected returns the bad events of a large regression. Part of a rare event would tell
// nearly as much as all of it, so those come when they are whole.
func (j *Judge) expected(total float64) float64 {
	if !j.whole {
		return total * j.size
	}
	bad, part := math.Modf(j.due + total*j.size)
	j.due = part
	return bad
}

// Finding returns what the bets say so far.
func (j *Judge) Finding() Finding {
	f := Finding{Alone: true, Proved: len(j.well) > 0 || j.improving != nil}
	for i, w := range j.well {
		f.Proved = f.Proved && w.Proved()
		if i == 0 || (w.bad < f.Below) != w.model.Fewer {
			f.Below = w.bad
		}
	}
	for i := range j.beside {
		b := j.standing(i)
		f.Beside = append(f.Beside, b)
		f.Alone = f.Alone && !b.Speaks
	}
	f.Borrows = j.borrows(f.Beside)
	f.BadLooks = j.since(f.Borrows).BadLooks()
	if j.improving != nil {
		f.Short = j.improving.short(f)
		f.Proved = f.Proved && !f.Short && j.improving.proved(f)
	}
	f.Telling = j.telling(f)
	parts, sum := 0, 0.0
	if len(j.nulls) > 0 || len(j.beside) > 0 {
		parts++
		sum += j.compared(&f)
	}
	if j.limit != nil {
		parts++
		f.Limit = j.limit.Wealth()
		sum += j.unlessBlip(&f, j.limit, f.Limit)
	}
	if parts > 0 {
		f.Wealth = sum / float64(parts)
	}
	return f
}

// standing is what the control beside the version shows.
func (j *Judge) standing(control int) Beside {
	if j.improving != nil {
		return j.improving.beside[control].standing(j.onset)
	}
	v := j.beside[control]
	b := Beside{Seen: v.Seen(), Wealth: v.Wealth(), Speaks: v.Speaks(j.onset), Shared: v.Suffers()}
	if b.Speaks && v.Thin(j.onset) {
		b.Speaks, b.Thin = false, true
	}
	return b
}

// telling says whether a large regression would have been seen: where nothing but
// controls could show it, beside those that speak.
func (j *Judge) telling(f Finding) bool {
	if j.improving != nil {
		return j.improving.telling(f, j.bets.Threshold)
	}
	if j.effect.Wealth() < j.bets.Threshold {
		return false
	}
	for i, v := range j.split {
		if f.Beside[i].Speaks && j.limit == nil && v.Wealth() < j.bets.Threshold {
			return false
		}
	}
	return true
}

// compared is the wealth against all that the version is compared with: each that
// speaks must show it.
func (j *Judge) compared(f *Finding) float64 {
	if len(j.nulls) > 0 {
		f.History = leastOf(j.nulls)
	}
	if f.Borrows {
		f.Excused = f.History >= j.bets.Threshold
		f.History = leastOf(j.raised)
		f.Excused = f.Excused && f.History < j.bets.Threshold
		f.Held = f.Excused
	}
	switch {
	case j.improving != nil:
		return j.missed(f)
	case len(j.nulls) == 0:
		return f.split()
	case f.Alone:
		return j.unlessBlip(f, j.since(f.Borrows), f.History)
	case f.History < min(enoughAgainst, j.bets.Threshold): // too little to ask the controls about
		return f.History
	}
	for i, v := range j.beside {
		if f.Beside[i].Speaks && !v.Shows(j.onset) {
			f.Held = f.Excused || f.History >= j.bets.Threshold
			return 1
		}
	}
	return f.History
}

// leastOf is the least that any of the bets has won.
func leastOf(bets []*Detector) float64 {
	wealth := mostWealth
	for _, d := range bets {
		wealth = min(wealth, d.Wealth())
	}
	return wealth
}

// borrows says whether what others suffer counts.
func (j *Judge) borrows(beside []Beside) bool {
	for i, b := range beside {
		if b.Speaks && !j.then[i] {
			return false
		}
	}
	return len(j.raised) > 0 && j.raised[0] != j.nulls[0]
}

// since is who tells when it began.
func (j *Judge) since(borrows bool) *Detector {
	if borrows {
		return j.raised[0]
	}
	return j.onset
}

// split is the least that the controls that speak have won; 0 if none does.
func (f *Finding) split() float64 {
	if f.Alone {
		return 0
	}
	least := mostWealth
	for _, b := range f.Beside {
		if b.Speaks {
			least = min(least, b.Wealth)
		}
	}
	return least
}

func (j *Judge) unlessBlip(f *Finding, d *Detector, wealth float64) float64 {
	if wealth >= j.bets.Threshold && f.Alone && d.OneBlip() {
		f.Blip = true
		return min(wealth, withoutBlip)
	}
	return wealth
}

// Onset returns how many looks came before the regression, by the best guess.
func (j *Judge) Onset() (look int, ok bool) {
	for _, d := range []*Detector{j.since(j.Finding().Borrows), j.limit} {
		if d == nil {
			continue
		}
		if look, _, ok := d.Onset(); ok {
			return look, true
		}
	}
	return 0, j.improving != nil && j.improving.doubted()
}

// Before returns the wealth of betting that it was worse than the model already in
// these looks: the change-point lies before the deployment.
func Before(m Model, looks []Counts, threshold float64) float64 {
	d := NewDetector(m, Bets{Threshold: threshold, Looks: max(1, len(looks))})
	most := 0.0
	for _, c := range looks {
		d.See(c, 0)
		most = max(most, d.Wealth())
	}
	return most
}
