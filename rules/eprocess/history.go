package eprocess

import (
	"math"
	"slices"
)

// Model is what is normal for a service: how often its events are bad, how much they
// come in clusters, how much the rate drifts, and what of it is still no regression.
type Model struct {
	// Level is the share of bad events.
	Level float64
	// Upper is what the level is below with a probability of 90 %; where fewer are worse, above.
	Upper float64
	// Null is the highest share that counts as "nothing got worse"; where fewer are worse, the lowest.
	Null float64
	// Edge is the share up to which it is surely as before, whatever difference matters;
	// where fewer are worse, down to which. A version must improve on it (Improved).
	Edge float64
	// Fewer says that the events are wanted: what got worse has fewer of them.
	Fewer bool
	// Dispersion is how much larger than binomial the variance within a block is; ≥ 1.
	Dispersion float64
	// Drift is the standard deviation of the slow changes of the rate, in natural logarithms.
	Drift float64
	// Block is how many looks belong together, as clusters of errors span them; ≥ 1.
	Block int
	// Blip is the longest known kind of short trouble that ends by itself, in looks; 0: none is known.
	Blip int
	// Seen are the events that the level was estimated from.
	Seen Counts
}

// Scale says how counts were taken, and what difference matters.
type Scale struct {
	LooksPerMinute float64 // may be below 1
	// Row is how many minutes each of the counts per minute really covers; 0: one.
	Row float64
	// Worse returns the level that is just not yet worse than p.
	Worse func(p float64) float64
	// Fewer says that the events are wanted.
	Fewer bool
}

// blockOfMinute is how many looks make a minute.
func (s Scale) blockOfMinute() int { return max(1, int(math.Round(s.LooksPerMinute))) }

// rows returns how many rows so many minutes are; at least one.
func (s Scale) rows(minutes float64) int {
	if s.Row > 0 {
		minutes /= s.Row
	}
	return max(1, int(math.Round(minutes)))
}

// The estimate of a history, tuned on exploring seeds (docs/decision-quality.md).
const (
	enoughBad      = 400   // bad events from which on more days add little
	minutesOfDay   = 1440  // minutes
	trimmedAtMost  = 0.03  // of the minutes are left out as outliers
	cautious       = 1.28  // standard errors to the side of more noise: 90 %
	sure           = 3.3   // standard errors to the side of less: wrong once in 2000 times
	highest        = 0.95  // no null above this
	recent         = 30    // minutes that show whether the service is burning already
	longestBlip    = 5     // minutes
	driftAtMost    = 0.8   // beyond it the history tells nothing
	raisedAtMost   = 5.0   // what drift may raise the null by
	unknownCluster = 2.0   // dispersion where no history tells
	lowestLevel    = 1e-12 // a level of exactly zero has no logarithm
)

// Estimate learns what is normal from counts per minute, oldest first, for up to seven
// days, and per look for the last of them. Minutes and looks of which nothing is known
// are Missing. ok is false if the minutes hold no events at all.
func Estimate(minutes, looks []Counts, scale Scale) (m Model, ok bool) {
	return estimate(minutes, scale, func(minutes []Counts, kept []bool, p float64) int {
		return blockOf(minutes, looks, kept, p, scale)
	})
}

// estimate is Estimate, where block tells how many looks belong together.
func estimate(minutes []Counts, scale Scale, block func(minutes []Counts, kept []bool, p float64) int) (m Model, ok bool) {
	minutes = lately(minutes, scale)
	level, kept := levelOf(minutes)
	if level.Total <= 0 {
		return Model{}, false
	}
	m = Model{Fewer: scale.Fewer, Seen: level, Level: (level.Bad + 0.5) / (level.Total + 1)}
	short := differences(minutes, kept, m.Level)
	excess := short.excess()
	m.Dispersion = 1 + excess + cautious*short.error(excess)
	drift, expected := slow(minutes, kept, m.Level, excess, scale.rows(5))
	m.Drift = drift
	m.Block = block(minutes, kept, m.Level)
	m.null(drift, expected, scale)
	m.burning(lastOf(minutes, scale.rows(recent)))
	m.Blip = blips(minutes, m, scale)
	return m, true
}

// Fixed is the model of a share that is given, with the noise of a history where one is known.
func Fixed(share float64, noise Model, known bool) Model {
	null := min(highest, max(share, lowestLevel))
	m := Model{Level: share, Upper: share, Null: null, Edge: null, Dispersion: unknownCluster, Block: 1}
	if known {
		m.Dispersion, m.Drift, m.Block, m.Blip = noise.Dispersion, noise.Drift, noise.Block, noise.Blip
		m.Level = noise.Level
		m.Upper = noise.Upper
	}
	return m
}

