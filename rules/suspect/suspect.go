// Package suspect answers "is it this deployment?": who is to blame for a breach, and
// why. It never looks for itself: all that is known is in Facts, and the same facts
// have the same answer.
//
// Start reading at Attribute.
package suspect

import (
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Facts is all that an attribution may depend on. What is not known is left empty.
type Facts struct {
	Version string // the one that was deployed
	// Previous is the version that ran before, and may still run beside it.
	Previous string
	At       time.Time // of the look that is judged
	Live     time.Time // when the deployment went live
	// Onset is since when the rule is worse.
	Onset time.Time
	// Early says that it was worse before the deployment, as what was seen then proves.
	Early bool
	// Plain says that the rule is a plain limit: it says nothing about a cause, and
	// blames the deployment unless something speaks against that.
	Plain bool
	// Bad and Total are what the version has counted while the controls were.
	Bad, Total float64
	// Compared is what the version was held against.
	Compared []rules.Compared
	// Weather is what the borrowed services show.
	Weather []rules.Weather
	// Space is where the bad events since the onset are.
	Space rules.Space
	// Others are other deployments in the same environment.
	Others []Other
	// Dependencies are those of the service that are in trouble, and not because of a
	// deployment of their own.
	Dependencies []Dependency
}

// Other is another deployment.
type Other struct {
	Name string    // "payments 3.1.0"
	Live time.Time // when it went live
	// Breached says that its own watch found it worse.
	Breached bool
	// Needed says that the watched service depends on it, or is the same service.
	Needed bool
	// Shared is the share of the affected instances that stand on a host of its own, 0 to 1.
	Shared float64
}

// Dependency is a service in trouble that the watched one depends on.
type Dependency struct {
	Name  string
	Since time.Time // since when it is in trouble; zero: not known
}

// Attribute says who is to blame for a breach. In this order:
//
//  1. What speaks for this deployment: only its own instances are affected; a control
//     that ran in the same minutes does not suffer.
//     What speaks against it: it was worse before; the other instances are affected as
//     well; a control suffers as well.
//  2. Both: cannot tell. Only against: the best suspect, or else something ambient.
//  3. One single instance of several of the new version: cannot tell, and it is named.
//     A broken machine looks like that.
//  4. Only for: this deployment, whoever else deployed: nobody else's doing would stop
//     at the versions' border.
//  5. Neither: the suspects are held against the deployment by their scores. A suspect
//     that is twice as likely is to blame, and where none is half as likely this
//     deployment is, if it is known that things became worse after it, or if the rule is a
//     plain limit. All else: cannot tell.
//
// More evidence against others, or against this deployment, never raises its blame.
func Attribute(f Facts) rules.Attribution {
	spread := spreadOf(f)
	innocent := clues(f.early(), spread.alike(f), f.controlSuffers())
	guilty := clues(spread.ours(f), f.controlApart())
	best, others := f.suspects()
	switch {
	case len(innocent) > 0 && len(guilty) > 0:
		return answer(rules.CannotTell, "", guilty, innocent, others)
	case len(innocent) > 0:
		blame, name, why := best.orAmbient()
		return answer(blame, name, innocent, why)
	case spread.single != "":
		return answer(rules.CannotTell, "", clues(spread.single), guilty, others)
	case len(guilty) > 0:
		return answer(rules.ThisDeployment, "", guilty, f.after(), others)
	}
	return f.weigh(best, others)
}

// weigh answers where only time can tell.
func (f Facts) weigh(best suspect, others []string) rules.Attribution {
	mine := decay(f.reference().Sub(f.Live))
	switch {
	case best.score >= clearly*mine && best.score > 0:
		return answer(best.blame, best.name, best.why)
	case best.score*clearly >= mine && best.score > 0:
		return answer(rules.CannotTell, "", best.why, f.after())
	case len(f.after()) > 0, f.Plain:
		return answer(rules.ThisDeployment, "", f.after(), others)
	}
	return answer(rules.CannotTell, "", clues("nobody knows when it began"), others)
}

// clearly is how many times as likely a cause must be to be preferred to another.
const clearly = 2

func answer(blame rules.Blame, suspect string, why ...[]string) rules.Attribution {
	a := rules.Attribution{Blame: blame, Suspect: suspect}
	for _, reasons := range why {
		a.Why = append(a.Why, reasons...)
	}
	return a
}

// clues leaves out what is not so.
func clues(said ...string) (found []string) {
	for _, s := range said {
		if s != "" {
			found = append(found, s)
		}
	}
	return found
}
