package eprocess

import "math"

// ratios are how many times worse than the control the version may be, beyond what
// is normal; each is bet on with the same stake.
var ratios = [...]float64{2, 6, 30, 200}

const (
	// enoughAgainst is the wealth that the comparison with the control must have for
	// the whole to be a breach.
	enoughAgainst = 10
	// onlyRatio is how far two arms of one service differ by nature.
	onlyRatio = 1.25
	mostLog   = 50 // of a logarithm that is exponentiated
)

// Versus bets that the new version is worse than a control in the same minutes: on how
// the bad events of both are split between them (Turner, Ly and Grünwald 2024, with
// beta-binomial arms).
type Versus struct {
	model   Model  // of the new version
	control Model  // of the control by its own history
	asked   *asked // how much better the version must be; nil: it must not be worse
	stakes  stakes
	most    float64

	block, other Counts
	filled       int
	wealth       [len(ratios)]float64
	before       [len(ratios)]float64
	past         []Counts  // the control's last looks, beside those of the detector
	seen         Counts    // of the control
	known        int       // looks at the control of which something is known
	quiet        int       // of these, those since it had events
	beside       []float64 // the version's events in the looks of past
	own          *Detector // is the control worse than it used to be? nil: nobody will ask, nor for its looks
	untold       bool      // nobody knows how the control used to be: its model holds for the split alone
}

// NewVersus begins the bets.
func NewVersus(version, control Model, b Bets) *Versus {
	v := &Versus{model: version, control: control, stakes: newStakes(b), most: b.most(), own: newBriefDetector(control, b)}
	for i := range ratios {
		v.wealth[i] = atOnce
	}
	return v
}

// See folds one look at both arms. Where one of them is not known the split says nothing.
func (v *Versus) See(version, control Counts) {
	v.remember(version, control)
	if v.asked != nil && v.between() {
		v.asked.least(v.model, v.seen)
	}
	var gain [len(ratios)]float64
	if control.Known() {
		v.seen = v.seen.plus(control)
		v.known++
		v.quiet++
		if control.Total > 0 {
			v.quiet = 0
		}
	}
	if version.Known() && control.Known() {
		gain = v.split(version, control)
	}
	stake := v.stakes.next(gain != [len(ratios)]float64{})
	for i := range ratios {
		v.wealth[i] = min(mostWealth, (v.wealth[i]+stake)*math.Exp(gain[i]))
	}
}

// between says that the next look begins a block.
func (v *Versus) between() bool { return v.filled == 0 || v.filled >= max(1, v.model.Block) }

func (v *Versus) remember(version, control Counts) {
	if v.own == nil {
		return
	}
	v.own.See(control, 0)
	if len(v.past) == 2*rememberedLooks {
		v.past = append(v.past[:0], v.past[rememberedLooks:]...)
		v.beside = append(v.beside[:0], v.beside[rememberedLooks:]...)
	}
	v.past, v.beside = append(v.past, control), append(v.beside, version.Total)
}

func (v *Versus) split(version, control Counts) (gain [len(ratios)]float64) {
	if v.between() {
		v.block, v.other, v.filled = Counts{}, Counts{}, 0
		v.before = [len(ratios)]float64{}
	}
	v.filled++
	v.block, v.other = v.block.plus(version), v.other.plus(control)
	if v.block.Total == 0 || v.other.Total == 0 {
		return gain
	}
	bad := Counts{Bad: v.block.Bad, Total: v.block.Bad + v.other.Bad}
	natural, ratios := v.natural()
	precision := precision(bad.Total, v.model.Dispersion)
	likelihood := newAgainst(bad, v.model.split(natural, v.block, v.other), precision)
	for i, ratio := range ratios {
		l := likelihood.logRatio(v.model.split(natural*ratio, v.block, v.other))
		gain[i] = min(v.most, l-v.before[i])
		v.before[i] = l
	}
	return gain
}

// natural returns how many times worse than the control the version may be, and how many
// times worse than that is bet on.
func (v *Versus) natural() (float64, [len(ratios)]float64) {
	switch {
	case v.asked != nil:
		return 1 / v.asked.factor, splitBets(v.asked.factor)
	case v.model.Fewer:
		return onlyRatio * max(1, v.control.Level/v.model.Level), ratios
	}
	return onlyRatio * max(1, v.model.Level/v.control.Level), ratios
}

// split returns the version's share of the events of both arms where it is so many
// times worse than the control.
func (m Model) split(worse float64, version, control Counts) float64 {
	if m.Fewer {
		worse = 1 / worse
	}
	weight := worse * version.Total
	return weight / (weight + control.Total)
}

