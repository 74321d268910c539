package rules

// Quorum says whether those of the groups' people who count are as many as are needed
// of each group, with nobody counted for two of them. Nobody needed: nothing is lacking.
func Quorum(needs map[string]int, groups map[string][]string, counts func(person string) bool) bool {
	s := seating{groups, counts, map[string]string{}}
	for group, n := range needs {
		if n > len(groups[group]) {
			return false
		}
		for range n {
			if !s.seat(group, map[string]bool{}) {
				return false
			}
		}
	}
	return true
}

// seating is a matching of people and groups, made larger one by one (Kuhn).
type seating struct {
	groups map[string][]string
	counts func(person string) bool
	sits   map[string]string // the group that somebody counts for
}

// seat finds one more for the group: somebody who is free, or whose group finds another.
func (s seating) seat(group string, asked map[string]bool) bool {
	for _, person := range s.groups[group] {
		if asked[person] || !s.counts(person) {
			continue
		}
		asked[person] = true
		if other, taken := s.sits[person]; !taken || other != group && s.seat(other, asked) {
			s.sits[person] = group
			return true
		}
	}
	return false
}
