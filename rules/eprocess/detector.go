package eprocess

import "math"

// sizes are how many of them are bet on, each with the same stake.
const sizes = 5

// factors are the sizes of a regression that are bet on.
var factors = [sizes]float64{2, 4, 10, 30, 100}

// aboveLimit are the factors of bets against a limit that people have set: they mean
// it, so that a share which stays a fifth above it is found as well, given the traffic.
var aboveLimit = [sizes]float64{1.25, 2, 6, 25, 100}

// Stakes of the bets.
const (
	// atOnce is what is bet on a regression from the first look; the rest is spread
	// over the bake, for one that sets in late.
	atOnce = 0.8
	// capShare lets no two looks alone reach the threshold: at least three must be bad.
	capShare = 0.98
	// rememberedLooks are searched for onsets and blips; up to twice as many are kept:
	// two hours of looks every 15 seconds take 20 KB.
	rememberedLooks = 240
	// withoutBlip is the wealth that must remain when one window as long as a known
	// blip is left out.
	withoutBlip = 20
	// mostWealth bounds the wealth, so that it stays a number.
	mostWealth = 1e100
)

// Bets says how much is needed, and for how long is bet.
type Bets struct {
	Threshold float64 // the wealth that breaches
	Looks     int     // in the whole bake; ≥ 1
}

// most is the most that one look may add to the logarithm of the wealth.
func (b Bets) most() float64 { return capShare * math.Log(b.Threshold/atOnce) / 2 }

// stakes spreads the stake on late onsets over the bake. A watch may last longer, by a
// slow roll-out or an extended bake: the same is then staked on every look that says
// anything, for else nothing would be left to win by for what sets in then. So each
// further bake's length adds a fifth of the false alarms of the first (an e-detector;
// Shin, Ramdas and Rinaldo 2024).
type stakes struct {
	each    float64
	unspent float64
	left    int // looks of the bake
}

func newStakes(b Bets) stakes {
	looks := max(1, b.Looks)
	return stakes{each: (1 - atOnce) / float64(looks), unspent: 1 - atOnce, left: looks}
}

// next returns the stake on a look.
func (s *stakes) next(says bool) float64 {
	if s.left > 0 {
		s.left--
		s.unspent = s.each * float64(s.left)
		return s.each
	}
	if says {
		return s.each
	}
	return 0
}

// Detector bets that the share of bad events is above the model's null. Its wealth is
// the mean over several sizes of the regression, each with bets on every onset:
// R ← (R + stake)·e^v, where v is a look's evidence.
type Detector struct {
	model  Model
	sizes  *[sizes]float64 // of regressions
	bets   Bets
	stakes stakes
	brief  bool // it is never asked for a blip, and remembers no looks
	most   float64
	looks  int
	known  int     // looks of which something is known
	total  float64 // events so far
	block  Counts
	filled int // looks in the block

	wealth [sizes]float64
	before [sizes]float64 // evidence of the block up to the last look
	onset  [sizes]onset
	past   []evidence // of the last looks
	base   [sizes]float64
	above  bool // the last look was above the null
}

// evidence is what one look says for each size.
type evidence [sizes]float64

// onset is the best time for a regression of one size to have begun: the sum of the
// evidence since, and the look (Page 1954).
type onset struct {
	sum  float64
	look int
	bad  int // looks above the null since
}

// NewDetector begins the bets.
func NewDetector(m Model, b Bets) *Detector {
	d := &Detector{model: m, sizes: &factors, bets: b, stakes: newStakes(b), most: b.most()}
	for i := range sizes {
		d.wealth[i], d.base[i] = atOnce, atOnce
	}
	return d
}

// newBriefDetector begins bets of which only the wealth will be asked, and the onset.
func newBriefDetector(m Model, b Bets) *Detector { return NewDetector(m, b).briefly() }

func (d *Detector) briefly() *Detector {
	d.brief = true
	return d
}

// See folds one look. Raised is how much the null is raised by what others suffer now,
// as a share; 0: not at all. A look of which nothing is known says nothing.
func (d *Detector) See(c Counts, raised float64) {
	var v evidence
	d.above = false
	if c.Known() {
		v = d.evidence(c, raised)
	}
	stake := d.stakes.next(v != evidence{})
	d.remember(v)
	d.looks++
	for i := range sizes {
		d.wealth[i] = min(mostWealth, (d.wealth[i]+stake)*math.Exp(v[i]))
		if d.onset[i].sum <= 0 {
			d.onset[i] = onset{look: d.looks - 1}
		}
		d.onset[i].sum += v[i]
		if d.above {
			d.onset[i].bad++
		}
	}
}

