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
	model   Model // of the new version
	control Model // of the control by its own history
	stakes  stakes
	most    float64

	block, other Counts
	filled       int
	wealth       [len(ratios)]float64
	before       [len(ratios)]float64
	past         []Counts // the control's last looks, beside those of the detector
	seen         Counts   // of the control
	known        int
	own          *Detector // is the control worse than it used to be?
}

// NewVersus begins the bets.
func NewVersus(version, control Model, b Bets) *Versus {
	v := &Versus{model: version, control: control, stakes: newStakes(b), most: b.most(), own: NewDetector(control, b)}
	for i := range ratios {
		v.wealth[i] = atOnce
	}
	return v
}

// See folds one look at both arms. Where one of them is not known the split says nothing.
func (v *Versus) See(version, control Counts) {
	if len(v.past) == 2*rememberedLooks {
		v.past = append(v.past[:0], v.past[rememberedLooks:]...)
	}
	v.past = append(v.past, control)
	v.own.See(control, 0)
	stake := v.stakes.next()
	var gain [len(ratios)]float64
	if control.Known() {
		v.seen = v.seen.plus(control)
		v.known++
	}
	if version.Known() && control.Known() {
		gain = v.split(version, control)
	}
	for i := range ratios {
		v.wealth[i] = min(mostWealth, (v.wealth[i]+stake)*math.Exp(gain[i]))
	}
}

func (v *Versus) split(version, control Counts) (gain [len(ratios)]float64) {
	if v.filled >= max(1, v.model.Block) {
		v.block, v.other, v.filled = Counts{}, Counts{}, 0
		v.before = [len(ratios)]float64{}
	}
	v.filled++
	v.block, v.other = v.block.plus(version), v.other.plus(control)
	if v.block.Total == 0 || v.other.Total == 0 {
		return gain
	}
	bad := Counts{Bad: v.block.Bad, Total: v.block.Bad + v.other.Bad}
	natural := onlyRatio * max(1, v.model.Level/v.control.Level)
	precision := precision(bad.Total, v.model.Dispersion)
	share := func(ratio float64) float64 {
		weight := ratio * v.block.Total
		return weight / (weight + v.other.Total)
	}
	likelihood := newAgainst(bad, share(natural), precision)
	for i, ratio := range ratios {
		l := likelihood.logRatio(share(natural * ratio))
		gain[i] = min(v.most, l-v.before[i])
		v.before[i] = l
	}
	return gain
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

// Suffers says whether the control is worse than it used to be as well.
func (v *Versus) Suffers() bool { return v.own.Wealth() >= enoughAgainst }

// Speaks says whether the control was there for most of the time since the onset that
// the detector sees: one that is gone can neither accuse nor excuse.
func (v *Versus) Speaks(d *Detector) bool {
	from := 0
	if look, _, ok := d.Onset(); ok {
		from = max(0, look-(d.looks-len(v.past)))
	}
	known := 0
	for _, c := range v.past[min(from, len(v.past)):] {
		if c.Known() {
			known++
		}
	}
	return known > 0 && 2*known >= len(v.past)-from
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
	look, factor, ok := d.Onset()
	if !ok {
		return 0
	}
	size := d.bestOnset()
	first := d.looks - len(d.past) // the look that past[0] is
	from := max(0, look-first)
	level := max(v.control.Level, lowestLevel)
	ambient := min(0.9, level+factor*min(d.model.Null, level)/2)
	precision := precision(v.seen.Total/float64(max(1, v.known)), v.control.Dispersion)
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
