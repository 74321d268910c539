package compare

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/eprocess"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// How far back the past is read.
const (
	dayBefore  = 24 * time.Hour
	weekBefore = 7 * 24 * time.Hour
	justBefore = 30 * time.Minute
	// mostLooks bounds what one request asks for: a server refuses more than 11,000 instants.
	mostLooks = 5760
	// shared rounds the end of the long reads, so that watches of one service ask the same.
	shared = 10 * time.Minute
	// enough bad events in the last day: more days would add little.
	enough = 400
)

// past reads what was before the deployment, a request at a time: what tells bad from
// good, the last day look by look, the week where the day holds little, and the last
// half hour.
type past struct {
	Config
	service  promql.Arm
	interval time.Duration
	at       time.Time // the deployment
	stage    stage

	beyond  beyond
	mark    float64
	why     string // why there is no history
	minutes []eprocess.Counts
	looks   []eprocess.Counts
	last    []eprocess.Counts // the half hour before the deployment
}

type stage uint8

const (
	wantsMark stage = iota
	wantsDay
	wantsWeek
	wantsLast
	wantsNothing
)

func newPast(c Config, d rules.Deployment) past {
	p := past{Config: c, service: promql.History(d), interval: time.Duration(c.Setting.Interval), at: d.At, stage: wantsDay}
	switch {
	case c.Mark.Ask != nil:
		p.stage = wantsMark
	case c.Rate != nil:
		p.stage = wantsWeek
	}
	return p
}

// end is where the long reads end.
func (p *past) end() time.Time { return p.at.Truncate(max(shared, p.interval)) }

// day is how far back every look is read.
func (p *past) day() time.Duration {
	if p.Rate != nil {
		return 0
	}
	return min(dayBefore, mostLooks*p.interval)
}

// row is the length of a minute of the past: a look may be longer.
func (p *past) row() time.Duration { return max(time.Minute, p.interval) }

// Wants implements rules.Historical.
func (p *past) Wants() (rules.Past, bool) {
	end := p.end()
	switch p.stage {
	case wantsMark:
		return rules.Past{Queries: p.Mark.Ask(p.service), From: end, To: end, Step: p.interval}, true
	case wantsDay:
		return p.counts(end.Add(-p.day()+p.interval), end, p.interval), true
	case wantsWeek:
		return p.counts(end.Add(-weekBefore+p.row()), end.Add(-p.day()), p.row()), true
	case wantsLast:
		last := p.at.Truncate(p.interval)
		return p.counts(last.Add(-justBefore+p.interval), last, p.interval), true
	case wantsNothing:
	}
	return rules.Past{}, false
}

func (p *past) counts(from, to time.Time, step time.Duration) rules.Past {
	return rules.Past{Queries: p.Ask(p.service, rules.Duration(step)), From: from, To: to, Step: step}
}

// Learn implements rules.Historical.
func (p *past) Learn(results [][]rules.Result, bad []rules.Span) {
	want, _ := p.Wants()
	switch p.stage {
	case wantsMark:
		p.learnMark(results)
	case wantsDay:
		p.looks = p.read(want, results, bad)
		p.minutes = rows(p.looks, int(p.row()/p.interval))
		p.stage = wantsWeek
		if p.day() == dayBefore && total(p.minutes).Bad >= enough {
			p.stage = wantsLast
		}
	case wantsWeek:
		p.minutes = append(p.read(want, results, bad), p.minutes...)
		p.stage = wantsLast
	case wantsLast:
		p.last = p.read(want, results, bad)
		p.stage = wantsNothing
		since := p.last[min(len(p.last), want.Instants()-int(want.To.Sub(p.end())/p.interval)):]
		p.looks = append(p.looks, since...)
		p.minutes = append(p.minutes, rows(since, int(p.row()/p.interval))...)
	case wantsNothing:
	}
}

func (p *past) learnMark(results [][]rules.Result) {
	p.stage = wantsNothing
	if len(results) == 0 || len(results[0]) == 0 {
		p.why = "its history was not read"
		return
	}
	mark, known, err := threshold.One(results[0][0], "the quantile of the history")
	switch {
	case results[0][0].Err != nil:
		p.why = results[0][0].Err.Error()
	case err != nil || !known || mark <= 0:
		p.why = "no history"
	default:
		p.mark, p.stage = mark, wantsDay
	}
}

