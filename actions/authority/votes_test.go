package authority_test

import (
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

func question(changes ...func(*authority.Question)) authority.Question {
	q := authority.Question{
		Seq:    7,
		Clause: rules.Authority{Decide: rules.Ask, Needs: map[string]int{"oncall": 1}, Within: rules.Duration(10 * time.Minute)},
		Groups: map[string][]string{"oncall": {"ben", "ana", "eve"}, "owners": {"ben", "zoe"}, "bystanders": {"mallory"}},
		Barred: []string{"ana"},
	}
	for _, change := range changes {
		change(&q)
	}
	return q
}

func votes(votes ...authority.Vote) func(*authority.Question) {
	return func(q *authority.Question) { q.Votes = votes }
}

func vote(person string, choice authority.Choice) authority.Vote {
	return authority.Vote{Question: 7, Person: person, Choice: choice}
}

func needs(needs map[string]int) func(*authority.Question) {
	return func(q *authority.Question) { q.Clause.Needs = needs }
}

func nobodyBarred(q *authority.Question) { q.Barred = nil }

func TestAVoteCountsOnlyFromThePeopleAskedOnceAndForThisQuestion(t *testing.T) {
	for name, c := range map[string]struct {
		question authority.Question
		vote     authority.Vote
		want     error
	}{
		"of one of the group":            {question(), vote("ben", authority.RollBack), nil},
		"to keep":                        {question(), vote("eve", authority.Keep), nil},
		"for an older question":          {question(), authority.Vote{Question: 6, Person: "ben", Choice: authority.Keep}, authority.ErrOtherQuestion},
		"for no question":                {question(), authority.Vote{Person: "ben", Choice: authority.Keep}, authority.ErrOtherQuestion},
		"with an unknown choice":         {question(), vote("ben", "maybe"), authority.ErrChoice},
		"with no choice":                 {question(), vote("ben", ""), authority.ErrChoice},
		"of a stranger":                  {question(), vote("trent", authority.Keep), authority.ErrNotAsked},
		"of nobody":                      {question(), vote("", authority.Keep), authority.ErrNotAsked},
		"of a group that is not asked":   {question(), vote("mallory", authority.RollBack), authority.ErrNotAsked},
		"of whoever deployed":            {question(), vote("ana", authority.RollBack), authority.ErrBarred},
		"of whoever deployed, to keep":   {question(), vote("ana", authority.Keep), authority.ErrBarred},
		"said twice":                     {question(votes(vote("ben", authority.Keep))), vote("ben", authority.Keep), authority.ErrVoted},
		"changed":                        {question(votes(vote("ben", authority.Keep))), vote("ben", authority.RollBack), authority.ErrVoted},
		"after another's":                {question(votes(vote("ben", authority.Keep))), vote("eve", authority.RollBack), nil},
		"when nobody is asked":           {question(needs(nil)), vote("ben", authority.RollBack), authority.ErrNotAsked},
		"of one of the second group":     {question(needs(map[string]int{"oncall": 1, "owners": 1})), vote("zoe", authority.Keep), nil},
		"of a group that nobody defined": {question(needs(map[string]int{"ghosts": 1})), vote("ben", authority.Keep), authority.ErrNotAsked},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.question.Admit(c.vote); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

func TestAQuestionIsAnsweredOnceEnoughOfEveryGroupAgree(t *testing.T) {
	for name, c := range map[string]struct {
		question authority.Question
		want     authority.Choice
	}{
		"nobody has voted":                       {question(), ""},
		"one of one":                             {question(votes(vote("ben", authority.RollBack))), authority.RollBack},
		"one of one, to keep":                    {question(votes(vote("ben", authority.Keep))), authority.Keep},
		"both at once: keep":                     {question(votes(vote("ben", authority.RollBack), vote("eve", authority.Keep))), authority.Keep},
		"one of two":                             {question(needs(map[string]int{"oncall": 2}), votes(vote("ben", authority.RollBack))), ""},
		"two of two who differ":                  {question(needs(map[string]int{"oncall": 2}), votes(vote("ben", authority.RollBack), vote("eve", authority.Keep))), ""},
		"two of two":                             {question(needs(map[string]int{"oncall": 2}), votes(vote("ben", authority.RollBack), vote("eve", authority.RollBack))), authority.RollBack},
		"one group of two":                       {question(needs(map[string]int{"oncall": 1, "owners": 1}), votes(vote("eve", authority.RollBack))), ""},
		"both groups":                            {question(needs(map[string]int{"oncall": 1, "owners": 1}), votes(vote("eve", authority.RollBack), vote("zoe", authority.RollBack))), authority.RollBack},
		"one of one, and the deployer unknown":   {question(nobodyBarred, votes(vote("ben", authority.RollBack))), ""},
		"two, as the deployer is unknown":        {question(nobodyBarred, votes(vote("ben", authority.RollBack), vote("eve", authority.RollBack))), authority.RollBack},
		"nobody is needed: nobody can answer it": {question(needs(nil), votes(vote("ben", authority.RollBack))), ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, answered := c.question.Answer()
			if got != c.want || answered != (c.want != "") {
				t.Errorf("got %q, %v, want %q", got, answered, c.want)
			}
		})
	}
}

func TestOneMoreMustAgreeWhereNobodyKnowsWhoDeployed(t *testing.T) {
	for name, c := range map[string]struct {
		question authority.Question
		want     map[string]int
	}{
		"the deployer is known":                    {question(), map[string]int{"oncall": 1}},
		"unknown":                                  {question(nobodyBarred), map[string]int{"oncall": 2}},
		"unknown, and the group has no more":       {question(nobodyBarred, needs(map[string]int{"bystanders": 1})), map[string]int{"bystanders": 1}},
		"unknown, in two groups":                   {question(nobodyBarred, needs(map[string]int{"oncall": 2, "owners": 1})), map[string]int{"oncall": 3, "owners": 2}},
		"unknown, and more are wanted than are in": {question(nobodyBarred, needs(map[string]int{"owners": 5})), map[string]int{"owners": 5}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := c.question.Needs(); !maps.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestSilenceBeginsToCountWithTheFirstConfirmedDelivery(t *testing.T) {
	if at, counts := question().Deadline(); counts || !at.IsZero() {
		t.Errorf("a question that nobody heard has the deadline %s", at)
	}
	heard := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	q := question(func(q *authority.Question) { q.Heard, q.Asked = heard, heard.Add(-time.Hour) })
	if at, counts := q.Deadline(); !counts || !at.Equal(heard.Add(10*time.Minute)) {
		t.Errorf("deadline %s, %v", at, counts)
	}
}
