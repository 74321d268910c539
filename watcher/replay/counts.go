package replay

// Counts are events of one kind: all of them, and the bad ones among them.
type Counts struct {
	Total float64 `json:"total"`
	Bad   float64 `json:"bad"`
}

// Plus adds counts.
func (c Counts) Plus(d Counts) Counts { return Counts{c.Total + d.Total, c.Bad + d.Bad} }

// Minus takes counts away.
func (c Counts) Minus(d Counts) Counts { return Counts{c.Total - d.Total, c.Bad - d.Bad} }

// Share is the share of bad ones; ok is false where there are none at all.
func (c Counts) Share() (share float64, ok bool) {
	if c.Total == 0 {
		return 0, false
	}
	return c.Bad / c.Total, true
}

// Level estimates the rate behind the share. With half a bad one more it is never 0, so
// that multiples of it can be limits.
func (c Counts) Level() float64 { return (c.Bad + 0.5) / (c.Total + 1) }

// Past sums the looks before a deployment, oldest first. Its zero value has none. Judges
// of several deployments can share it.
type Past struct{ sums []upTo }

// upTo is what was counted up to a look, and how many looks of them found something.
type upTo struct {
	Counts
	arrived int
}

// Add adds the next look.
func (p *Past) Add(c Counts) { p.add(c, 1) }

// Miss adds a look that found nothing out.
func (p *Past) Miss() { p.add(Counts{}, 0) }

func (p *Past) add(c Counts, arrived int) {
	sum, before := p.UpTo(p.Looks())
	p.sums = append(p.sums, upTo{sum.Plus(c), before + arrived})
}

// Looks is how many there are, those that found nothing out included.
func (p *Past) Looks() int { return len(p.sums) }

// UpTo returns what the first so many looks counted, and how many of them found something out.
func (p *Past) UpTo(look int) (sum Counts, arrived int) {
	if look <= 0 {
		return Counts{}, 0
	}
	s := p.sums[look-1]
	return s.Counts, s.arrived
}
