package watcher

import "github.com/bakewatch/bakewatch/rules"

// tellWeather tells evidence that borrows other services when these were being deployed
// to: what they suffer then is no weather. What it is told of a look is the same however
// late the look is folded, so that a restart changes nothing.
func (o *Owner) tellWeather(h *held, evidence rules.Evidence) {
	borrower, borrows := evidence.(rules.Borrower)
	if !borrows {
		return
	}
	for _, service := range borrower.Borrows() {
		borrower.Tell(service, o.deployments(rules.LaneID{Environment: h.ID.Environment, Service: service}))
	}
}

// deployments returns what is known of those of a service, its toggles with them.
func (o *Owner) deployments(service rules.LaneID) (all rules.Deployments) {
	lanes := o.flags[service]
	if h := o.lanes[service]; h != nil {
		lanes = append([]*held{h}, lanes...)
	}
	for _, h := range lanes {
		all.Watched = append(all.Watched, h.watchedSpans(never)...)
		all.Bad = append(all.Bad, h.badSpans()...)
	}
	return all
}