func (d *Detector) evidence(c Counts, raised float64) (v evidence) {
	if d.filled >= max(1, d.model.Block) {
		d.block, d.filled, d.before = Counts{}, 0, evidence{}
	}
	d.filled++
	d.block = d.block.plus(c)
	d.total += c.Total
	d.known++
	null := min(highest, d.model.Null+raised)
	d.above = c.Bad > c.Total*null
	if d.model.Fewer {
		d.above = c.Bad < c.Total*null
	}
	mean := d.total / float64(d.known)
	drift := 4 * mean * d.model.Level * math.Expm1(d.model.Drift*d.model.Drift)
	precision := precision(float64(max(1, d.model.Block))*mean, d.model.Dispersion+drift)
	likelihood := newAgainst(d.block, null, precision)
	for i, factor := range d.sizes {
		l := likelihood.logRatio(d.model.worse(null, factor))
		v[i] = min(d.most, l-d.before[i])
		d.before[i] = l
	}
	return v
}

// remember keeps the evidence of the last looks; older ones are folded into the base.
func (d *Detector) remember(v evidence) {
	if d.brief {
		return
	}
	if len(d.past) == 2*rememberedLooks {
		for t := range rememberedLooks {
			for i := range sizes {
				d.base[i] = min(mostWealth, (d.base[i]+d.staked(t))*math.Exp(d.past[t][i]))
			}
		}
		d.past = append(d.past[:0], d.past[rememberedLooks:]...)
	}
	d.past = append(d.past, v)
}

// Wealth returns what the bets have won so far: 1 at the start.
func (d *Detector) Wealth() float64 {
	sum := 0.0
	for _, w := range d.wealth {
		sum += w
	}
	return d.stakes.unspent + sum/sizes
}

// BadLooks returns how many looks were above the null since the onset.
func (d *Detector) BadLooks() int { return d.onset[d.bestOnset()].bad }

// Onset returns the best guess of when the regression began, as the number of looks
// before it, and its size; ok is false if nothing speaks for one.
func (d *Detector) Onset() (look int, factor float64, ok bool) {
	best := d.bestOnset()
	if d.onset[best].sum <= 0 {
		return 0, 0, false
	}
	return d.onset[best].look, d.sizes[best], true
}

func (d *Detector) bestOnset() int {
	best := 0
	for i := range sizes {
		if d.onset[i].sum > d.onset[best].sum {
			best = i
		}
	}
	return best
}

// OneBlip says whether the wealth may be the work of one blip as long as known ones:
// without some window of that length too little of it would be left.
func (d *Detector) OneBlip() bool {
	if d.model.Blip == 0 {
		return false
	}
	left := make([]float64, len(d.past)) // the wealth without the window that begins at each look
	for i := range sizes {
		d.without(i, left)
	}
	for _, sum := range left {
		if d.stakes.unspent+sum/sizes < withoutBlip {
			return true
		}
	}
	return false
}

// without adds to left what the bets on one size would have won if the looks of each
// window had said nothing. From look t to the end a wealth r grows to r·grows + adds.
func (d *Detector) without(size int, left []float64) {
	n := len(d.past)
	grows, adds := make([]float64, n+1), make([]float64, n+1)
	grows[n] = 1
	for t := n - 1; t >= 0; t-- {
		grows[t] = min(mostWealth, grows[t+1]*math.Exp(d.past[t][size]))
		adds[t] = min(mostWealth, grows[t]*d.staked(t)+adds[t+1])
	}
	wealth := d.base[size]
	for from := range n {
		within := wealth
		to := min(from+d.model.Blip, n)
		for t := from; t < to; t++ {
			within += d.staked(t)
		}
		left[from] += within*grows[to] + adds[to]
		wealth = min(mostWealth, (wealth+d.staked(from))*math.Exp(d.past[from][size]))
	}
}

// staked returns what was bet anew at a remembered look.
func (d *Detector) staked(t int) float64 {
	if d.looks-len(d.past)+t < d.bets.Looks || d.past[t] != (evidence{}) {
		return d.stakes.each
	}
	return 0
}
