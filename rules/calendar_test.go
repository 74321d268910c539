package rules_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

func TestHoursPastMidnightBelongToTheDayOnWhichTheyBegin(t *testing.T) {
	const text = `{
		"intervals": [{"times": [{"start_time": "22:00", "end_time": "24:00"}], "weekdays": ["friday"], "days_of_month": ["-1"], "months": ["12"], "location": "Europe/Berlin"}],
		"overnight": [{"times": [{"start_time": "00:00", "end_time": "06:00"}], "weekdays": ["friday"], "days_of_month": ["-1"], "months": ["12"], "location": "Europe/Berlin"}],
		"zone": "Europe/Berlin", "during": "ask"
	}`
	var c, again rules.Calendar
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]bool{ // 2027-12-31 is a Friday
		"2027-12-31T21:59:59": false, "2027-12-31T22:00:00": true, "2027-12-31T23:59:59": true,
		"2028-01-01T00:00:00": true, "2028-01-01T05:59:59": true, "2028-01-01T06:00:00": false,
		"2027-12-31T03:00:00": false, "2028-01-02T03:00:00": false, "2027-12-24T23:00:00": false,
	} {
		clock, err := time.ParseInLocation("2006-01-02T15:04:05", at, zone)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.On(clock.UTC()); got != want {
			t.Errorf("%s in Berlin: %t", at, got)
		}
	}
	back, err := json.Marshal(c)
	if err := json.Unmarshal(back, &again); err != nil {
		t.Fatal(err)
	}
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Errorf("%v\n got %+v\nwant %+v", err, again, c)
	}
}

func TestANightInWhichTheClockIsChangedIsANight(t *testing.T) {
	var c rules.Calendar
	const text = `{"overnight": [{"times": [{"start_time": "00:00", "end_time": "06:00"}], "weekdays": ["saturday"], "location": "Europe/Berlin"}], "zone": "Europe/Berlin", "during": "ask"}`
	if err := json.Unmarshal([]byte(text), &c); err != nil {
		t.Fatal(err)
	}
	for at, want := range map[string]bool{ // at 01:00 UTC of 2027-03-28, a Sunday, 02:00 becomes 03:00 in Berlin
		"2027-03-27T22:59:59Z": false, "2027-03-27T23:00:00Z": true, "2027-03-28T01:30:00Z": true,
		"2027-03-28T03:59:59Z": true, "2027-03-28T04:00:00Z": false, "2027-03-29T01:30:00Z": false,
	} {
		clock, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.On(clock); got != want {
			t.Errorf("%s: %t", at, got)
		}
	}
}

func TestAHolidayIsOnFromMidnightToMidnightInItsZone(t *testing.T) {
	c := rules.Calendar{Holidays: []string{"2026-12-25"}, Zone: "Europe/Berlin"}
	for at, want := range map[string]bool{
		"2026-12-24T22:59:59Z": false, "2026-12-24T23:00:00Z": true, "2026-12-25T22:59:59Z": true, "2026-12-25T23:00:00Z": false,
	} {
		clock, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.On(clock); got != want {
			t.Errorf("%s: %t", at, got)
		}
	}
}
