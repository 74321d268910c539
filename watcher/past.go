package watcher

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// past is what was read of the time before deployments, once for all rules of all
// watches that ask the same. It lives in memory only, within bounds.
type past struct {
	kept    map[string]*recollection
	waiting []member // whose rules wait for it, in the order in which they came
}

const (
	// roomForPast is how many instants of all queries are kept at most, some 60 bytes
	// each where a query has one series. What rules wait for stays in any case, so
	// they are let in one after the other.
	roomForPast = 500_000
	// keptFor is how long what nobody waits for is kept, for another watch to ask.
	keptFor = time.Hour
	// pastChunk is how many instants of the past one request covers at most, and
	// leastChunk how many where the server is too slow for more: a week of minutes
	// takes six requests, and what was answered is not asked again.
	pastChunk  = 2000
	leastChunk = 50
)

// recollection is the answer to one query over a stretch of the past, as far as it was read.
type recollection struct {
	query   rules.Query
	from    time.Time
	step    time.Duration
	count   int            // instants in all
	results []rules.Result // of the first instants; shared, and never changed
	longest int            // how many instants to ask for at once
	asked   bool           // a request is under way
	err     error          // why the last request failed; nil: it did not
	used    time.Time
}

// take keeps what came back, up to the first instant that is to be asked for again.
func (r *recollection) take(results []rules.Result) {
	r.asked = false
	for i, got := range results {
		if got.Err != nil && r.again(got.Err, len(results)) {
			r.results = append(r.results, results[:i]...)
			return
		}
	}
	r.results = append(r.results, results...)
	r.longest = min(2*r.longest, pastChunk)
}

// whole returns the results of all instants; those that were not read have the error.
func (r *recollection) whole(unread error) []rules.Result {
	missing := r.count - len(r.results)
	if missing == 0 {
		return r.results[:r.count:r.count]
	}
	return append(slices.Clip(r.results), slices.Repeat([]rules.Result{{Err: unread}}, missing)...)
}

// again says whether an instant without an answer is to be asked for again: after a
// while where the server failed, at once where it was only asked for too much. Either
// way less is asked for then: a proxy before the server calls its own impatience an
// error of the server (504), or breaks the connection off.
func (r *recollection) again(err error, asked int) bool {
	failed, known := errors.AsType[*rules.SampleError](err)
	passes := !known || failed.Reason.Passes()
	tooMuch := known && failed.Reason == rules.TooLarge && asked > leastChunk
	if tooMuch || passes {
		r.longest = max(asked/2, leastChunk)
	}
	if passes {
		r.err = err
	}
	return passes || tooMuch
}

// keyOf tells questions about the past apart. Values that the query does not use are
// none of it: the deployments of one service ask the same.
func keyOf(q rules.Query, p rules.Past) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %q %d %d %d", q.Source, q.Template, p.From.UnixNano(), p.To.UnixNano(), p.Step)
	for _, name := range slices.Sorted(maps.Keys(q.Values)) {
		if strings.Contains(q.Template, "$"+name) {
			fmt.Fprintf(&b, " %q=%q", name, q.Values[name])
		}
	}
	return b.String()
}

// leave takes those out that do not wait any more, or whose watch has moved on.
func (p *past) leave() {
	p.waiting = slices.DeleteFunc(p.waiting, func(m member) bool {
		return m.feed.reading == nil || !m.feed.reading.waiting || m.held.sight != m.sight || !m.sight.fits(m.held.Watch)
	})
}

// forget drops what nobody waits for, after a time or where it takes too much room.
func (p *past) forget(now time.Time) {
	free, size := p.free(), p.size()
	byAge := func(a, b string) int { return p.kept[a].used.Compare(p.kept[b].used) }
	for _, key := range slices.SortedFunc(maps.Keys(free), byAge) {
		r := p.kept[key]
		if size <= roomForPast && now.Sub(r.used) < keptFor {
			return
		}
		size -= r.count
		delete(p.kept, key)
	}
}

// free are those that nobody waits for.
func (p *past) free() map[string]*recollection {
	needed := map[*recollection]bool{}
	for _, m := range p.waiting {
		for _, r := range m.feed.reading.parts {
			needed[r] = true
		}
	}
	free := maps.Clone(p.kept)
	maps.DeleteFunc(free, func(_ string, r *recollection) bool { return needed[r] || r.asked })
	return free
}

// size returns how many instants are kept, or will be.
func (p *past) size() (instants int) {
	for _, r := range p.kept {
		instants += r.count
	}
	return instants
}

// admit gives those who wait their recollections, in their order, as long as there is
// room for them: what nobody waits for makes way.
func (p *past) admit(now time.Time) {
	free, room := p.free(), roomForPast-p.size()
	for _, r := range free {
		room += r.count
	}
	for i, m := range p.waiting {
		r := m.feed.reading
		if r.parts != nil {
			continue
		}
		for _, q := range r.past.Queries {
			key := keyOf(q, r.past)
			if p.kept[key] == nil || free[key] != nil {
				room -= r.past.Instants()
				delete(free, key)
			}
		}
		if room < 0 && i > 0 {
			return
		}
		r.parts = make([]*recollection, len(r.past.Queries))
		for j, q := range r.past.Queries {
			r.parts[j] = p.find(q, r.past, now)
		}
	}
}

// find returns the recollection of a query, a new one where it was not asked yet.
func (p *past) find(q rules.Query, over rules.Past, now time.Time) *recollection {
	key := keyOf(q, over)
	r := p.kept[key]
	if r == nil {
		r = &recollection{query: q, from: over.From, step: over.Step, count: over.Instants(), longest: pastChunk}
		p.kept[key] = r
	}
	r.used, r.err = now, nil // whoever comes after a failure has it asked again
	return r
}

// due returns the requests to send now, with the recollections that they are for.
func (p *past) due() map[batch][]*recollection {
	requests := map[batch][]*recollection{}
	for _, m := range p.waiting {
		for _, r := range m.feed.reading.parts {
			left := r.count - len(r.results)
			if r.asked || r.err != nil || left == 0 {
				continue
			}
			r.asked = true
			from := r.from.Add(time.Duration(len(r.results)) * r.step)
			to := from.Add(time.Duration(min(r.longest, left)-1) * r.step)
			b := batch{source: r.query.Source, from: from, to: to, step: r.step, deadline: catchUp}
			requests[b] = append(requests[b], r)
		}
	}
	return requests
}
