package authority

import (
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// filled says whether these people are as many as are needed of each group, none of
// them counted for two. Nobody needed: nobody can answer.
func filled(needs map[string]int, groups map[string][]string, people []string) bool {
	return len(needs) > 0 && rules.Quorum(needs, groups, func(person string) bool { return slices.Contains(people, person) })
}
