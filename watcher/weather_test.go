package watcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// trouble is an outage of ten minutes that begins an hour and twenty minutes after the test.
func trouble(service string, at time.Time) float64 {
	since := at.Sub(time.Date(2000, 1, 1, 1, 20, 0, 0, time.UTC))
	if since > 0 && since <= 10*time.Minute && service != "quiet" {
		return 200
	}
	return 10
}

// rolledOut lets 2.3.9 pass, and deploys 2.4.0 an hour and ten minutes after the test began.
func (s *scene) rolledOut() (mark string) {
	s.t.Helper()
	s.passed("2.3.9")
	s.wait(39 * time.Minute)
	mark = s.journal.kinds()
	s.deploy("2.4.0")
	return mark
}

func TestASharedOutageIsRolledBackUnlessAServiceThatSharesItIsBorrowed(t *testing.T) {
	for name, test := range map[string]struct {
		borrows []string
		want    string
	}{
		"nothing is borrowed": {nil, "opened ruled decided intended done verified rolled-back"},
		"one that shares it":  {[]string{"search"}, "opened extended extended passed"},
		"one that is spared":  {[]string{"quiet"}, "opened ruled decided intended done verified rolled-back"},
		"two that share it":   {[]string{"search", "mail"}, "opened extended extended passed"},
	} {
		t.Run(name, func(t *testing.T) {
			under(t, newWeather(trouble), compared(test.borrows...), func(s *scene) {
				mark := s.rolledOut()
				s.wait(2 * time.Hour)
				if got := s.since(mark); got != test.want {
					t.Errorf("journal: %s, want %s", got, test.want)
				}
			})
		})
	}
}

// It is another team's service: whatever is wrong with it, the rule is judged.
func TestAServiceThatCannotBeAskedAboutMakesNoRuleBlind(t *testing.T) {
	begun := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		fails func(q rules.Query, at time.Time) bool
		want  string
	}{
		"never":          {func(rules.Query, time.Time) bool { return true }, "search is not borrowed: reading its history: too slow"},
		"about its past": {func(_ rules.Query, at time.Time) bool { return !at.After(begun) }, "search is not borrowed: reading its history: too slow"},
		"about a week":   {func(q rules.Query, _ time.Time) bool { return strings.Contains(q.Template, ":1m0s") }, "search is not borrowed: reading its history: too slow"},
		"at its looks":   {func(_ rules.Query, at time.Time) bool { return at.After(begun) }, "search is not borrowed: too slow"},
		"one of its counts": {func(q rules.Query, at time.Time) bool {
			return at.After(begun) && strings.HasPrefix(q.Template, "errors")
		}, "search is not borrowed: too slow"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWeather(func(service string, at time.Time) float64 {
				return min(0.5, trouble(service, at)) // too few to leave out the week
			})
			w.fail = func(q rules.Query, at time.Time) error {
				if q.Values["service"] == "search" && test.fails(q, at) {
					return rules.Failed(rules.TimedOut, "too slow")
				}
				return nil
			}
			under(t, w, compared("search"), func(s *scene) {
				s.deploy("2.3.9")
				s.wait(10 * time.Minute)
				said := s.says()
				if !strings.Contains(said, `"at_end":"healthy"`) || !strings.Contains(said, test.want) {
					t.Errorf("%s", said)
				}
				s.wait(21 * time.Minute)
				if got := s.journal.kinds(); !strings.HasSuffix(got, "passed") {
					t.Errorf("journal: %s", got)
				}
			})
		})
	}
}

// What a service shows while it is deployed to may be its own doing, by a toggle as well.
func TestAServiceIsSilentWhileItIsBeingDeployedTo(t *testing.T) {
	for name, toggle := range map[string]bool{"a version": false, "a toggle": true} {
		t.Run(name, func(t *testing.T) {
			under(t, newWeather(trouble), compared("search"), func(s *scene) {
				mark := s.rolledOut()
				s.wait(7 * time.Minute)
				s.deploy("7.0.0", func(d *rules.Deployment) {
					if d.Service = "search"; toggle {
						d.Strategy, d.Flag = rules.FeatureToggle, "fast"
					}
				})
				s.wait(2 * time.Minute)
				if said := s.says(); !strings.Contains(said, "search is not borrowed: its last deployment has not passed") {
					t.Errorf("%s", said)
				}
				s.wait(time.Hour)
				if got := s.since(mark); !strings.Contains(got, "decided") {
					t.Errorf("journal: %s", got)
				}
			})
		})
	}
}

