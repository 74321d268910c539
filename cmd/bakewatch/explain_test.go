package main

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// reasoned is a watch whose ruling has all that a ruling may have.
func reasoned() watcher.WatchView {
	w := asked()
	limit := 0.01
	minutes := func(n int) rules.Duration { return rules.Duration(time.Duration(n) * time.Minute) }
	clause := rules.Authority{Decide: rules.Ask, Needs: map[string]int{"oncall": 1}, Within: minutes(15), Silence: rules.SilenceRollsBack}
	w.Plan.Rules = []rules.Spec{
		{Name: "5xx", Kind: "error-rate", Severity: rules.Critical, Mode: rules.Enforce},
		{Name: "restarts", Kind: "crash", Severity: rules.Warning, Mode: rules.Shadow},
	}
	w.Ruling = &authority.Ruling{
		Power: rules.Ask, Rule: "5xx", Blamed: []string{"5xx"}, Authority: 1, Clause: clause,
		Target: authority.Target{Version: "2.3.9", Doubt: "it never passed here"},
		Ceilings: []authority.Ceiling{
			{Name: "evidence", Power: rules.Ask, Why: "the evidence alone is not enough for more"},
			{Name: "attribution", Power: rules.Ask, Why: "cannot tell: payments 3.1.0 went live when it began", Guard: true},
		},
		Answers: []rules.Answer{
			{
				Rule: "5xx", Verdict: rules.Breached, Ceiling: rules.Ask, Why: "errors 4.1 % (41 of 1000) against 0.3 %", At: noon.Add(-2 * time.Minute),
				Bad: 41, Total: 1000, Window: minutes(5), Limit: &limit, Unit: "ratio", Query: `sum(x{v="2.4.0"})`,
				Test: &rules.Test{Wealth: 1234.5, Needed: 600},
				Compared: []rules.Compared{
					{With: rules.Previous, Bad: 3, Total: 1000, Level: 0.003, Shares: true},
					{With: rules.Before, Missing: "no history"},
					{Level: 0.01},
				},
				Weather: []rules.Weather{
					{Service: "search", Bad: 10, Total: 2000, Level: 0.001, Rose: 0.004},
					{Service: "cart", Bad: 2, Total: 2000, Level: 0.001},
					{Service: "mail", Missing: "its last deployment has not passed"},
				},
				Attribution: rules.Attribution{Blame: rules.CannotTell, Why: []string{"payments 3.1.0 went live when it began", "it began 2m after the deployment"}},
			},
			{Rule: "restarts", Verdict: rules.Inconclusive, Ceiling: rules.Auto, Why: "too early", Test: &rules.Test{Wealth: 0.84, Held: "a single blip"}},
		},
	}
	return w
}

