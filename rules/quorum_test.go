package rules_test

import (
	"slices"
	"testing"

	"github.com/bakewatch/bakewatch/rules"
)

func TestAQuorumIsOfDifferentPeople(t *testing.T) {
	groups := map[string][]string{"oncall": {"ana", "ben"}, "owners": {"ana"}, "leads": {"ben", "ana"}, "managers": {"cleo", "dan"}}
	for name, test := range map[string]struct {
		needs  map[string]int
		barred []string
		want   bool
	}{
		"one of two":                         {map[string]int{"oncall": 1}, nil, true},
		"both":                               {map[string]int{"oncall": 2}, nil, true},
		"more than there are":                {map[string]int{"oncall": 3}, nil, false},
		"far more than there are":            {map[string]int{"oncall": 1 << 60}, nil, false},
		"nobody":                             {map[string]int{"nobody": 1}, nil, false},
		"whoever is in two groups gives way": {map[string]int{"oncall": 1, "owners": 1}, nil, true},
		"through a third group":              {map[string]int{"oncall": 1, "owners": 1, "managers": 2}, nil, true},
		"two people for three seats":         {map[string]int{"oncall": 1, "owners": 1, "leads": 1}, nil, false},
		"both of one and the same one of another": {map[string]int{"oncall": 2, "owners": 1}, nil, false},
		"one is barred":          {map[string]int{"oncall": 1}, []string{"ana"}, true},
		"the only one is barred": {map[string]int{"owners": 1}, []string{"ana"}, false},
		"one of both is barred":  {map[string]int{"oncall": 2}, []string{"ben"}, false},
		"nothing is needed":      {nil, nil, true},
	} {
		t.Run(name, func(t *testing.T) {
			for range 20 { // a map has no order
				if got := rules.Quorum(test.needs, groups, func(person string) bool { return !slices.Contains(test.barred, person) }); got != test.want {
					t.Fatal(got)
				}
			}
		})
	}
}
