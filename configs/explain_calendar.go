package configs

import (
	"fmt"
	"strings"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/bakewatch/bakewatch/rules"
)

// calendarOf says when a calendar is on, and what that means.
func calendarOf(name string, c rules.Calendar) string {
	var on []string
	for i, interval := range c.Intervals {
		var after []timeinterval.TimeRange
		if i < len(c.Overnight) {
			after = c.Overnight[i].Times
		}
		on = append(on, intervalOf(interval, after))
	}
	if len(c.Holidays) > 0 {
		on = append(on, "all day on "+list(c.Holidays, "and"))
	}
	zone := c.Zone
	if zone == "" {
		zone = "UTC"
	}
	said := fmt.Sprintf("Calendar %s is on %s (%s).", name, strings.Join(on, ", and "), zone)
	if c.During < rules.Auto {
		said += fmt.Sprintf(" While it is on, power is at most %s.", c.During)
	}
	return said
}

// intervalOf says when an interval is on; after are its hours on the day after.
func intervalOf(i timeinterval.TimeInterval, after []timeinterval.TimeRange) string {
	var said []string
	add := func(text string, values []string) {
		if len(values) > 0 {
			said = append(said, fmt.Sprintf(text, list(values, "and")))
		}
	}
	add("at %s", hoursOf(i.Times))
	add("and %s of the day after,", hoursOf(after))
	add("on %s", textsOf(i.Weekdays))
	add("on day %s of the month", textsOf(i.DaysOfMonth))
	add("in month %s", textsOf(i.Months))
	add("in %s", textsOf(i.Years))
	return strings.TrimSuffix(strings.Join(said, " "), ",")
}

func hoursOf(times []timeinterval.TimeRange) (hours []string) {
	for _, t := range times {
		hours = append(hours, fmt.Sprintf("%02d:%02d-%02d:%02d", t.StartMinute/60, t.StartMinute%60, t.EndMinute/60, t.EndMinute%60))
	}
	return hours
}

// textsOf writes ranges as the file does.
func textsOf[R interface{ MarshalText() ([]byte, error) }](ranges []R) (texts []string) {
	for _, r := range ranges {
		if text, err := r.MarshalText(); err == nil {
			texts = append(texts, string(text))
		}
	}
	return texts
}
