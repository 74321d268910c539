package watcher

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// Disarm implements Desk.
func (o *Owner) Disarm(ctx context.Context, order Order) error {
	person, err := o.admits(ctx, order)
	if err != nil {
		return err
	}
	return o.Switch.Disarm(ctx, order.Service, person, order.Reason)
}

// Arm implements Desk.
func (o *Owner) Arm(ctx context.Context, order Order) error {
	person, err := o.admits(ctx, order)
	if err != nil {
		return err
	}
	return o.Switch.Arm(ctx, order.Service, person)
}

// admits refuses an order about a service that nobody knows: whoever misspells one
// would believe it to be disarmed. It returns whose order it is.
func (o *Owner) admits(ctx context.Context, order Order) (person string, err error) {
	if person, err = o.identify(order.By); err != nil {
		return "", err
	}
	if o.Switch == nil {
		return "", fmt.Errorf("%w: this daemon has no switch", ErrRefused)
	}
	census, counts := o.Switch.(Census)
	if !counts || order.Force || order.Service == "" {
		return person, nil
	}
	var known []string
	err = o.do(ctx, func(context.Context) error {
		known = o.services(census)
		return nil
	})
	if err != nil || slices.Contains(known, order.Service) {
		return person, err
	}
	return "", fmt.Errorf("%w: no deployment and no plan names a service %q; known: %s", ErrRefused, order.Service, some(known))
}

// services returns every service that was deployed, has a plan, or is disarmed.
func (o *Owner) services(census Census) []string {
	names := census.Planned()
	for name := range census.Disarmed() {
		names = append(names, name)
	}
	for id := range o.lanes {
		names = append(names, id.Service)
	}
	slices.Sort(names)
	names = slices.DeleteFunc(names, func(name string) bool { return name == Everywhere })
	return slices.Compact(names)
}

// mostNames bounds the names of services in one sentence.
const mostNames = 20

// some names a few.
func some(names []string) string {
	switch {
	case len(names) == 0:
		return "none"
	case len(names) > mostNames:
		return strings.Join(names[:mostNames], ", ") + fmt.Sprintf(" and %d more", len(names)-mostNames)
	}
	return strings.Join(names, ", ")
}

// disarmedOnly returns what is disarmed and would not be seen in any lane.
func (o *Owner) disarmedOnly() []LaneView {
	census, counts := o.Switch.(Census)
	if !counts {
		return nil
	}
	orders := census.Disarmed()
	for id := range o.lanes {
		delete(orders, id.Service)
		delete(orders, Everywhere)
	}
	var views []LaneView
	for _, service := range slices.Sorted(maps.Keys(orders)) {
		views = append(views, LaneView{Lane: rules.LaneID{Service: service}, Disarmed: orders[service]})
	}
	return views
}

// byName is the order of List.
func byName(a, b rules.LaneID) int {
	return cmp.Or(cmp.Compare(a.Environment, b.Environment), cmp.Compare(a.Service, b.Service), cmp.Compare(a.Flag, b.Flag))
}
