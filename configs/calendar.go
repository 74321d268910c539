package configs

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// calendarFile is a [calendar.NAME] as it is written. Within one key any of the
// values is enough; of several keys each must hold.
type calendarFile struct {
	Weekdays    []string    `toml:"weekdays" doc:"days and ranges of days, such as \"monday:friday\""`
	Hours       []string    `toml:"hours" doc:"such as \"09:00-17:00\"; \"22:00-06:00\" belongs to the day on which it begins"`
	DaysOfMonth []string    `toml:"days_of_month" doc:"such as \"1:5\"; \"-1\" is the last day of the month"`
	Months      []string    `toml:"months" doc:"names or numbers, such as \"november:january\""`
	Years       []string    `toml:"years" doc:"such as \"2026:2027\""`
	Holidays    []string    `toml:"holidays" doc:"days such as \"2026-12-25\", on which it is on from midnight to midnight whatever else is said"`
	TimeZone    string      `toml:"time_zone" doc:"where its clock hangs, such as \"Europe/Berlin\"; default: UTC"`
	During      rules.Power `toml:"during" doc:"the most power while it is on, whatever a plan says; auto lowers nothing"`
}

func calendarDefaults() calendarFile { return calendarFile{During: rules.Auto} }

// loadCalendars reads every [calendar.NAME].
func (d *Daemon) loadCalendars(root strict.Table) {
	d.Calendars = map[string]rules.Calendar{}
	for name, t := range root.Named("calendar") {
		file := calendarDefaults()
		t.Decode(&file)
		d.Calendars[name] = file.read(t)
	}
}

func (f calendarFile) read(t strict.Table) rules.Calendar {
	said := false
	for _, key := range []string{"weekdays", "hours", "days_of_month", "months", "years", "holidays"} {
		said = said || t.Has(key)
		notEmpty(t, key)
	}
	if !said {
		t.Fail("", "says no time", "write weekdays, hours, days_of_month, months, years or holidays")
	}
	if f.During == rules.None {
		t.Fail("during", "during must be "+strict.Words(f.During.Words()), "")
	}
	calendar := rules.Calendar{Holidays: f.days(t), Zone: f.TimeZone, During: f.During}
	days := f.interval(t)
	if f.TimeZone != "" {
		days.Location = zone(t, f.TimeZone)
	}
	hours, overnight := f.hours(t)
	if len(hours) > 0 || hasDays(days) {
		calendar.Intervals = []timeinterval.TimeInterval{withHours(days, hours)}
	}
	if len(overnight) > 0 {
		calendar.Overnight = []timeinterval.TimeInterval{withHours(days, overnight)}
	}
	return calendar
}

// interval reads everything but the hours.
func (f calendarFile) interval(t strict.Table) (i timeinterval.TimeInterval) {
	for at, text := range f.Weekdays {
		for _, r := range ring(t, "weekdays", at, text, weekday) {
			i.Weekdays = append(i.Weekdays, timeinterval.WeekdayRange{InclusiveRange: r})
		}
	}
	for at, text := range f.Months {
		for _, r := range ring(t, "months", at, text, month) {
			i.Months = append(i.Months, timeinterval.MonthRange{InclusiveRange: r})
		}
	}
	for at, text := range f.DaysOfMonth {
		var r timeinterval.DayOfMonthRange
		if err := parse(text, &r); err != nil {
			t.Fail(fmt.Sprintf("days_of_month.%d", at), fmt.Sprintf("days_of_month: %q is no day and no range of days", strict.Shorten(text)), `such as "1", "1:5" or "-3:-1"`)
			continue
		}
		i.DaysOfMonth = append(i.DaysOfMonth, r)
	}
	for at, text := range f.Years {
		var r timeinterval.YearRange
		if err := parse(text, &r); err != nil || r.Begin < 1970 || r.End > 9999 {
			t.Fail(fmt.Sprintf("years.%d", at), fmt.Sprintf("years: %q is no year and no range of years", strict.Shorten(text)), `such as "2026" or "2026:2027"`)
			continue
		}
		i.Years = append(i.Years, r)
	}
	return i
}

func hasDays(i timeinterval.TimeInterval) bool {
	return len(i.Weekdays)+len(i.DaysOfMonth)+len(i.Months)+len(i.Years) > 0
}

