package watcher

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/suspect"
)

// attribute says of everything that is breached who is to blame, and asks beside the
// loop where it is. It is ready unless a decision had better wait for that answer: at
// most until the next look, and only once in a breach.
func (o *Owner) attribute(h *held, s *sight, look *Look, now time.Time) (ready bool) {
	ready = true
	if s.verify {
		return ready
	}
	for i, f := range s.feeds {
		a := &look.Answers[i]
		if f.reading != nil || !f.trail.near(*a, h.Watch.Plan.FalseAlarms) {
			continue
		}
		if !f.shadow && !a.At.IsZero() && f.trail.owes(a.At) {
			o.askWhere(h, s, f, a.At)
		}
		if a.Verdict != rules.Breached {
			continue
		}
		ready = ready && !f.trail.awaits(a.At)
		a.Attribution = o.blame(h, f, *a, now)
	}
	return ready
}

// blame weighs what is known. If that fails, nobody can tell.
func (o *Owner) blame(h *held, f *feed, a rules.Answer, now time.Time) (blamed rules.Attribution) {
	defer func() {
		if p := recover(); p != nil {
			o.Log.Error("who is to blame cannot be said", "lane", h.ID.String(), "rule", f.rule, "cause", fmt.Sprint(p))
			blamed = rules.Attribution{Blame: rules.CannotTell, Why: []string{"what is known could not be weighed"}}
		}
	}()
	return suspect.Attribute(o.facts(h, f, a, now))
}

// facts gathers what is known about a breach.
func (o *Owner) facts(h *held, f *feed, a rules.Answer, now time.Time) suspect.Facts {
	d := h.Watch.Deployment
	facts := suspect.Facts{
		Version: d.Version, Previous: d.Previous, At: a.At, Live: d.At,
		Plain: a.Test == nil, Compared: a.Compared, Weather: a.Weather, Space: f.trail.space(), Onset: f.onset(), Bad: a.Bad, Total: a.Total,
		Early: a.Attribution.Blame == rules.Ambient, // the rule itself knows that it was so before
	}
	needs := h.Watch.Plan.DependsOn
	for _, n := range o.recently(h.ID.Environment, now) {
		if n.lane == h.ID {
			continue
		}
		needed := n.lane.Service == h.ID.Service || slices.Contains(needs, n.lane.Service)
		facts.Others = append(facts.Others, suspect.Other{
			Name: n.lane.Service + " " + n.version, Live: n.live, Breached: n.breached, Needed: needed,
			Shared: shared(facts.Space.New, o.lanes[n.lane].instances()),
		})
	}
	for _, service := range needs {
		if since, troubled := o.troubled(rules.LaneID{Environment: h.ID.Environment, Service: service}, now); troubled {
			facts.Dependencies = append(facts.Dependencies, suspect.Dependency{Name: service, Since: since})
		}
	}
	return facts
}

// askWhere asks beside the loop where a breach is. Until the answer comes, or if none
// does, the attribution goes on with what was known.
func (o *Owner) askWhere(h *held, s *sight, f *feed, at time.Time) {
	queries := f.trail.spatial.Instances(h.Watch.Subject(), f.span(at))
	asked := &where{asked: at, busy: len(queries) > 0}
	if before := f.trail.where; before != nil {
		asked.known, asked.space = before.known, before.space
	}
	f.trail.where = asked
	if !asked.busy {
		return
	}
	o.beside.looks.Go(func() {
		space, err := o.sampleWhere(f.trail.spatial, at, s.interval, queries)
		o.back(func(ctx context.Context) {
			asked.came(space, err)
			if f.trail.where == asked { // else the breach has healed meanwhile
				o.looked(ctx, h, s, time.Now().UTC())
			}
		})
	})
}

// sampleWhere asks and reads; a panic of either is an error like any other.
func (o *Owner) sampleWhere(spatial rules.Spatial, at time.Time, deadline time.Duration, queries []rules.Query) (space rules.Space, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("instances cannot be counted: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(o.beside.ctx, deadline)
	defer cancel()
	got := o.Sampler.Sample(ctx, at, queries)
	if len(got) != len(queries) {
		return rules.Space{}, rules.Failed(rules.ServerError, "the sampler did not answer every query")
	}
	return spatial.ReadInstances(got)
}

// instances returns the instances of the lane's new version, as far as a breach has
// made them known.
func (h *held) instances() []rules.Instance {
	if h == nil || h.sight == nil {
		return nil
	}
	for _, f := range h.sight.feeds {
		if space := f.trail.space(); len(space.New) > 0 {
			return space.New
		}
	}
	return nil
}

// shared returns which share of the affected instances stand on a host of the others.
func shared(affected, others []rules.Instance) float64 {
	hosts := map[string]bool{}
	for _, i := range others {
		hosts[host(i.Name)] = !loopback(host(i.Name))
	}
	bad, on := 0, 0
	for _, i := range affected {
		if i.Bad <= 0 {
			continue
		}
		bad++
		if hosts[host(i.Name)] {
			on++
		}
	}
	if bad == 0 {
		return 0
	}
	return float64(on) / float64(bad)
}

// host returns an instance's name without its port.
func host(instance string) string {
	at := strings.LastIndexByte(instance, ':')
	if at < 0 || strings.Contains(instance[:at], ":") && !strings.HasSuffix(instance[:at], "]") {
		return instance // no port; or an IPv6 address without one
	}
	return instance[:at]
}

// loopback says that the address is every machine's own: it names no host that two
// services could share.
func loopback(host string) bool {
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.IsLoopback()
}
