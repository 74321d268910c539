package configs

import (
	"fmt"
	"regexp"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// schedules are ids of schedules, after the service that knows who is on call.
var schedules = regexp.MustCompile(`^(pagerduty):[A-Za-z0-9]{1,32}$`)

// loadSchedules reads how each service that knows who is on call is asked.
func (d *Daemon) loadSchedules(root strict.Table, c Catalog) {
	d.Schedules = map[string]rules.Options{}
	names := make([]string, 0, len(c.Schedules))
	for _, kind := range c.Schedules {
		names = append(names, kind.Name)
	}
	for name, t := range root.Named("schedule") {
		i := slices.Index(names, name)
		if i < 0 {
			t.Fail("", "no service of this name is known", strict.Guess(name, names))
			continue
		}
		options := c.Schedules[i].New()
		t.Decode(options)
		t.Blame(options.Check())
		d.Schedules[name] = options
	}
}

// checkSchedule says what is wrong with a group's schedule: one that could not be asked
// would leave every question to the fallback.
func (d *Daemon) checkSchedule(t strict.Table, schedule string) {
	parts := schedules.FindStringSubmatch(schedule)
	if parts == nil {
		t.Fail("schedule", fmt.Sprintf("schedule: %q is none", strict.Shorten(schedule)), `such as "pagerduty:PABC123": the service, and the id of the schedule there`)
		return
	}
	if _, known := d.Schedules[parts[1]]; !known {
		t.Fail("schedule", fmt.Sprintf("schedule: it is not said how %s is asked", parts[1]), fmt.Sprintf("write [schedule.%s] with token_file = …", parts[1]))
	}
}
