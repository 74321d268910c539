package web

import (
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// given returns what the person has said to the question, open or decided; nil: nothing.
func given(view watcher.WatchView, link Link) *authority.Vote {
	var votes []authority.Vote
	if view.Question != nil {
		votes = append(votes, view.Question.Votes...)
	}
	if view.Decision != nil {
		votes = append(votes, view.Decision.Votes...)
	}
	votes = append(votes, view.KeptBy...)
	i := slices.IndexFunc(votes, func(v authority.Vote) bool { return v.Question == link.Question && v.Person == link.Person })
	if i < 0 {
		return nil
	}
	return &votes[i]
}

// became says what the question has come to, if people have answered it.
func became(view watcher.WatchView, link Link) string {
	on := func(v authority.Vote) bool { return v.Question == link.Question }
	switch kept, d := slices.IndexFunc(view.KeptBy, on), view.Decision; {
	case kept >= 0 && len(view.KeptBy) == 1 && view.KeptBy[kept].Person == link.Person:
		return ": it is kept by your vote, and nothing is rolled back"
	case kept >= 0:
		return ": it is kept by the votes of " + voters(view.KeptBy, authority.Keep)
	case d != nil && slices.ContainsFunc(d.Votes, on):
		return ": it was decided to roll back, by the votes of " + voters(d.Votes, authority.RollBack)
	}
	return ""
}

func voters(votes []authority.Vote, said authority.Choice) string {
	var people []string
	for _, v := range votes {
		if v.Choice == said {
			people = append(people, v.Person)
		}
	}
	return strings.Join(people, ", ")
}
