package configs

import (
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// inForce returns the plans as this daemon keeps them. With shadow = true in its
// file every rule is only recorded, and the plan itself says so: what is explained
// and what the journal opens a watch with must be what is done. The plans that are
// handed in stay as their owners wrote them.
func (d *Daemon) inForce(plans []rules.Plan) []rules.Plan {
	if d == nil || !d.Shadow {
		return plans
	}
	shadowed := slices.Clone(plans)
	for i := range shadowed {
		p := &shadowed[i]
		p.Rules = slices.Clone(p.Rules)
		for r := range p.Rules {
			p.Rules[r].Mode = rules.Shadow
		}
		if _, hash, err := asKept(*p); err == nil { // it was kept before, and only modes differ
			p.Hash = hash
		}
	}
	return shadowed
}
