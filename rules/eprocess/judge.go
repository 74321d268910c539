package eprocess

import "math"

// Setup says what a version is judged by.
type Setup struct {
	Bets
	// History is the service's own; Known: there is one.
	History Model
	Known   bool
	// Compare says that the history is a control, not only the source of what noise is normal.
	Compare bool
	// Control is the control arm's own history; Beside: there is such an arm.
	Control Model
	Beside  bool
	// Limit is the share that must be proved to be exceeded; Limited: there is one.
	Limit   float64
	Limited bool
	// Matters is the share that is worse by the smallest effect that matters.
	Matters float64
}

// Judge holds one version against its history, a control beside it and a limit.
type Judge struct {
	history *Detector // nil: the history is no control, or unknown
	beside  *Versus
	limit   *Detector
	effect  *Detector // what would be seen of a large regression in this traffic
	size    float64   // of that regression, as a share
	well    []*Well
	bets    Bets
	bad     int
	looks   int
	split   *Detector // onsets for a control without history
}

// large is the regression that must be visible for the end of a bake to say healthy:
// ten times the normal, and at least one event in twenty.
const (
	largeFactor = 10
	largeShare  = 0.05
)

// NewJudge begins the bets. Nothing to judge by makes a judge that never speaks.
func NewJudge(s Setup) *Judge {
	j := &Judge{bets: s.Bets}
	noise := s.History
	switch {
	case s.Compare && s.Known:
		j.history = NewDetector(s.History, s.Bets)
		j.well = append(j.well, NewWell(s.History, s.Matters))
	case s.Beside && s.Known: // the history tells noise, and what would be bad
		j.split = NewDetector(s.History, s.Bets)
	}
	if s.Limited {
		noise = Fixed(s.Limit, s.History, s.Known)
		j.limit = NewDetector(noise, s.Bets)
		j.well = append(j.well, NewWell(noise, s.Limit))
	}
	if s.Beside {
		version := s.History
		if !s.Known {
			version = s.Control
		}
		j.beside = NewVersus(version, s.Control, s.Bets)
		if j.split == nil && j.history == nil {
			j.split = NewDetector(s.Control, s.Bets)
		}
	}
	if s.Known && (j.history != nil || j.beside != nil) {
		noise = s.History
	} else if j.beside != nil && !s.Limited {
		noise = s.Control
	}
	j.size = min(0.9, max(worse(noise.Null, largeFactor), largeShare))
	j.effect = NewDetector(noise, s.Bets)
	return j
}

// See folds one look: the version, the control beside it (Missing where there is none),
// and how much the null is raised by what others suffer now.
func (j *Judge) See(version, control Counts, raised float64) {
	j.looks++
	if version.Known() && version.Bad > 0 {
		j.bad++
	}
	for _, d := range []*Detector{j.history, j.split} {
		if d != nil {
			d.See(version, raised)
		}
	}
	if j.limit != nil {
		j.limit.See(version, 0)
	}
	if j.beside != nil {
		j.beside.See(version, control)
	}
	for _, w := range j.well {
		w.See(version)
	}
	expected := version
	if version.Known() {
		expected.Bad = version.Total * j.size
	}
	j.effect.See(expected, 0)
}

// Finding is what the bets say so far.
type Finding struct {
	// Wealth is the evidence that something got worse, as far as it may be acted on.
	Wealth float64
	// History, Against and Limit are the parts of it; 0 where there is no such part.
	History, Against, Limit float64
	// Shared says that the control suffers as well.
	Shared bool
	// Held says that the history alone would be a breach, but the control does not agree.
	Held bool
	// Blip says that it may be one blip of a known kind.
	Blip bool
	// Alone says that no control beside the version took part.
	Alone bool
	// BadLooks is how many looks had bad events.
	BadLooks int
	// Proved says that the version is proved well.
	Proved bool
	// Telling says that a large regression would have been seen in this traffic.
	Telling bool
}

// Finding returns what the bets say so far.
func (j *Judge) Finding() Finding {
	f := Finding{BadLooks: j.bad, Alone: true, Proved: len(j.well) > 0, Telling: j.effect.Wealth() >= j.bets.Threshold}
	for _, w := range j.well {
		f.Proved = f.Proved && w.Proved()
	}
	parts, sum := 0, 0.0
	if j.history != nil || j.beside != nil {
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

// compared is the wealth against all controls that speak: each must show it.
func (j *Judge) compared(f *Finding) float64 {
	onset := j.history
	if onset == nil {
		onset = j.split
	}
	if j.beside != nil {
		f.Against, f.Shared = j.beside.Wealth(), j.beside.Suffers()
		f.Alone = !j.beside.Speaks(onset)
	}
	if j.history == nil {
		if f.Alone {
			return 0
		}
		return f.Against
	}
	f.History = j.history.Wealth()
	switch {
	case f.Alone:
		return j.unlessBlip(f, j.history, f.History)
	case f.History < enoughAgainst: // too little to ask the control about
		return f.History
	case j.beside.Shows(j.history):
		return f.History
	}
	f.Held = f.History >= j.bets.Threshold
	return 1
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
	for _, d := range []*Detector{j.history, j.limit, j.split} {
		if d == nil {
			continue
		}
		if look, _, ok := d.Onset(); ok {
			return look, true
		}
	}
	return 0, false
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

// Raised returns how much the null of a version is raised by the trouble of others: by
// what they have above their own history in their last looks, and one standard error.
// A sum and not a factor, for base rates differ.
func Raised(others []Counts, normal Model) float64 {
	var last Counts
	for _, c := range others[max(0, len(others)-4):] {
		if c.Known() {
			last = last.plus(c)
		}
	}
	if last.Total <= 0 {
		return 0
	}
	p := (last.Bad + 0.5) / (last.Total + 1)
	err := math.Sqrt(normal.Dispersion * p * (1 - p) / last.Total)
	return onlyRatio * max(0, last.share()+err-normal.Level)
}
