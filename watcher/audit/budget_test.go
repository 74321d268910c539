package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/audit"
)

var began = time.Date(2026, 1, 2, 3, 0, 0, 0, time.UTC)

// ledger is a journal in which one lane after the other decides alone.
type ledger struct {
	entries []watcher.Entry
	now     time.Time
}

func (l *ledger) write(e watcher.Entry) uint64 {
	e.Seq, e.At = uint64(len(l.entries)+1), l.now
	l.entries = append(l.entries, e)
	return e.Seq
}

// decides writes a watch of a lane of its own in which a breach was decided, and what was
// charged for it before, if it was charged.
func (l *ledger) decides(by string, told *watcher.Budget, charged bool) *ledger {
	lane := rules.LaneID{Environment: "production", Service: fmt.Sprint("service-", len(l.entries))}
	seq := l.write(watcher.Entry{
		Kind: watcher.Opened, Lane: lane, Deployment: &rules.Deployment{Version: "2"},
		Plan: &rules.Plan{Authorities: []rules.Authority{{Decide: rules.Auto}}},
	})
	if charged {
		l.write(watcher.Entry{Kind: watcher.Spent, Lane: watcher.BudgetLane, Spent: &watcher.Spending{Lane: lane, Watch: seq, By: by, Budget: told}})
	}
	l.write(watcher.Entry{
		Kind: watcher.Decided, Lane: lane, Watch: seq, Ruling: &authority.Ruling{Power: rules.Auto},
		Decision: &watcher.Decision{By: by, Budget: told},
	})
	l.now = l.now.Add(time.Minute)
	return l
}

func TestTheBudgetOfAllLanesIsAudited(t *testing.T) {
	most := func(n int, per time.Duration) *watcher.Budget {
		return &watcher.Budget{All: &rules.Allowance{Most: n, Per: rules.Duration(per)}}
	}
	for name, test := range map[string]struct {
		play      func(*ledger)
		want      string // of the only finding; empty: there is none
		uncounted int
	}{
		"as many as it allows": {func(l *ledger) {
			l.decides(watcher.ByAuthority, most(2, time.Hour), true).decides(watcher.ByAuthority, most(2, time.Hour), true)
		}, "", 0},
		"one more, in a lane of its own": {func(l *ledger) {
			l.decides(watcher.ByAuthority, most(2, time.Hour), true).decides(watcher.ByAuthority, most(2, time.Hour), true).decides(watcher.ByAuthority, most(2, time.Hour), true)
		}, "overdraws the budget of all lanes, 2 in 1h: 2 before it", 0},
		"one more, when the time of the first is over": {func(l *ledger) {
			l.decides(watcher.ByAuthority, most(2, 2*time.Minute), true).decides(watcher.ByAuthority, most(2, 2*time.Minute), true).decides(watcher.ByAuthority, most(2, 2*time.Minute), true)
		}, "", 0},
		"one more, after it was made larger": {func(l *ledger) {
			l.decides(watcher.ByAuthority, most(1, time.Hour), true).decides(watcher.ByAuthority, most(2, time.Hour), true)
		}, "", 0},
		"what was charged afterwards does not count against it": {func(l *ledger) {
			l.decides(watcher.ByAuthority, most(1, time.Hour), true)
			decided := l.entries[2]
			l.entries[2] = watcher.Entry{Seq: 3, At: l.entries[1].At, Kind: watcher.Spent, Lane: watcher.BudgetLane, Spent: &watcher.Spending{Watch: 99, By: watcher.ByVotes}}
			l.entries = append(l.entries, decided)
		}, "", 0},
		"decided but not charged": {func(l *ledger) {
			l.decides(watcher.ByAuthority, most(2, time.Hour), false)
		}, "was not charged to the budget", 0},
		"none in force, and nothing charged": {func(l *ledger) {
			l.decides(watcher.ByAuthority, &watcher.Budget{}, false)
		}, "", 0},
		"by a version that does not say how large it was": {func(l *ledger) {
			l.decides(watcher.ByAuthority, nil, true).decides(watcher.ByAuthority, nil, false)
		}, "", 2},
		"charges of such a version count against a later one": {func(l *ledger) {
			l.decides(watcher.ByAuthority, nil, true).decides(watcher.ByAuthority, most(1, time.Hour), true)
		}, "overdraws the budget of all lanes, 1 in 1h: 1 before it", 1},
	} {
		t.Run(name, func(t *testing.T) {
			l := &ledger{now: began}
			test.play(l)
			got := audit.Check(l.entries)
			if got.Uncounted != test.uncounted {
				t.Errorf("%d were not counted, want %d", got.Uncounted, test.uncounted)
			}
			if test.want == "" && len(got.Findings) == 0 {
				return
			}
			if test.want == "" || len(got.Findings) != 1 || !strings.HasSuffix(got.Findings[0].String(), test.want) {
				t.Errorf("found %v, want %q", got.Findings, test.want)
			}
		})
	}
}

func TestWhatPeopleVotedForMayOverdrawTheBudgetOfAllLanes(t *testing.T) {
	l := &ledger{now: began}
	told := &watcher.Budget{All: &rules.Allowance{Most: 1, Per: rules.Duration(time.Hour)}}
	l.decides(watcher.ByAuthority, told, true).decides(watcher.ByVotes, told, true)
	for _, f := range audit.Check(l.entries).Findings {
		if strings.Contains(f.What, "overdraws") {
			t.Error(f)
		}
	}
}
