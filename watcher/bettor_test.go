package watcher_test

import (
	"slices"
	"sync"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// bettor is a rule whose evidence the test writes itself.
type bettor struct {
	name string
	// wants is what it wants of the past of a deployment, one request after the other.
	wants func(d rules.Deployment) []rules.Past
	// says is its answer to one look, given the value that was seen.
	says func(at time.Time, value float64) rules.Answer
	// verifies is its answer while a rollback is verified; nil: it is no Verifier.
	verifies func(at time.Time, value float64) rules.Answer
	// curve is what it shows; nil: it is no Plotter.
	curve func() rules.Curve
	book  *book
}

// book is what happened to the evidence of a bettor. Evidence learns beside the loop.
type book struct {
	sync.Mutex
	told
}

// told is what a book says.
type told struct {
	learned [][][]rules.Result
	bad     []rules.Span
	seen    []time.Time
	plotted int
	begun   []string // versions
	checked []string // versions that were verified
}

// state returns what the book says now.
func (b *book) state() told {
	b.Lock()
	defer b.Unlock()
	return b.told
}

func (b bettor) Queries(d rules.Deployment) []rules.Query {
	return []rules.Query{{Source: "main", Template: b.name, Values: d.Values()}}
}

func (b bettor) Begin(d rules.Deployment) rules.Evidence {
	b.book.Lock()
	defer b.book.Unlock()
	b.book.begun = append(b.book.begun, d.Version)
	bets := &bets{bettor: b}
	if b.wants == nil {
		if b.curve != nil {
			return plotting{bets}
		}
		return bets
	}
	bets.left = b.wants(d)
	if b.curve != nil {
		return learningAndPlotting{learning{bets}, plotting{bets}}
	}
	return learning{bets}
}

// verifying is a bettor that judges otherwise while a rollback is verified.
type verifying struct{ bettor }

func (v verifying) Verify(d rules.Deployment) rules.Evidence {
	v.book.Lock()
	v.book.checked = append(v.book.checked, d.Version)
	v.book.Unlock()
	v.says = v.verifies
	if v.wants != nil {
		return learning{&bets{bettor: v.bettor, left: v.wants(d)}}
	}
	return &bets{bettor: v.bettor}
}

type bets struct {
	bettor
	left []rules.Past
}

func (b *bets) See(at time.Time, got []rules.Result) rules.Answer {
	b.book.Lock()
	b.book.seen = append(b.book.seen, at)
	b.book.Unlock()
	if len(got[0].Samples) == 0 {
		return rules.Answer{Verdict: rules.NoData, Ceiling: rules.Auto, Why: "nothing"}
	}
	return b.says(at, got[0].Samples[0].Value)
}

type learning struct{ *bets }

func (l learning) Wants() (rules.Past, bool) {
	if len(l.left) == 0 {
		return rules.Past{}, false
	}
	return l.left[0], true
}

func (l learning) Learn(results [][]rules.Result, bad []rules.Span) {
	l.book.Lock()
	defer l.book.Unlock()
	l.book.learned, l.book.bad = append(l.book.learned, results), bad
	l.left = l.left[1:]
}

type plotting struct{ *bets }

func (p plotting) Curve() rules.Curve {
	p.book.Lock()
	defer p.book.Unlock()
	p.book.plotted++
	return p.curve()
}

type learningAndPlotting struct {
	learning
	plotting
}

func (b learningAndPlotting) See(at time.Time, got []rules.Result) rules.Answer {
	return b.learning.See(at, got)
}

// won is an answer whose test has so many times what one rule alone needs.
func won(times float64) rules.Answer {
	wealth := times * rules.Threshold(0)
	return rules.Answer{Ceiling: rules.Auto, Why: "errors 1 %", Test: &rules.Test{Wealth: wealth}, AtEnd: rules.Healthy}
}

// always is what a bettor says whatever it sees.
func always(a rules.Answer) func(time.Time, float64) rules.Answer {
	return func(time.Time, float64) rules.Answer {
		if a.Test != nil {
			test := *a.Test
			a.Test = &test
		}
		return a
	}
}

// builds builds these rules, whatever the plan.
func builds(built ...rules.Rule) func(*watcher.Config) {
	return func(c *watcher.Config) {
		c.Build = func(rules.Plan) ([]rules.Rule, error) { return built, nil }
	}
}

// week asks for a week of minutes of one template, up to the last hour before the deployment.
func week(template string) func(rules.Deployment) []rules.Past {
	return func(d rules.Deployment) []rules.Past {
		to := d.At.Truncate(time.Hour)
		return []rules.Past{{
			Queries: []rules.Query{{Source: "main", Template: template, Values: d.Values()}},
			From:    to.Add(-7 * 24 * time.Hour), To: to, Step: time.Minute,
		}}
	}
}

// named makes a plan's rules those of the names.
func named(names ...string) func(*rules.Plan) {
	return func(p *rules.Plan) {
		p.Rules = nil
		for _, name := range names {
			p.Rules = append(p.Rules, rules.Spec{Name: name, Kind: "query", Severity: rules.Critical, Mode: rules.Enforce})
		}
	}
}

// mode sets the mode of the rule with this name.
func mode(name string, m rules.Mode) func(*rules.Plan) {
	return func(p *rules.Plan) {
		i := slices.IndexFunc(p.Rules, func(s rules.Spec) bool { return s.Name == name })
		p.Rules[i].Mode = m
	}
}
