package counting

import (
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// Asked are the queries of a look, and how people are shown them.
type Asked struct {
	Queries []rules.Query
	shown   []string // bound, once somebody was shown it
}

// Text returns one of the queries as a person can paste it, or as it stands in the
// plan where a value is missing; of one that is not there, the first.
func (a *Asked) Text(i int) string {
	if len(a.Queries) == 0 {
		return ""
	}
	if i < 0 || i >= len(a.Queries) {
		i = 0
	}
	if a.shown == nil {
		a.shown = make([]string, len(a.Queries))
	}
	if a.shown[i] == "" {
		q := a.Queries[i]
		a.shown[i] = q.Template
		if bound, err := promql.Bind(q.Template, q.Values); err == nil {
			a.shown[i] = bound
		}
	}
	return a.shown[i]
}