func withHours(i timeinterval.TimeInterval, hours []timeinterval.TimeRange) timeinterval.TimeInterval {
	i.Times = hours
	return i
}

// cycle is what begins anew after its last member.
type cycle struct {
	first, last int
	member      func(text string) (int, error)
	example     string
}

var weekday = cycle{0, 6, func(text string) (int, error) {
	var r timeinterval.WeekdayRange
	err := parse(text, &r)
	return r.Begin, err
}, `such as "monday", "monday:friday" or "friday:monday"`}

var month = cycle{1, 12, func(text string) (int, error) {
	var r timeinterval.MonthRange
	err := parse(text, &r)
	if err == nil && (r.Begin < 1 || r.Begin > 12) {
		err = fmt.Errorf("there is no month %d", r.Begin)
	}
	return r.Begin, err
}, `such as "december", "12" or "november:january"`}

// ring reads a range of what begins anew after its last member: friday:monday is two.
func ring(t strict.Table, key string, at int, text string, c cycle) []timeinterval.InclusiveRange {
	from, to, several := strings.Cut(text, ":")
	if !several {
		to = from
	}
	begin, err := c.member(from)
	end, endErr := c.member(to)
	if err != nil || endErr != nil || strings.Contains(to, ":") {
		hint := c.example
		if fixed := strings.ReplaceAll(text, "-", ":"); fixed != text {
			hint = fmt.Sprintf("a range is written %q", strict.Shorten(fixed))
		}
		t.Fail(fmt.Sprintf("%s.%d", key, at), fmt.Sprintf("%s: %q is none, and no range of them", key, strict.Shorten(text)), hint)
		return nil
	}
	if begin > end {
		return []timeinterval.InclusiveRange{{Begin: begin, End: c.last}, {Begin: c.first, End: end}}
	}
	return []timeinterval.InclusiveRange{{Begin: begin, End: end}}
}

// parse reads one of Alertmanager's own text forms.
func parse(text string, into json.Unmarshaler) error {
	quoted, err := json.Marshal(text)
	if err != nil {
		return fmt.Errorf("quote %q: %w", text, err)
	}
	return into.UnmarshalJSON(quoted)
}

// hours reads the hours, and by themselves the parts after midnight of those that cross it.
func (f calendarFile) hours(t strict.Table) (hours, overnight []timeinterval.TimeRange) {
	for at, text := range f.Hours {
		from, to, _ := strings.Cut(text, "-")
		begin, ok := clock(from)
		end, endOK := clock(to)
		switch {
		case !ok || !endOK || begin == end || begin == midnight:
			t.Fail(fmt.Sprintf("hours.%d", at), fmt.Sprintf("hours: %q is no time of a day", strict.Shorten(text)), `such as "09:00-17:00", "22:00-06:00" or "00:00-24:00"`)
		case begin < end:
			hours = append(hours, timeinterval.TimeRange{StartMinute: begin, EndMinute: end})
		default:
			hours = append(hours, timeinterval.TimeRange{StartMinute: begin, EndMinute: midnight})
			if end > 0 {
				overnight = append(overnight, timeinterval.TimeRange{StartMinute: 0, EndMinute: end})
			}
		}
	}
	return hours, overnight
}

const midnight = 24 * 60 // at the end of a day

// clock returns the minute of the day.
func clock(text string) (minute int, ok bool) {
	if text == "24:00" {
		return midnight, true
	}
	at, err := time.Parse("15:04", text)
	return at.Hour()*60 + at.Minute(), err == nil && len(text) == len("15:04")
}

func zone(t strict.Table, name string) *timeinterval.Location {
	location, err := time.LoadLocation(name)
	if err != nil || name == "Local" { // the journal is read on other machines
		t.Fail("time_zone", fmt.Sprintf("time_zone: %q is none", strict.Shorten(name)), `an IANA name, such as "Europe/Berlin" or "UTC"`)
		return nil
	}
	return &timeinterval.Location{Location: location}
}

func (f calendarFile) days(t strict.Table) []string {
	for i, day := range f.Holidays {
		if _, err := time.Parse(time.DateOnly, day); err != nil {
			t.Fail(fmt.Sprintf("holidays.%d", i), fmt.Sprintf("holidays: %q is no day", strict.Shorten(day)), `such as "2026-12-25"`)
		}
	}
	return f.Holidays
}
