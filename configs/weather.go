package configs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// mostBorrowed is how many services a plan may borrow: each is asked about as often as
// the plan's own, and has its history read.
const mostBorrowed = 5

// checkWeather checks the services that the plan borrows, as far as its own file tells.
func (l *loader) checkWeather() {
	names := l.file.Weather
	checkServices(l.root, "weather", l.file.Service, "a service cannot be its own control", names)
	if len(names) > mostBorrowed {
		l.root.Fail("weather", fmt.Sprintf("weather: %d services, more than %d", len(names), mostBorrowed), "name those with the most traffic")
	}
	for i, name := range names {
		if slices.Contains(l.file.DependsOn, name) {
			l.root.Warn(fmt.Sprintf("weather.%d", i), fmt.Sprintf("weather: %q is in depends_on: what it suffers may be this service's doing, and would excuse it", name), "name a service that neither calls this one nor is called by it")
		}
	}
	borrows := func(s rules.Spec) bool { return l.catalog.borrows(s) }
	if len(names) > 0 && len(l.plan.Rules) > 0 && !slices.ContainsFunc(l.plan.Rules, borrows) {
		l.root.Warn("weather", "weather: no rule borrows it: that takes one that counts bad events and is compared with before or load-test", "remove it, or have a rule compared")
	}
}

// borrows says whether the rule borrows services: a test for which more is worse, against
// what was known before.
func (c Catalog) borrows(s rules.Spec) bool {
	known := s.CompareTo == nil || slices.Contains(s.CompareTo, rules.Before) || slices.Contains(s.CompareTo, rules.LoadTest)
	return s.Judge == "" && known && c.nature(s).Borrows && s.BetterBy.IsZero()
}

// borrow fills in, for a deployment in an environment, what the plan's rules borrow from
// the plans in force.
func (c Catalog) borrow(p rules.Plan, environment string, plans []rules.Plan) rules.Plan {
	if len(p.Weather) == 0 {
		return p
	}
	services := byService(plans)
	p.Rules = slices.Clone(p.Rules)
	for i, spec := range p.Rules {
		if !c.borrows(spec) {
			continue
		}
		for _, service := range p.Weather {
			p.Rules[i].Stations = append(p.Rules[i].Stations, c.station(p, spec, service, environment, services[service]))
		}
	}
	if text, _, err := asKept(p); err != nil || len(text) > maxPlan {
		lendNothing(p.Rules, "the plan would be too large with its rules")
	}
	return p
}

func byService(plans []rules.Plan) map[string][]rules.Plan {
	services := map[string][]rules.Plan{}
	for _, p := range plans {
		services[p.Service] = append(services[p.Service], p)
	}
	return services
}

func lendNothing(specs []rules.Spec, why string) {
	for _, spec := range specs {
		for i, station := range spec.Stations {
			spec.Stations[i] = rules.Station{Service: station.Service, Missing: why}
		}
	}
}

// station finds what a service, which has these plans, lends to a rule: its own rule of
// that kind, that of the same name before others. An empty environment means any.
func (c Catalog) station(p rules.Plan, spec rules.Spec, service, environment string, plans []rules.Plan) rules.Station {
	at := slices.IndexFunc(plans, func(q rules.Plan) bool { return environment == "" || q.Covers(environment) })
	if at < 0 {
		return rules.Station{Service: service, Missing: "there is no plan of it" + in(environment)}
	}
	of, missing := plans[at], ""
	rule, found := c.counterpart(of, spec)
	switch {
	case slices.Contains(of.DependsOn, p.Service):
		missing = fmt.Sprintf("it depends on %s, and fails with it", p.Service)
	case of.Source != p.Source:
		missing = fmt.Sprintf("another Prometheus is asked about it, %q", of.Source)
	case !found:
		missing = fmt.Sprintf("its plan has no %s rule that is judged by a test", spec.Kind)
	}
	if missing != "" {
		return rules.Station{Service: service, Missing: missing}
	}
	return rules.Station{Service: service, Select: of.Select, Rule: &rule}
}

func in(environment string) string {
	if environment == "" {
		return ""
	}
	return " in " + environment
}

// counterpart finds a plan's rule of the same kind.
func (c Catalog) counterpart(p rules.Plan, spec rules.Spec) (best rules.Spec, found bool) {
	for _, s := range p.Rules {
		if s.Kind != spec.Kind || s.Judge != "" || !c.nature(s).Borrows {
			continue
		}
		if s.Name == spec.Name {
			return s, true
		}
		if !found {
			best, found = s, true
		}
	}
	return best, found
}

// unborrowed warns of services that lend nothing to a rule of a plan that borrows them,
// given the plans in force.
func (c Catalog) unborrowed(w written, plans []rules.Plan) (problems Problems) {
	services := byService(plans)
	for _, p := range w.plans {
		for i, service := range p.Weather {
			if i < len(w.weather[p.File]) {
				problems = append(problems, c.lacks(p, service, w.weather[p.File][i], services)...)
			}
		}
	}
	return problems
}

// lacks warns of each reason why a service lends nothing once, with the rules that have it.
func (c Catalog) lacks(p rules.Plan, service string, place Problem, services map[string][]rules.Plan) (problems Problems) {
	why := map[string][]string{}
	var reasons []string
	borrowing := 0
	for _, spec := range p.Rules {
		if !c.borrows(spec) {
			continue
		}
		borrowing++
		missing := c.missing(p, spec, service, services[service])
		if missing == "" {
			continue
		}
		if why[missing] == nil {
			reasons = append(reasons, missing)
		}
		why[missing] = append(why[missing], fmt.Sprintf("%q", spec.Name))
	}
	for _, reason := range reasons {
		to := ""
		if len(why[reason]) < borrowing {
			to = " to rule " + list(why[reason], "and")
		}
		place.Warning, place.What = true, fmt.Sprintf("weather: %q lends nothing%s: %s", service, to, reason)
		if services[service] == nil {
			others := maps.Clone(services)
			delete(others, p.Service)
			place.Hint = strict.Guess(service, slices.Sorted(maps.Keys(others)))
		}
		problems = append(problems, place)
	}
	return problems
}

// missing says why the service lends nothing to the rule, in any of the plan's environments.
func (c Catalog) missing(p rules.Plan, spec rules.Spec, service string, plans []rules.Plan) string {
	environments := p.Environments
	if len(environments) == 0 {
		environments = []string{""}
	}
	for _, environment := range environments {
		if s := c.station(p, spec, service, environment, plans); s.Missing != "" {
			return s.Missing
		}
	}
	return ""
}
