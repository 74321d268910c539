package sim

import "fmt"

// How a deployment is looked at.
const (
	Step   = 15           // seconds between two looks
	Bake   = 30 * 60      // seconds for which a deployment is watched
	Looks  = Bake / Step  // of a bake
	Minute = 60 / Step    // looks in a minute
	Day    = 24 * 60 * 60 // seconds
	Days   = 7            // of history, at most
	Enough = 400          // bad requests that make a day's history do without an older one
	Most   = 0.95         // no error rate is higher
)

// Noise is what makes a healthy service look ill, or hides what happens.
type Noise string

// The kinds of noise.
const (
	Clean     Noise = "clean"           // independent errors
	Clusters4 Noise = "clusters φ=4"    // errors come in clusters: dispersion 4 in every look
	Clusters  Noise = "clusters φ=20"   // dispersion 20
	Blips     Noise = "blips"           // one in 6 h on average: 15 to 75 s, 10 to 100 times the errors
	Drift     Noise = "drift"           // the rate wanders: log-scale sd 0.4, correlated over an hour
	Outage    Noise = "shared outage"   // 2 to 10 min of 20 times the errors everywhere, during the bake
	Resets    Noise = "counter resets"  // a restart in 10 min: counts since the last scrape are lost
	Missed    Noise = "missed scrapes"  // one in 20, and one gap of 2 min
	Ramp      Noise = "rollout ramp"    // the new arm grows from 10 % to all of its traffic in 10 min
	Nothing   Noise = "zero traffic"    // the new arm gets no request
	Down      Noise = "prometheus down" // no scrape arrives
)

// Noises are the kinds of the grid.
func Noises() []Noise {
	return []Noise{Clean, Clusters4, Clusters, Blips, Drift, Outage, Resets, Missed, Ramp, Nothing}
}

// Phi is the dispersion of errors within a look.
func (n Noise) Phi() float64 {
	switch n {
	case Clusters4:
		return 4
	case Clusters:
		return 20
	default:
		return 1
	}
}

// Control is what the new version can be compared with besides the past.
type Control string

// The controls.
const (
	NoControl Control = "none"
	OneToOne  Control = "1:1"           // the old version serves as much as the new one
	NineToOne Control = "9:1"           // the old version serves nine times as much
	Other     Control = "other service" // no old version; another service, of the same traffic and error rate
)

// Controls are those of the grid.
func Controls() []Control { return []Control{NoControl, OneToOne, NineToOne, Other} }

// Parts is how much the old version serves, in units of what the new one does.
func (c Control) Parts() float64 {
	switch c {
	case OneToOne:
		return 1
	case NineToOne:
		return 9
	default:
		return 0
	}
}

// Rates are the requests a second of the new arm in the grid.
func Rates() []float64 { return []float64{0.1, 1, 10, 100, 1000} }

// P0s are the error rates of a healthy service in the grid.
func P0s() []float64 { return []float64{0.001, 0.01} }

// Factors are by how much the versions of the grid raise the error rate; 1 is healthy, and first.
func Factors() []float64 { return []float64{1, 5, 10, 20, 50, 200} }

// Case is one kind of deployment.
type Case struct {
	Rate    float64 // requests a second of the new arm
	P0      float64 // share of bad requests while healthy
	Factor  float64 // by how much the new version raises it; 1: it is healthy
	Noise   Noise
	Control Control
}

// P1 is the share of bad requests of the new version.
func (c Case) P1() float64 { return min(c.P0*c.Factor, Most) }

// Healthy says that the new version is no worse.
func (c Case) Healthy() bool { return c.Factor == 1 }

func (c Case) String() string {
	return fmt.Sprintf("%g/s p0=%g ×%g %s control %s", c.Rate, c.P0, c.Factor, c.Noise, c.Control)
}

// Counts are exact counts of one arm between two scrapes.
type Counts struct{ Total, Bad int }

// Plus adds counts.
func (c Counts) Plus(d Counts) Counts { return Counts{c.Total + d.Total, c.Bad + d.Bad} }

// Look is what one scrape finds.
type Look struct {
	At  int // seconds since the deployment: 15, 30, …
	New Counts
	// Control is the old version's, Other another service's; zero where the case has none.
	Control, Other Counts
	// Missed says that the scrape did not arrive: its counts are zero, and are in the next one's.
	Missed bool
}

// History is what was counted before the deployment, oldest first: Minutes of 1, 2, 4
// or 7 days, Looks of the last day. The old version's is the service's own.
type History struct {
	Minutes, Looks []Counts
	other          func() *History
}

// Other is the history of the other service, drawn when somebody asks.
func (h *History) Other() *History { return h.other() }

// Judge watches one deployment: it sees its looks in order, and says whether it would
// roll back now. It is not asked again once it has said so.
type Judge interface {
	See(l Look) (alarm bool)
}

// Maker learns a history, and begins judges of deployments after it. The case is for
// oracles: nobody else may read from it more than which control there is.
type Maker func(h *History) func(c Case) Judge
