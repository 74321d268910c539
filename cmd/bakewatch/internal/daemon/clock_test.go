package daemon

import (
	"testing"
	"time"
)

func TestAJumpOfTheWallClockIsNoticedByWhoeverAsksFirst(t *testing.T) {
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	at := func(wall, monotonic time.Duration) reading { return reading{noon.Add(wall), monotonic} }
	for name, test := range map[string]struct {
		readings []reading
		want     string
	}{
		"no reading before":              {[]reading{at(0, 0)}, ""},
		"both clocks go on":              {[]reading{at(0, 0), at(time.Hour, time.Hour)}, ""},
		"a little apart":                 {[]reading{at(0, 0), at(4*time.Second, 0)}, ""},
		"an hour ahead":                  {[]reading{at(0, 0), at(time.Hour, time.Second)}, "this machine's clock jumped by 59m59s"},
		"an hour back":                   {[]reading{at(0, 0), at(-time.Hour, 0)}, "this machine's clock jumped by -1h0m0s"},
		"a while after the jump":         {[]reading{at(0, 0), at(time.Hour, 0), at(time.Hour+9*time.Minute, 9*time.Minute)}, "this machine's clock jumped by 1h0m0s"},
		"long after the jump":            {[]reading{at(0, 0), at(time.Hour, 0), at(time.Hour+11*time.Minute, 11*time.Minute)}, ""},
		"the time in which it was asked": {[]reading{at(0, 0), at(11*time.Minute, 0), at(11*time.Minute, 0)}, "this machine's clock jumped by 11m0s"},
	} {
		t.Run(name, func(t *testing.T) {
			c, got := newClock(), ""
			for _, r := range test.readings {
				got = c.jumped(r)
			}
			if got != test.want {
				t.Errorf("says %q, want %q", got, test.want)
			}
		})
	}
}
