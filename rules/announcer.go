package rules

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Announcer is one [trust.announcer.NAME] of the daemon's file: who may announce which
// deployments, where events must be signed.
type Announcer struct {
	NKeys        []string `toml:"nkeys" json:"nkeys,omitempty" doc:"its public nkeys (U…); two while one replaces the other"`
	Services     []string `toml:"services" json:"services,omitempty" doc:"the services it may announce; * at the end of a name stands for any rest"`
	Environments []string `toml:"environments" json:"environments,omitempty" doc:"the environments it may announce them in; default: all"`
}

// covers says whether it may announce the service in the environment.
func (a Announcer) covers(service, environment string) bool {
	return slices.ContainsFunc(a.Services, func(of string) bool { return beginsLike(service, of) }) &&
		(len(a.Environments) == 0 || slices.Contains(a.Environments, environment))
}

// beginsLike says whether the name is the pattern, or begins like one that ends with *.
func beginsLike(name, pattern string) bool {
	if begin, open := strings.CutSuffix(pattern, "*"); open {
		return strings.HasPrefix(name, begin)
	}
	return name == pattern
}

// Announcers are those who may announce deployments, by name.
type Announcers map[string]Announcer

// ErrForeign says that a key may not announce a deployment.
var ErrForeign = errors.New("may not announce this")

// Admit returns the announcer for whom the key announces the deployment, or ErrForeign.
func (a Announcers) Admit(nkey string, d Deployment) (name string, err error) {
	known := ""
	for _, name := range slices.Sorted(maps.Keys(a)) {
		if !slices.Contains(a[name].NKeys, nkey) {
			continue
		}
		if a[name].covers(d.Service, d.Environment) {
			return name, nil
		}
		known = name
	}
	if known == "" {
		return "", fmt.Errorf("key %s %w: it is that of no [trust.announcer.NAME]", nkey, ErrForeign)
	}
	return "", fmt.Errorf("key %s %w: %s is not for %s in %s", nkey, ErrForeign, known, d.Service, d.Environment)
}
