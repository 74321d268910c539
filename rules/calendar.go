package rules

import (
	"slices"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"
)

// Calendar is one [calendar.NAME]: times at which other rules hold. It is on in any
// of its intervals (as Alertmanager's time intervals) and all day long on its holidays.
type Calendar struct {
	Intervals []timeinterval.TimeInterval `json:"intervals,omitempty"`
	// Overnight are the parts after midnight of hours that begin the day before: their
	// times are those of the day itself, all else is about the day before.
	Overnight []timeinterval.TimeInterval `json:"overnight,omitempty"`
	Holidays  []string                    `json:"holidays,omitempty"` // days as 2006-01-02, in Zone
	Zone      string                      `json:"zone,omitempty"`     // an IANA name, of the holidays; empty: UTC
	// During is the most power while the calendar is on, whatever a plan's authorities
	// say; Auto lowers nothing.
	During Power `json:"during"`
}

// On says whether the calendar is on at this time. A zone that this machine does not
// know is taken for UTC: it is checked when the file is loaded.
func (c Calendar) On(at time.Time) bool {
	zone, err := time.LoadLocation(c.Zone)
	if err != nil {
		zone = time.UTC
	}
	if slices.Contains(c.Holidays, at.In(zone).Format(time.DateOnly)) {
		return true
	}
	return slices.ContainsFunc(c.Intervals, func(i timeinterval.TimeInterval) bool { return i.ContainsTime(at.UTC()) }) ||
		slices.ContainsFunc(c.Overnight, func(i timeinterval.TimeInterval) bool { return began(i, at, zone) })
}

// began says whether this is a time of the interval, and the day before one of its days.
func began(i timeinterval.TimeInterval, at time.Time, zone *time.Location) bool {
	hours := timeinterval.TimeInterval{Times: i.Times, Location: i.Location}
	i.Times = nil
	year, month, day := at.In(zone).Date()
	return hours.ContainsTime(at.UTC()) && i.ContainsTime(time.Date(year, month, day-1, 12, 0, 0, 0, zone)) // noon is on every day
}
