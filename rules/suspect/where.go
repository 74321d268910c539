package suspect

import (
	"fmt"

	"gonum.org/v1/gonum/stat/distuv"

	"github.com/bakewatch/bakewatch/rules"
)

// spread is where the bad events are.
type spread struct {
	isOurs, isAlike bool
	single          string // the sentence about the one affected instance; or empty
}

// Bad events come in clusters: so many count as one (the dispersion that is assumed
// where there is no history). Too few to be affected by chance is what has at most
// this chance.
const (
	clustering = 2.0
	unlikely   = 0.01
	fewest     = 3 // bad events that make others "affected as well"
)

// spreadOf tells where the bad events are. An instance, or all of them together, is
// spared if it has far fewer than it would at half the excess of the affected ones.
func spreadOf(f Facts) spread {
	fresh, rest := sum(f.Space.New), sum(f.Space.Rest)
	normal := f.normal()
	if share(fresh) <= normal {
		return spread{}
	}
	half := (normal + share(fresh)) / 2
	s := spread{
		isOurs:  spared(rest, half),
		isAlike: rest.Total > 0 && rest.Bad >= fewest && share(rest) >= half,
	}
	if !s.isAlike {
		s.single = f.singleOf(normal)
	}
	if s.single != "" {
		s.isOurs = false
	}
	return s
}

// normal is the share of bad events that is normal, as far as the past tells: what is
// beside the version may suffer now.
func (f Facts) normal() (level float64) {
	for _, c := range f.Compared {
		switch c.With {
		case rules.Before, rules.LastWeek, rules.LoadTest:
			if c.Missing == "" && !c.Shares {
				level = max(level, c.Level)
			}
		case rules.Previous, rules.Off, "":
		}
	}
	return level
}

// singleOf says that one instance of several of the new version has all the trouble.
func (f Facts) singleOf(normal float64) string {
	var worst, others rules.Instance
	serving := 0
	for _, i := range f.Space.New {
		if i.Total <= 0 {
			continue
		}
		serving++
		if i.Bad > worst.Bad {
			others, worst = sum([]rules.Instance{others, worst}), i
		} else {
			others = sum([]rules.Instance{others, i})
		}
	}
	if serving < 2 || !spared(others, (normal+share(worst))/2) {
		return ""
	}
	return fmt.Sprintf("of %d instances of %s only %s is affected", serving, f.Version, worst.Name)
}

// spared says that so few bad events are unlikely at this share: the Poisson
// distribution of clusters.
func spared(i rules.Instance, at float64) bool {
	if i.Total <= 0 || at <= 0 {
		return false
	}
	clusters := distuv.Poisson{Lambda: i.Total * at / clustering}
	return clusters.CDF(i.Bad/clustering) <= unlikely
}

func (s spread) ours(f Facts) string {
	if !s.isOurs {
		return ""
	}
	return fmt.Sprintf("only %s's instances", f.Version)
}

func (s spread) alike(f Facts) string {
	switch {
	case !s.isAlike:
		return ""
	case f.Previous != "":
		return fmt.Sprintf("%s's instances fail as well", f.Previous)
	}
	return "the old version's instances fail as well"
}

func sum(instances []rules.Instance) (all rules.Instance) {
	for _, i := range instances {
		all.Bad, all.Total = all.Bad+i.Bad, all.Total+i.Total
	}
	return all
}

func share(i rules.Instance) float64 {
	if i.Total <= 0 {
		return 0
	}
	return i.Bad / i.Total
}
