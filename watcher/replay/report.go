package replay

import (
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Tally counts what one way to judge made of the deployments.
type Tally struct {
	// Bad and Healthy are how many deployments of each sort there were, Detected and
	// False how many of them were stopped.
	Bad      int `json:"bad"`
	Detected int `json:"detected"`
	Healthy  int `json:"healthy"`
	False    int `json:"false"`
	// Alone and FalseAlone are those of the stopped that were stopped without asking anybody.
	Alone      int `json:"alone"`
	FalseAlone int `json:"false_alone"`
	// Unable is how many of all deployments could not be judged, for want of what was before.
	Unable int `json:"unable,omitempty"`
	// Median is how long after a bad deployment it was detected; 0: none was.
	Median time.Duration `json:"-"`
}

// String returns the last line of a replay.
func (t Tally) String() string {
	return fmt.Sprintf("incidents: bad=%d detected=%d healthy=%d false=%d", t.Bad, t.Detected, t.Healthy, t.False)
}

// verdict is what one way to judge made of one deployment.
type verdict struct {
	bad, stopped, alone bool
	after               time.Duration
}

func tally(verdicts []verdict) (t Tally) {
	var delays []time.Duration
	for _, v := range verdicts {
		total, stopped, alone := &t.Healthy, &t.False, &t.FalseAlone
		if v.bad {
			total, stopped, alone = &t.Bad, &t.Detected, &t.Alone
		}
		*total++
		if v.stopped {
			*stopped++
		}
		if v.alone {
			*alone++
		}
		if v.bad && v.stopped {
			delays = append(delays, v.after)
		}
	}
	if len(delays) > 0 {
		slices.Sort(delays)
		t.Median = delays[len(delays)/2]
	}
	return t
}

// Count counts what Bakewatch made of the deployments.
func Count(findings []Finding) Tally {
	verdicts := make([]verdict, len(findings))
	for i, f := range findings {
		verdicts[i] = verdict{f.Deployment.Bad, f.Detected(), f.Power >= rules.Auto, f.After()}
	}
	return tally(verdicts)
}

// CountPeer counts what the peer with this index of Config.Peers made of them. Peers ask nobody.
func CountPeer(findings []Finding, peer int) Tally {
	unable := 0
	verdicts := make([]verdict, len(findings))
	for i, f := range findings {
		after := f.Peers[peer].After
		verdicts[i] = verdict{f.Deployment.Bad, after > 0, after > 0, after}
		if f.Peers[peer].Unable {
			unable++
		}
	}
	t := tally(verdicts)
	t.Unable = unable
	return t
}
