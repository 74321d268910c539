package rules

import "slices"

// Quorum says whether the groups can give as many people as are needed of each, with
// nobody counted for two groups and none of those who are barred.
func Quorum(needs map[string]int, groups map[string][]string, barred ...string) bool {
	seated := map[string]string{} // the group that somebody counts for
	for group, n := range needs {
		for range n {
			if n > len(groups[group]) || !seat(group, groups, barred, seated, map[string]bool{}) {
				return false
			}
		}
	}
	return true
}

// seat finds one more for the group: somebody who is free, or whose other group finds another.
func seat(group string, groups map[string][]string, barred []string, seated map[string]string, asked map[string]bool) bool {
	for _, person := range groups[group] {
		if asked[person] || slices.Contains(barred, person) {
			continue
		}
		asked[person] = true
		if other, taken := seated[person]; !taken || other != group && seat(other, groups, barred, seated, asked) {
			seated[person] = group
			return true
		}
	}
	return false
}