// read reads the counts of every instant; Missing where there are none, or a version
// ran that ended badly.
func (p *past) read(want rules.Past, results [][]rules.Result, bad []rules.Span) []eprocess.Counts {
	counts := make([]eprocess.Counts, 0, want.Instants())
	row := make([]rules.Result, len(results))
	at := want.From
	for j := range want.Instants() {
		c := eprocess.Missing
		if !within(bad, at.Add(-want.Step), at) && instant(results, j, row) {
			if look, err := readLook(p.Config, row, p.mark, &p.beyond); err == nil {
				c = look
			} else {
				p.excuse(err)
			}
		}
		counts = append(counts, c)
		at = at.Add(want.Step)
	}
	return counts
}

// excuse keeps why there is no history, unless there simply is nothing.
func (p *past) excuse(err error) {
	if failed, ok := errors.AsType[*rules.SampleError](err); !ok || failed.Reason != rules.Empty {
		p.why = reason(err)
	}
}

// instant fills in the results of one instant; false if some query has none.
func instant(results [][]rules.Result, j int, row []rules.Result) bool {
	for i := range results {
		if j >= len(results[i]) {
			return false
		}
		row[i] = results[i][j]
	}
	return len(results) > 0
}

// within says whether what was counted from one instant to another is, in part, of a span.
func within(spans []rules.Span, from, to time.Time) bool {
	for _, s := range spans {
		if to.After(s.From) && from.Before(s.To) {
			return true
		}
	}
	return false
}

// readLook reads one look's counts. A result with an error is never an empty one.
func readLook(c Config, got []rules.Result, mark float64, b *beyond) (eprocess.Counts, error) {
	for _, result := range got {
		if result.Err != nil {
			return eprocess.Missing, result.Err
		}
	}
	look, err := c.Read(got, mark)
	if err != nil {
		return eprocess.Missing, err
	}
	return b.counts(look)
}

// countsOf takes no more for bad than there is, and nothing for a count that is none.
func countsOf(look threshold.Look) (eprocess.Counts, error) {
	counts := eprocess.Counts{Total: look.Total, Bad: min(look.Bad, look.Total)}
	if !counts.Known() {
		return eprocess.Missing, rules.Failed(rules.NotANumber, "%v of %v are no counts", look.Bad, look.Total)
	}
	return counts, nil
}

// rows adds up so many looks each, as far as they are known.
func rows(looks []eprocess.Counts, each int) []eprocess.Counts {
	minutes := make([]eprocess.Counts, 0, len(looks)/max(1, each)+1)
	for row := range slices.Chunk(looks, max(1, each)) {
		minutes = append(minutes, total(row))
	}
	return minutes
}

// total adds up what is known; Missing if nothing is.
func total(counts []eprocess.Counts) eprocess.Counts {
	all, known := eprocess.Counts{}, false
	for _, c := range counts {
		if c.Known() {
			all.Total, all.Bad, known = all.Total+c.Total, all.Bad+c.Bad, true
		}
	}
	if !known {
		return eprocess.Missing
	}
	return all
}

// fewestWanted is how many events that are wanted a history must hold: nothing can be
// worse than what nobody used.
const fewestWanted = 20

// fewestEvents is how many events a history must hold to tell what is normal.
const fewestEvents = 100

// model estimates what is normal.
func (p *past) model() (eprocess.Model, bool) {
	if !(total(p.minutes).Total >= p.fewest()) {
		if p.why == "" {
			p.why = "no history"
		}
		return eprocess.Model{}, false
	}
	m, known := p.estimate(p.minutes, p.looks)
	if p.Fewer && m.Seen.Bad < fewestWanted {
		p.why = fmt.Sprintf("hardly any %s before", p.Subject)
		return eprocess.Model{}, false
	}
	return m, known
}

// forget lets go of the counts, which take some 250 KB, once the model is made.
func (p *past) forget() { p.minutes, p.looks, p.last = nil, nil, nil }

// unmarked says that nothing tells bad from good.
func (p *past) unmarked() bool { return p.Mark.Ask != nil && p.mark == 0 }

// already says that it was bad before the deployment.
func (p *past) already(m eprocess.Model, threshold float64) bool {
	return eprocess.Before(m, p.last, threshold) >= threshold
}