// Measured is the model of what was counted elsewhere, such as by a load test, with the
// noise of a history where one is known. Few events leave much possible: the null is not
// below what the level is below with a probability of 90 %. Worse returns the level that
// is just not yet worse than p.
func Measured(seen Counts, worse func(p float64) float64, noise Model, known bool) Model {
	level := (seen.Bad + 0.5) / (seen.Total + 1)
	upper := upperOf(seen, unknownCluster, cautious)
	m := Fixed(min(highest, max(worse(level), upper)), noise, known)
	m.Seen = seen
	m.Edge = min(highest, max(level, upperOf(seen, unknownCluster, sure)))
	return m
}

// lately returns the fewest of the last 1, 2, 4 or 7 days with enough bad events.
func lately(minutes []Counts, scale Scale) []Counts {
	for _, days := range []float64{1, 2, 4, 7} {
		rows := scale.rows(days * minutesOfDay)
		if rows >= len(minutes) {
			return minutes
		}
		last := minutes[len(minutes)-rows:]
		bad := 0.0
		for _, c := range last {
			if c.Known() {
				bad += c.Bad
			}
		}
		if bad >= enoughBad {
			return last
		}
	}
	return minutes[len(minutes)-scale.rows(7*minutesOfDay):]
}

// levelOf returns the events without the outlying minutes, and which minutes are kept.
// Trimming a fixed share would take all errors of a quiet service away: only minutes
// far above the level are left out, and few.
func levelOf(minutes []Counts) (sum Counts, kept []bool) {
	kept = make([]bool, len(minutes))
	known := 0
	for i, c := range minutes {
		if kept[i] = c.Known(); kept[i] {
			sum = sum.plus(c)
			known++
		}
	}
	left := int(trimmedAtMost * float64(known))
	for range 4 {
		p := (sum.Bad + 0.5) / (sum.Total + 1)
		var far []int
		for i, c := range minutes {
			if kept[i] && c.Bad >= max(10*c.Total*p, c.Total*p+30) {
				far = append(far, i)
			}
		}
		slices.SortStableFunc(far, func(a, b int) int { return cmpFloat(minutes[b].Bad, minutes[a].Bad) })
		far = far[:min(len(far), left)]
		if len(far) == 0 {
			break
		}
		left -= len(far)
		for _, i := range far {
			kept[i] = false
			sum.Total -= minutes[i].Total
			sum.Bad -= minutes[i].Bad
		}
	}
	return sum, kept
}

