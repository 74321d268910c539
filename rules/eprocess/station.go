package eprocess

import "math"

// Station is another service that is borrowed as a control: its last looks tell of what
// all services suffer.
type Station struct {
	Looks  []Counts // oldest first; Missing where it does not speak
	Normal Model    // by its own history
}

const (
	// StationLooks are the last looks that tell what a station suffers now.
	StationLooks = 4
	// fewestElsewhere is how many events all stations together must have in these looks, or
	// this share of the version's: fewer tell so little that they would excuse almost
	// anything. A version with as few is known no better itself.
	fewestElsewhere = 30
	shareElsewhere  = 1.0 / 4
)

// Raised returns how much the null of a version is raised by the trouble of others: by
// what they have above their own history in their last looks, and one standard error. A
// sum and not a factor, for base rates differ. ok is false if they have too few events
// beside the version's, in its looks, to tell: then it is not raised at all.
func Raised(version []Counts, stations ...Station) (by float64, ok bool) {
	var events, above, variance float64
	for _, s := range stations {
		n, over, square := s.Above(last(s.Looks))
		events, above, variance = events+n, above+over, variance+square
	}
	if events == 0 || events < min(fewestElsewhere, shareElsewhere*last(version).Total) {
		return 0, false
	}
	return onlyRatio * max(0, (above+math.Sqrt(variance))/events), true
}

// last adds up the last looks that tell what a station suffers now.
func last(looks []Counts) (sum Counts) {
	for _, c := range looks[max(0, len(looks)-StationLooks):] {
		if c.Known() {
			sum = sum.plus(c)
		}
	}
	return sum
}

// Above returns how many of the events are bad beyond what is normal at the station, and
// the variance of that.
func (s Station) Above(c Counts) (events, above, variance float64) {
	if c.Total <= 0 {
		return 0, 0, 0
	}
	p := (c.Bad + 0.5) / (c.Total + 1)
	return c.Total, c.Bad - c.Total*s.Normal.Level, c.Total * s.Normal.Dispersion * p * (1 - p)
}