func TestAServiceSpeaksAgainOnceWhatWasDeployedHasPassedOrIsGone(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	past := func(version string, from, to int, outcome watcher.Outcome, rule string) watcher.PastWatch {
		return watcher.PastWatch{Version: version, Opened: at(from), Closed: at(to), Outcome: outcome, Rule: rule}
	}
	open := &watcher.Watch{Opened: at(50)}
	for name, test := range map[string]struct {
		lane watcher.Lane
		want string // of each minute from 0 to 59: . where it speaks
	}{
		"nothing was":                 {watcher.Lane{}, "............"},
		"one passed":                  {watcher.Lane{Ledger: watcher.Ledger{Live: "2", Past: []watcher.PastWatch{past("2", 10, 20, watcher.Passed, "")}}}, "..xx........"},
		"one is open":                 {watcher.Lane{Watch: open}, "..........xx"},
		"one was rolled back":         {watcher.Lane{Ledger: watcher.Ledger{Live: "1", Past: []watcher.PastWatch{past("2", 10, 20, watcher.RolledBack, "errors")}}}, "..xx........"},
		"one was left as it is":       {watcher.Lane{Ledger: watcher.Ledger{Live: "2", Past: []watcher.PastWatch{past("2", 10, 20, watcher.Left, "errors")}}}, "..xxxxxxxxxx"},
		"and replaced":                {watcher.Lane{Ledger: watcher.Ledger{Live: "3", Past: []watcher.PastWatch{past("2", 10, 20, watcher.Left, "errors"), past("3", 30, 40, watcher.Passed, "")}}}, "..xxxxxx...."},
		"and is being replaced":       {watcher.Lane{Watch: open, Ledger: watcher.Ledger{Live: "3", Past: []watcher.PastWatch{past("2", 10, 20, watcher.Unknown, "errors")}}}, "..xxxxxxxxxx"},
		"and replaced, unwatched":     {watcher.Lane{Ledger: watcher.Ledger{Live: "3", Unwatched: true, Past: []watcher.PastWatch{past("2", 10, 20, watcher.Left, "errors")}}}, "..xx........"},
		"one was kept by people":      {watcher.Lane{Ledger: watcher.Ledger{Live: "2", Past: []watcher.PastWatch{past("2", 10, 20, watcher.Kept, "errors")}}}, "..xxxxxxxxxx"},
		"one was undecided, and fine": {watcher.Lane{Ledger: watcher.Ledger{Live: "2", Past: []watcher.PastWatch{past("2", 10, 20, watcher.Undecided, "")}}}, "..xx........"},
		"one was cancelled":           {watcher.Lane{Watch: open, Ledger: watcher.Ledger{Live: "1", Past: []watcher.PastWatch{past("2", 10, 20, watcher.CancelledWatch, "errors")}}}, "..xx......xx"},
	} {
		var got strings.Builder
		for minute := 0; minute < 60; minute += 5 {
			silent := "."
			for _, span := range watcher.Watched(test.lane, at(120)) {
				if span.Contains(at(minute)) {
					silent = "x"
				}
			}
			got.WriteString(silent)
		}
		if got.String() != test.want {
			t.Errorf("%s: %s, want %s", name, got.String(), test.want)
		}
	}
}

// A limit is proved in any weather; but the weather says that it is not the version's doing.
func TestALimitThatABorrowedServiceBreaksAsWellIsNotRolledBack(t *testing.T) {
	p := compared("search")
	p.Rules[0].Options = []byte("0.05")
	under(t, newWeather(trouble), p, func(s *scene) {
		mark := s.rolledOut()
		s.wait(15 * time.Minute)
		if said := s.says(); !strings.Contains(said, `"verdict":"breached"`) || !strings.Contains(said, "ambient") || !strings.Contains(said, "search suffers as well") {
			t.Errorf("%s", said)
		}
		if got := s.since(mark); strings.Contains(got, "decided") {
			t.Errorf("journal: %s", got)
		}
	})
}

// Whoever is told of a breach is told what was taken off for the weather.
func TestTheMessageOfABreachSaysWhatRoseElsewhere(t *testing.T) {
	w := newWeather(func(service string, at time.Time) float64 {
		if bad := trouble(service, at); bad < 100 || service == "search" {
			return bad
		}
		return 800
	})
	under(t, w, compared("search"), func(s *scene) {
		s.rolledOut()
		s.wait(time.Hour)
		for i, e := range s.journal.entries {
			if e.Kind != watcher.Ruled {
				continue
			}
			m, _ := watcher.Render(s.journal.entries[:i+1])
			if text := strings.Join(m.Lines, "\n"); !strings.Contains(text, "errors of search rose by ") {
				t.Errorf("the message says %s", text)
			}
			return
		}
		t.Errorf("nothing is ruled: %s", s.journal.kinds())
	})
}