func cmpFloat(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// spread sums successive differences: how much more neighbouring counts differ than
// binomial ones would. Slow drift stays out of it.
type spread struct {
	over   float64 // Σ d² − w
	weight float64 // Σ w
	pairs  []pair
}

type pair struct{ d2, w float64 }

func differences(counts []Counts, kept []bool, p float64) (s spread) {
	s.pairs = make([]pair, 0, len(counts))
	for i := 1; i < len(counts); i++ {
		a, b := counts[i-1], counts[i]
		if !kept[i-1] || !kept[i] {
			continue
		}
		d := b.Bad - a.Bad - p*(b.Total-a.Total)
		w := (a.Bad + b.Bad) * (1 - p)
		s.over += d*d - w
		s.weight += w
		if d != 0 || w != 0 {
			s.pairs = append(s.pairs, pair{d * d, w})
		}
	}
	return s
}

// excess is the dispersion above 1, held towards 1 where little is known.
func (s spread) excess() float64 { return max(0, (s.over/2+1)/(s.weight/2+1)) }

// error is the standard error of the excess.
func (s spread) error(excess float64) float64 {
	sum := 0.0
	for _, p := range s.pairs {
		off := p.d2 - p.w - excess*p.w
		sum += off * off
	}
	return 1.2 * math.Sqrt(sum) / (s.weight + 2)
}

// ratio is the excess as it was seen.
func (s spread) ratio() float64 {
	if s.weight == 0 {
		return 0
	}
	return s.over / s.weight
}

// slow estimates the drift of the rate from what five-minute blocks vary more than
// clusters explain, and how many bad events such a block is expected to hold.
func slow(minutes []Counts, kept []bool, p, excess float64, rows int) (drift, expected float64) {
	var sumT, sumT2, sumE, sumE2 float64
	for from := 0; from < len(minutes); from += rows {
		var block Counts
		for i := from; i < min(from+rows, len(minutes)); i++ {
			if kept[i] {
				block = block.plus(minutes[i])
			}
		}
		e := block.Total * p
		t := (block.Bad-e)*(block.Bad-e) - block.Bad*(1-p) - excess*e
		sumT, sumT2, sumE, sumE2 = sumT+t, sumT2+t*t, sumE+e, sumE2+e*e
	}
	if sumE <= 0 {
		return 0, 0
	}
	expected = sumE2 / sumE
	if expected < 1 {
		return 0, expected
	}
	variance := max(0, (sumT-math.Sqrt(sumT2)/2)/sumE2)
	return min(driftAtMost, math.Sqrt(math.Log1p(variance))), expected
}

// blockOf tells whether clusters fit within one look: then counts of looks disperse as
// much as those of minutes do.
func blockOf(minutes, looks []Counts, kept []bool, p float64, scale Scale) int {
	day := max(0, len(minutes)-scale.rows(minutesOfDay))
	perMinute := differences(minutes[day:], kept[day:], p)
	all := make([]bool, len(looks))
	for i, c := range looks {
		all[i] = c.Known()
	}
	perLook := differences(looks, all, p)
	if perMinute.weight == 0 || perLook.weight == 0 {
		return scale.blockOfMinute()
	}
	if perLook.as(perMinute) {
		return 1
	}
	return scale.blockOfMinute()
}

// as says that counts of a shorter time disperse as much as those of a longer one do:
// what belongs together fits within the shorter.
func (s spread) as(longer spread) bool { return s.ratio() >= 0.7*longer.ratio()-0.05 }

// null fills in what still counts as nothing worse.
func (m *Model) null(drift, expected float64, scale Scale) {
	heed := 1.0
	if m.Block == 1 && expected > 0 {
		heed = expected / (expected + m.Dispersion)
	}
	raised := min(raisedAtMost, math.Exp(2.75*drift*heed))
	if m.Fewer {
		m.Upper = max(lowestLevel, lowerOf(m.Seen, m.Dispersion, cautious))
		m.Null = max(lowestLevel, min(highest, scale.Worse(m.Level), m.Upper/raised))
		m.Edge = max(lowestLevel, min(highest, m.Level, lowerOf(m.Seen, m.Dispersion, sure)/raised))
		return
	}
	m.Upper = min(highest, upperOf(m.Seen, m.Dispersion, cautious))
	m.Null = min(highest, max(scale.Worse(m.Level), m.Upper*raised))
	m.Edge = min(highest, max(m.Level, upperOf(m.Seen, m.Dispersion, sure)*raised))
}

// upperOf is what the share of these events is below, so many standard errors sure.
func upperOf(seen Counts, dispersion, z float64) float64 {
	return gammaUpper(seen.Bad/dispersion, z) * dispersion / (seen.Total + 1)
}

// lowerOf is what the share of these events is above, so many standard errors sure.
func lowerOf(seen Counts, dispersion, z float64) float64 {
	return gammaLower(seen.Bad/dispersion, z) * dispersion / (seen.Total + 1)
}

// burning widens the null to the least that the last half hour shows: a service in
// trouble before the deployment is not judged against better days.
func (m *Model) burning(last Counts) {
	if last.Total <= 0 {
		return
	}
	p := last.share()
	err := 3 * math.Sqrt(m.Dispersion*p*(1-p)/last.Total)
	if m.Fewer {
		m.Null = max(lowestLevel, min(m.Null, p+err))
		m.Edge = max(lowestLevel, min(m.Edge, p+err))
		return
	}
	m.Null = min(highest, max(m.Null, p-err))
	m.Edge = min(highest, max(m.Edge, p-err))
}

// lastOf adds up the last rows that are known.
func lastOf(minutes []Counts, rows int) (last Counts) {
	for _, c := range minutes[max(0, len(minutes)-rows):] {
		if c.Known() {
			last = last.plus(c)
		}
	}
	return last
}

// blips returns how long a known kind of short trouble may last, in looks.
func blips(minutes []Counts, m Model, scale Scale) int {
	episodes, longest, run, sum := 0, 0, 0, 0.0
	end := func() {
		if sum >= 9 {
			episodes++
			longest = max(longest, run)
		}
		run, sum = 0, 0
	}
	for _, c := range minutes {
		size, bad := m.trouble(c)
		if !bad {
			end()
			continue
		}
		run++
		sum += size
	}
	end()
	if episodes < 2 {
		return 0
	}
	length := float64(min(scale.rows(longestBlip), 4*longest)) // in rows
	if scale.Row > 0 {
		length *= scale.Row
	}
	return int(math.Ceil(length * scale.LooksPerMinute))
}

// trouble says whether a minute was bad, and how surely.
func (m Model) trouble(c Counts) (size float64, bad bool) {
	if !c.Known() || !m.Fewer && c.Bad <= 2*c.Total*m.Null || m.Fewer && 2*c.Bad >= c.Total*m.Null {
		return 0, false
	}
	precision := precision(c.Total, m.Dispersion)
	for _, factor := range []float64{4, 30} {
		size = max(size, logRatio(c, m.worse(m.Null, factor), m.Null, precision))
	}
	return size, size >= 3
}

// worse returns the share that a regression by the factor has: never above half way
// from the null to everything.
func worse(null, factor float64) float64 { return min(factor*null, 0.5+0.5*null) }

// worse returns the share that a regression from the null by the factor has.
func (m Model) worse(null, factor float64) float64 {
	if m.Fewer {
		return null / factor
	}
	return worse(null, factor)
}
