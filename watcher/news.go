package watcher

import (
	"cmp"
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// remembersNews is how long ago a deployment may have been to be in the news: an hour
// before the onset of what a watch of a day finds.
const remembersNews = 25 * time.Hour

// news are the deployments of late, by environment. They are gathered at most once a
// tick, and only when something is breached: an outage breaches many watches at once.
type news struct {
	at time.Time
	in map[string][]newcomer
}

// newcomer is a version that went live of late.
type newcomer struct {
	lane     rules.LaneID
	version  string
	live     time.Time
	breached bool // its own watch found it worse, and nothing else to blame
}

// recently returns the deployments of late in the environment, in no order.
func (o *Owner) recently(environment string, now time.Time) []newcomer {
	if o.news.in == nil || now.Sub(o.news.at).Abs() >= pulse {
		o.news = news{at: now, in: map[string][]newcomer{}}
		for id, h := range o.lanes {
			o.news.in[id.Environment] = append(o.news.in[id.Environment], h.newcomers(now)...)
		}
		for _, all := range o.news.in {
			slices.SortStableFunc(all, func(a, b newcomer) int { return byName(a.lane, b.lane) }) // the same answer whatever the order of a map
		}
	}
	return o.news.in[environment]
}

// newcomers returns the lane's deployments of late: the live version's, and those
// that were rolled back or replaced since.
func (h *held) newcomers(now time.Time) (all []newcomer) {
	oldest := now.Add(-remembersNews)
	if w := h.Watch; w != nil {
		if w.Deployment.At.After(oldest) {
			all = append(all, newcomer{h.ID, w.Deployment.Version, w.Deployment.At, w.guilty()})
		}
	} else if h.Ledger.LiveAt.After(oldest) {
		all = append(all, newcomer{h.ID, h.Ledger.Live, h.Ledger.LiveAt, h.Ledger.lastWasBad(h.Ledger.Live)})
	}
	for _, past := range slices.Backward(h.Ledger.Past) {
		if !past.Opened.After(oldest) {
			break
		}
		if h.Watch == nil && past.Version == h.Ledger.Live {
			continue
		}
		all = append(all, newcomer{h.ID, past.Version, past.Opened, h.Ledger.endedBadly(past)})
	}
	return all
}

// lastWasBad says whether the last watch of the version found something worse.
func (l Ledger) lastWasBad(version string) bool {
	for _, past := range slices.Backward(l.Past) {
		if past.Version == version {
			return l.endedBadly(past)
		}
	}
	return false
}

// breached says whether the watch has found something worse.
func (w *Watch) breached() bool { return w.Ruling.Rule != "" && !w.Ruling.NoData }

// guilty says whether it has, and that nothing else is known to be to blame for it.
func (w *Watch) guilty() bool {
	return w.breached() && w.Ruling.Attribution().Blame.Ceiling() >= rules.Ask
}

// troubled says whether the lane is in trouble, and not for a deployment of its own;
// and since when, if that is known.
func (o *Owner) troubled(id rules.LaneID, now time.Time) (since time.Time, troubled bool) {
	h := o.lanes[id]
	if h == nil || h.Watch == nil || !h.Watch.breached() {
		return time.Time{}, false
	}
	if h.sight != nil {
		for _, f := range h.sight.feeds {
			if onset := f.trail.onset; f.trail.near(f.answer, h.Watch.Plan.FalseAlarms) && !onset.IsZero() && (since.IsZero() || onset.Before(since)) {
				since = onset
			}
		}
	}
	own := h.Watch.Deployment.At.After(cmp.Or(since, now).Add(-time.Hour)) && h.Watch.guilty()
	return since, !own
}
