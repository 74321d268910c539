package authority

import (
	"maps"
	"slices"
)

// filled says whether the people fill every seat that the needs ask for, each of them
// at most one: whoever is in two groups counts for one of them. Nobody needed: nobody
// can answer.
//
// It is a maximum matching between seats and people by augmenting paths (Kuhn); the
// few people of a question make it quick.
func filled(needs map[string]int, groups map[string][]string, people []string) bool {
	if len(needs) == 0 {
		return false
	}
	s := seating{groups: groups, people: people, sits: map[string]int{}}
	for _, group := range slices.Sorted(maps.Keys(needs)) {
		if needs[group] > len(people) {
			return false
		}
		for range needs[group] {
			s.seats = append(s.seats, group)
		}
	}
	for seat := range s.seats {
		if !s.seat(seat, map[string]bool{}) {
			return false
		}
	}
	return true
}

// seating is who sits where.
type seating struct {
	groups map[string][]string
	people []string
	seats  []string       // by the group they are for
	sits   map[string]int // the seat of each person who has one
}

// seat finds somebody for the seat, and another seat for whoever sits there in the way.
func (s *seating) seat(seat int, asked map[string]bool) bool {
	for _, person := range s.people {
		if asked[person] || !slices.Contains(s.groups[s.seats[seat]], person) {
			continue
		}
		asked[person] = true
		if taken, sits := s.sits[person]; !sits || s.seat(taken, asked) {
			s.sits[person] = seat
			return true
		}
	}
	return false
}