// Wealth returns what the bets on the split have won: 1 at the start.
func (v *Versus) Wealth() float64 {
	sum := 0.0
	for _, w := range v.wealth {
		sum += w
	}
	return v.stakes.unspent + sum/float64(len(ratios))
}

// Seen returns the control's events so far.
func (v *Versus) Seen() Counts { return v.seen }

// Suffers says whether the control is known to be worse as well: than it used to be or,
// where nobody knows that, than the limit.
func (v *Versus) Suffers() bool { return !v.untold && v.own.Wealth() >= enoughAgainst }

// goneFor is how many events must be missing for a silence to be no chance: it has a
// probability of e^-5.
const goneFor = 5

// gone says whether the control does not serve any more, though it is still there: an
// idle slot, or the series of pods that are no longer, whose last values Prometheus
// keeps. It returns how many of the last looks it has been so.
func (v *Versus) gone() (looks int) {
	if v.seen.Total == 0 {
		return len(v.past)
	}
	usual := v.seen.Total / float64(v.known-v.quiet)
	if float64(v.quiet)*usual < goneFor {
		return 0
	}
	return v.quiet
}

// Speaks says whether the control was there for most of the time since the onset that
// the detector sees, and served: one that is gone can neither accuse nor excuse.
func (v *Versus) Speaks(d *Detector) bool {
	from := v.since(d)
	known := -v.gone()
	for _, c := range v.past[from:] {
		if c.Known() {
			known++
		}
	}
	return known > 0 && 2*known >= len(v.past)-from
}

// since returns where the onset that the detector sees is among the last looks.
func (v *Versus) since(d *Detector) int {
	look, _, ok := d.Onset()
	if !ok {
		return 0
	}
	return min(len(v.past), max(0, look-(d.looks-len(v.past))))
}

// thinShare is how many events a control must have for each of the version's: a
// drained slot that only health checks ask has fewer.
const thinShare = 1.0 / 20

// Thin says that since the onset the control has so little traffic beside the version that it can
// neither accuse it nor, however healthy it is, excuse it: to wait for it would be to
// wait for ever.
func (v *Versus) Thin(d *Detector) bool {
	from := v.since(d)
	served, control, looks := 0.0, 0.0, 0.0
	for i, c := range v.past[from:] {
		if c.Known() && v.beside[from+i] >= 0 {
			served, control, looks = served+v.beside[from+i], control+c.Total, looks+1
		}
	}
	if looks == 0 || control >= thinShare*served || v.Suffers() || v.Wealth() >= enoughAgainst {
		return false
	}
	_, factor, _ := d.Onset()
	level, ambient, precision := v.ambient(d, factor)
	healthy := Counts{Total: control / looks}
	if v.control.Fewer {
		healthy.Bad = healthy.Total * level
	}
	return looks*logRatio(healthy, level, ambient, precision) < math.Log(2*enoughAgainst)
}

// Shows says whether the comparison accuses the version: by the split of bad events,
// or because trouble that all suffer from would have shown in the control.
func (v *Versus) Shows(d *Detector) bool {
	split := v.Wealth()
	return max(split, split/2+math.Exp(min(mostLog, v.unsharedBy(d)))/2) >= enoughAgainst
}

// unsharedBy is the evidence against "at some time since the onset the trouble reached
// the control as well": the least, over that time, of the evidence of a regression up
// to it and of the control's health from it on. Without the least over all times
// shared outages would pass for regressions.
func (v *Versus) unsharedBy(d *Detector) float64 {
	_, factor, ok := d.Onset()
	if !ok {
		return 0
	}
	size := d.bestOnset()
	from := v.since(d)
	level, ambient, precision := v.ambient(d, factor)
	healthy := 0.0 // of the control, from the look on
	least := math.Inf(1)
	regression := 0.0
	for i := from; i < len(d.past); i++ {
		regression += d.past[i][size]
	}
	for i := len(d.past) - 1; i >= from; i-- {
		regression -= d.past[i][size] // now: up to the look before i
		if c := v.past[i]; c.Known() {
			healthy += min(v.most, logRatio(c, level, ambient, precision))
		}
		least = min(least, regression+healthy)
	}
	return least
}

// ambient returns the control's level as it used to be, and as it would be if the
// trouble were shared, and the precision of its counts.
func (v *Versus) ambient(d *Detector, factor float64) (level, ambient, of float64) {
	level = max(v.control.Level, lowestLevel)
	ambient = min(0.9, level+factor*min(d.model.Null, level)/2)
	if v.control.Fewer {
		ambient = level * (1 + 1/factor) / 2
	}
	return level, ambient, precision(v.seen.Total/float64(max(1, v.known)), v.control.Dispersion)
}
