package compare

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/counting"
	"github.com/bakewatch/bakewatch/rules/eprocess"
)

// station is a service that is borrowed as a control: by its own rule's counts, held
// against its own history.
type station struct {
	past
	name        string
	queries     []rules.Query // of a look
	missing     string        // why it never speaks
	silent      string        // why it did not at the last look
	start       counting.Start
	deployments rules.Deployments
	normal      eprocess.Model
	looks       []eprocess.Counts // the last ones
}

func newStation(l Lent, d rules.Deployment) *station {
	s := &station{name: l.Service, missing: l.Missing}
	theirs, compares := l.Rule.(*Rule)
	if s.missing == "" && !compares {
		s.missing = "its rule compares nothing"
	}
	if s.missing == "" {
		s.past = newPast(theirs.config, rules.Deployment{Service: l.Service, Environment: d.Environment, At: d.At})
		s.start = counting.Start{From: d.At, Interval: s.interval}
		s.missing = s.unbound(s.service)
	}
	if s.missing != "" {
		s.stage = wantsNothing
		return s
	}
	s.queries = optional(s.Ask(s.service, s.Setting.Interval))
	return s
}

func optional(queries []rules.Query) []rules.Query {
	for i := range queries {
		queries[i].Optional = true
	}
	return queries
}

// learn takes in the past, as far as there is an answer at all.
func (s *station) learn(results [][]rules.Result) {
	for _, query := range results {
		if !slices.ContainsFunc(query, func(r rules.Result) bool { return r.Err == nil }) {
			s.missing, s.stage = "its history was not read", wantsNothing
			if len(query) > 0 {
				s.missing = "reading its history: " + reason(query[0].Err)
			}
			return
		}
	}
	s.Learn(results, s.deployments.Bad)
}

// begin says what is normal there.
func (s *station) begin() {
	defer s.forget()
	if s.missing != "" {
		return
	}
	known := false
	if !s.unmarked() {
		s.normal, known = s.model()
	}
	if !known {
		s.missing = s.why
	}
}

// see folds its part of a look.
func (s *station) see(at time.Time, got []rules.Result) {
	var look eprocess.Counts
	if look, s.silent = s.count(at, got); s.silent != "" {
		look = eprocess.Missing
	}
	s.looks = follow(s.looks, look)
}

// follow adds a look to the last ones.
func follow(looks []eprocess.Counts, look eprocess.Counts) []eprocess.Counts {
	return append(slices.Clone(looks[max(0, len(looks)+1-eprocess.StationLooks):]), look)
}

// count returns what it counted, or why that says nothing of the weather.
func (s *station) count(at time.Time, got []rules.Result) (look eprocess.Counts, silent string) {
	if s.missing != "" {
		return look, s.missing
	}
	look, err := readLook(s.Config, got, s.mark, &s.beyond)
	first := s.start.Baseline(at, err == nil)
	switch {
	case within(s.deployments.Watched, at.Add(-s.interval), at):
		return look, "its last deployment has not passed"
	case err != nil:
		return look, reason(err)
	case first:
		return look, "its first data after a gap"
	}
	return look, ""
}