func TestExplain(t *testing.T) {
	t.Run("evidence against an improvement is not said to be of something worse", func(t *testing.T) {
		b := newBench(t)
		w := reasoned()
		w.Plan.Rules[0].BetterBy = rules.Margin{Factor: 1.1}
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "explain", "checkout")
		b.says("1234 to 1 that it is not 1.1x better, 600 needed", "0.84 to 1 that it is worse")
	})
	t.Run("from what was counted to what may be done", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{reasoned()}
		b.expect(0, "explain", "checkout")
		_, said, _ := strings.Cut(b.stdout.String(), "Evidence, as seen at ")
		_, said, _ = strings.Cut(said, "\n")
		const want = `  5xx (error-rate, critical, enforce): breached: errors 4.1 % (41 of 1000) against 0.3 %
    data	41 of 1000 in 5m
    query	sum(x{v="2.4.0"})
    limit	1 %
    against	previous: 0.3 % (3 of 1000), it suffers as well
    against	before: not compared with: no history
    weather	search: 0.5 % (10 of 2000), 0.1 % is normal: rose by 0.4 points, not held against the version
    weather	cart: 0.1 % (2 of 2000), 0.1 % is normal
    weather	mail: not borrowed: its last deployment has not passed
    evidence	1234 to 1 that it is worse, 600 needed as the plan's other tests stand
    supports	at most ask
    to blame	cannot tell: payments 3.1.0 went live when it began; it began 2m after the deployment
  restarts (crash, warning, shadow): inconclusive: too early
    evidence	0.84 to 1 that it is worse; held: a single blip
Who is to blame
  cannot tell
  - payments 3.1.0 went live when it began
  - it began 2m after the deployment
Ceilings of the rule
  at most ask	evidence	the evidence alone is not enough for more
Guards
  at most ask	attribution	cannot tell: payments 3.1.0 went live when it began
Authority
  the plan's authority 2 decides: ask
  it needs 1 of oncall within 15m; Silence keeps it.
Ruling
  ask, because 5xx is breached: the least of authority and ceilings
  target 2.3.9, in doubt: it never passed here
`
		if said != want {
			t.Errorf("got\n%s\nwant\n%s", said, want)
		}
	})
	t.Run("as JSON, with the same reasons", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{reasoned()}
		b.expect(0, "explain", "checkout", "--output", "json")
		var got struct {
			Power       rules.Power
			Rule        string
			Authority   int
			Attribution rules.Attribution
			Ceilings    []authority.Ceiling
			Rules       []struct {
				Kind   string
				Answer rules.Answer
			}
		}
		if err := json.Unmarshal(b.stdout.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if got.Power != rules.Ask || got.Rule != "5xx" || got.Authority != 2 || got.Attribution.Blame != rules.CannotTell || len(got.Ceilings) != 2 ||
			len(got.Rules) != 2 || got.Rules[0].Kind != "error-rate" || got.Rules[0].Answer.Test.Needed != 600 || got.Rules[0].Answer.Total != 1000 {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("the ruling of a watch that has ended", func(t *testing.T) {
		b := newBench(t)
		w := reasoned()
		w.Phase, w.Outcome, w.Closed, w.Question = watcher.Ended, watcher.RolledBack, noon, nil
		w.Decision = &watcher.Decision{By: "votes", Votes: []authority.Vote{{Person: "bea"}}}
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "explain", "17")
		b.says("rolled-back, opened", "evidence\t1234 to 1", "ask, because 5xx is breached", "by votes of bea")
	})
	t.Run("before anything is breached, what the rules see", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{baking()}
		b.expect(0, "explain", "checkout")
		b.says("Evidence\n", "breached: errors 4.1 %", "nothing is breached")
	})
	t.Run("a stage that is held, of a lane that nobody watches any more", func(t *testing.T) {
		b := newBench(t)
		w := baking()
		w.Phase, w.Aside = watcher.Rolling, "it caused 3 panics"
		w.Stage = &watcher.StageView{Name: "5%", Since: noon.Add(-time.Hour), Ends: noon.Add(-50 * time.Minute)}
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "show", "checkout")
		b.says("stage 5% is held, its bake is over", "set aside, nobody watches it until Bakewatch is started again: it caused 3 panics")
	})
	t.Run("what users did is counted as they did it", func(t *testing.T) {
		b := newBench(t)
		w := baking()
		w.Answers = []rules.Answer{{Rule: "one click", Verdict: rules.Healthy, Part: 60, Total: 2000, Window: rules.Duration(5 * time.Minute), Unit: "ratio", Ceiling: rules.Auto}}
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "explain", "checkout")
		b.says("data\t60 of 2000 in 5m")
	})
	t.Run("what the rules of a watch said last that has passed", func(t *testing.T) {
		b := newBench(t)
		w := baking()
		w.Phase, w.Outcome, w.Closed, w.Ruling = watcher.Ended, watcher.Passed, noon, nil
		w.Answers = []rules.Answer{{Rule: "5xx", Verdict: rules.Healthy, Why: "errors 0.1 % (1 of 1000)", Bad: 1, Total: 1000, At: noon, Ceiling: rules.Auto}}
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "explain", "checkout")
		b.says("Evidence, as seen at", "5xx: healthy: errors 0.1 % (1 of 1000)", "nothing is breached")
	})
	t.Run("nobody looked, and no clause matches", func(t *testing.T) {
		b := newBench(t)
		w := reasoned()
		w.Ruling.Authority, w.Ruling.Clause = -1, rules.Authority{Decide: rules.Notify}
		w.Ruling.Answers[0] = rules.Answer{Rule: "5xx", Verdict: rules.NoData, Why: "nothing", Ceiling: rules.Auto}
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "explain", "checkout")
		b.says("nobody looked: the rule blames this deployment", "none matches: people are told", "5xx has no data")
	})
	t.Run("a watch that is only remembered has no empty sections", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{{ID: "x", Watch: 3, Version: "1", Lane: rules.LaneID{Service: "checkout"}, Phase: watcher.Ended, Outcome: watcher.Passed, Opened: noon}}
		b.expect(0, "explain", "x")
		b.says("nothing was ruled")
		for _, section := range []string{"Evidence", "Ruling", "Authority", "Guards"} {
			if strings.Contains(b.stdout.String(), section) {
				t.Errorf("section %s of nothing:\n%s", section, &b.stdout)
			}
		}
	})
	t.Run("a watch that is not known is an error with a next step", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitFailed, "explain", "nobody")
		b.advises(`no watch "nobody"`, "see bakewatch list")
	})
}

func TestShowSaysWhoIsToBlame(t *testing.T) {
	b := newBench(t)
	w := reasoned()
	w.Ruling.Ceilings = nil
	w.Ruling.Answers[0].Attribution = rules.Attribution{Blame: rules.ThisDeployment, Why: []string{"only 2.4.0's instances"}}
	b.desk.watches = []watcher.WatchView{w}
	b.expect(0, "show", "checkout")
	b.says("to blame: this deployment: only 2.4.0's instances")
}

func TestExplainWritesRatesByTheHour(t *testing.T) {
	w := reasoned()
	w.Ruling.Answers[1] = rules.Answer{
		Rule: "restarts", Verdict: rules.Inconclusive, Ceiling: rules.Auto, Why: "restarts", Unit: "per pod-second",
		Bad: 9, Total: 900, Window: rules.Duration(5 * time.Minute), Test: &rules.Test{Wealth: 2},
		Compared: []rules.Compared{{With: rules.Before, Bad: 7, Total: 7 * 86400, Level: 1.0 / 86400, Unit: "per pod-second"}},
	}
	b := newBench(t)
	b.desk.watches = []watcher.WatchView{w}
	b.expect(0, "explain", "checkout")
	for _, want := range []string{"data	9 in 15 pod-minutes in 5m\n", "against	before: 0.0417 per pod-hour (7 in 168 pod-hours)\n"} {
		if !strings.Contains(b.stdout.String(), want) {
			t.Errorf("%q is not said:\n%s", want, b.stdout.String())
		}
	}
}
