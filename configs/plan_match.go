package configs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// checkMatchable warns of an authority that can never match in this plan. Labels
// and deployers come with the event, so they are never a reason.
func (l *loader) checkMatchable(t strict.Table, a rules.Authority) {
	p := l.plan
	if len(a.Tier) > 0 && !slices.Contains(a.Tier, p.Tier) {
		never(t, "tier", fmt.Sprintf("the plan's tier is %s", tierOf(p)))
	}
	if len(p.Environments) > 0 && len(a.Environments) > 0 && !slices.ContainsFunc(a.Environments, p.Covers) {
		never(t, "environments", "the plan is not for any of these environments")
	}
	if len(a.Severity) > 0 && len(p.Rules) > 0 && !slices.ContainsFunc(p.Rules, func(s rules.Spec) bool {
		return slices.Contains(a.Severity, s.Severity) && (len(a.Rules) == 0 || slices.Contains(a.Rules, s.Name))
	}) {
		never(t, "severity", "no rule has this severity")
	}
	if most := mostOf(a.Attribution); a.Decide > most {
		t.Warn("attribution", fmt.Sprintf("decide = %q comes to %q: more is not allowed unless this deployment is to blame", a.Decide, most), `leave attribution out, or name "this deployment"`)
	}
	for i, earlier := range p.Authorities {
		if shadows(earlier, a) {
			never(t, "", fmt.Sprintf("authority %d matches whatever this one does, and comes first", i+1))
			return
		}
	}
}

// mostOf returns the most power that any of these answers allows; none: all of it.
func mostOf(blames []rules.Blame) rules.Power {
	if len(blames) == 0 {
		return rules.Auto
	}
	most := rules.None
	for _, b := range blames {
		most = max(most, b.Ceiling())
	}
	return most
}

func never(t strict.Table, key, why string) {
	t.Warn(key, "can never match: "+why, "correct it, or remove the authority")
}

func tierOf(p rules.Plan) string {
	if p.Tier == 0 {
		return "not said"
	}
	return fmt.Sprint(p.Tier)
}

// shadows says whether the first authority matches all that the second does.
func shadows(first, second rules.Authority) bool {
	return covers(first.Severity, second.Severity) && covers(first.Environments, second.Environments) &&
		covers(first.Strategies, second.Strategies) && covers(first.Tier, second.Tier) &&
		covers(first.Rules, second.Rules) && covers(first.Deployers, second.Deployers) &&
		covers(first.Attribution, second.Attribution) && covers(first.Calendar, second.Calendar) &&
		coversLabels(first.Labels, second.Labels)
}

// covers says whether a matcher lets through all that another does; an empty one
// lets through everything.
func covers[E comparable](wide, narrow []E) bool {
	if len(wide) == 0 {
		return true
	}
	return len(narrow) > 0 && !slices.ContainsFunc(narrow, func(e E) bool { return !slices.Contains(wide, e) })
}

func coversLabels(wide, narrow map[string]string) bool {
	for label, value := range wide {
		if other, set := narrow[label]; !set || other != value {
			return false
		}
	}
	return true
}

// clone returns settings that share nothing that a plan could change.
func (s Settings) clone() Settings {
	s.Labels, s.Select.Match, s.Select.Slots = maps.Clone(s.Labels), maps.Clone(s.Select.Match), maps.Clone(s.Select.Slots)
	s.Environments = slices.Clone(s.Environments)
	if s.Select.Join != nil {
		join := *s.Select.Join
		s.Select.Join = &join
	}
	return s
}
