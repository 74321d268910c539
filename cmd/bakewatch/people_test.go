package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestList(t *testing.T) {
	question := asked()
	lanes := []watcher.LaneView{
		{Lane: question.Lane, Live: "2.4.0", Watch: &question, Disarmed: "load test", Bad: []string{"2.2.0"}},
		{Lane: rules.LaneID{Environment: "production", Service: "payments"}, Live: "1.0.0", Past: []watcher.PastWatch{{Version: "1.0.0", Outcome: watcher.Passed}}},
	}
	t.Run("each lane is one plain line in a pipe", func(t *testing.T) {
		b := newBench(t)
		b.desk.lanes = lanes
		b.expect(0, "list")
		lines := strings.Split(strings.TrimSpace(b.stdout.String()), "\n")
		if len(lines) != 2 || strings.Contains(b.stdout.String(), "\x1b") {
			t.Fatalf("not two plain lines:\n%s", &b.stdout)
		}
		b.says("production/checkout\t2.4.0\t2.4.0\tasking\t", "(in 14m)", "ask: errors 4.1 %", "disarmed: load test", "quarantined: 2.2.0",
			"production/payments\t1.0.0\t1.0.0\tpassed\t-\t-")
	})
	t.Run("JSON is a list, also when it is empty", func(t *testing.T) {
		b := newBench(t)
		b.expect(0, "list", "--output", "json")
		if got := strings.TrimSpace(b.stdout.String()); got != "[]" {
			t.Errorf("an empty list is %q", got)
		}
		b.desk.lanes = lanes
		b.expect(0, "list", "--output", "json")
		if got := object[[]watcher.LaneView](b); len(got) != 2 || got[0].Watch.Question.Question != 23 {
			t.Errorf("lanes lost: %+v", got)
		}
	})
	t.Run("what is disarmed and has no lane is named", func(t *testing.T) {
		b := newBench(t)
		b.desk.lanes = []watcher.LaneView{
			{Lane: rules.LaneID{Service: watcher.Everywhere}, Disarmed: "moving"},
			{Lane: rules.LaneID{Service: "payments"}, Disarmed: "load test"},
		}
		b.expect(0, "list")
		b.says("everywhere\t-\t-\t-\t-\tdisarmed: moving\n", "payments\t-\t-\t-\t-\tdisarmed: load test\n")
	})
	t.Run("only open watches when asked", func(t *testing.T) {
		b := newBench(t)
		b.desk.lanes = lanes
		b.expect(0, "list", "--open")
		if strings.Contains(b.stdout.String(), "payments") {
			t.Errorf("a lane without an open watch is listed:\n%s", &b.stdout)
		}
	})
}

func TestShow(t *testing.T) {
	t.Run("a watch that asks shows arithmetic, ceilings, question and what to type", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{asked()}
		b.expect(0, "show", "checkout")
		b.says("checkout 2.4.0 in production (watch 17, checkout-4711) (would go back to 2.3.9)",
			"breached\t5xx\terrors 4.1 % (41 of 1000) > limit 1 % for 1m", "healthy\tlatency",
			"ask, because 5xx is breached", "at most ask\tseverity\twarning may ask", "target 2.3.9, in doubt: it never passed here",
			"Needs 1 of checkout-owners and 1 of oncall", "(in 14m)", "Silence keeps it", "ana said keep", "load test",
			"bakewatch answer checkout roll-back")
	})
	t.Run("that nothing may be rolled back now is said", func(t *testing.T) {
		b := newBench(t)
		w := baking()
		w.Disarmed = "moving (ana)"
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "show", "checkout")
		b.says("disarmed, nothing is rolled back: moving (ana)")
	})
	t.Run("once it is decided it says by whom and why, and when it is verified", func(t *testing.T) {
		b := newBench(t)
		w := asked()
		w.Phase, w.Question, w.BakeEnds, w.VerifyEnds = watcher.Verifying, nil, noon.Add(-time.Minute), noon.Add(9*time.Minute)
		w.Decision = &watcher.Decision{By: "votes", Votes: []authority.Vote{{Person: "bea", Reason: "ours"}}}
		w.Done = &actions.Outcome{Result: actions.ResultDone, Live: "2.3.9"}
		b.desk.watches, b.desk.lanes = []watcher.WatchView{w}, []watcher.LaneView{{Lane: w.Lane, Watch: &w}}
		b.expect(0, "show", "checkout")
		b.says("checkout 2.4.0 → 2.3.9 in production", "by votes of bea (ours)", "rollback done, 2.3.9 is live", "verified by", "(in 9m)")
		b.expect(0, "list")
		b.says("verifying\t", "(in 9m)")
		w.Phase, w.Done, w.VerifyEnds = watcher.Acting, nil, time.Time{}
		b.expect(0, "list")
		b.says("acting\t-\t")
	})
	t.Run("a question that nobody heard says so instead of a countdown", func(t *testing.T) {
		b := newBench(t)
		w := asked()
		w.Question.Heard, w.Question.Deadline, w.Question.Silence = time.Time{}, time.Time{}, rules.SilenceRollsBack
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "show", "17")
		b.says("nobody is known to have heard it yet", "Silence rolls back")
	})
	t.Run("an unknown outcome sends a person to look, with the runbook", func(t *testing.T) {
		b := newBench(t)
		w := ended(watcher.Unknown)
		w.Plan.Rollbacks = []rules.Rollback{{Use: "deployer", Runbook: "https://wiki/checkout"}}
		b.desk.watches = []watcher.WatchView{w}
		b.expect(0, "show", "checkout")
		b.says("unknown, opened", "so it ended", "look for yourself", "https://wiki/checkout")
	})
	t.Run("a watch that is only remembered has no empty sections", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{{ID: "x", Watch: 3, Version: "1", Lane: rules.LaneID{Service: "checkout"}, Phase: watcher.Ended, Outcome: watcher.Passed, Opened: noon}}
		b.expect(0, "show", "x")
		for _, section := range []string{"Rules", "Ruling", "Question", "What next"} {
			if strings.Contains(b.stdout.String(), section) {
				t.Errorf("section %s of nothing:\n%s", section, &b.stdout)
			}
		}
	})
	t.Run("a watch that is not known is an error with a next step", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitFailed, "show", "nobody")
		b.advises(`no watch "nobody"`, "see bakewatch list")
	})
}

func TestAnswer(t *testing.T) {
	t.Run("a vote is bound to the question that is open", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{asked()}
		b.expect(0, "answer", "checkout", "roll-back", "--reason", "ours", "--as", "bea")
		if want := "answer checkout 23 roll-back ours by bea via local at 12:00:00"; !slices.Contains(b.desk.calls, want) {
			t.Errorf("called %q, want %q", b.desk.calls, want)
		}
	})
	t.Run("a question by its number is not looked up", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{baking()}
		b.expect(0, "answer", "checkout", "keep", "--question", "9", "--as", "bea")
		if !strings.HasPrefix(b.desk.calls[0], "answer checkout 9 keep") {
			t.Errorf("called %q", b.desk.calls)
		}
	})
	t.Run("nothing asked: no vote, and the phase is told", func(t *testing.T) {
		b := newBench(t)
		b.desk.watches = []watcher.WatchView{baking()}
		b.expect(exitFailed, "answer", "checkout", "keep")
		b.advises("nothing is asked now (baking)")
		if len(b.desk.calls) != 0 {
			t.Errorf("a vote was cast: %q", b.desk.calls)
		}
	})
	t.Run("an answer that is none is an error of usage", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitUsage, "answer", "checkout", "yes")
		b.advises(`unknown answer "yes": roll-back, keep, withdraw or looking`)
		if len(b.dialed) != 0 {
			t.Error("the daemon was bothered")
		}
	})
}

func TestCancel(t *testing.T) {
	b := newBench(t)
	b.desk.watches = []watcher.WatchView{ended(watcher.CancelledWatch)}
	b.expect(0, "cancel", "checkout", "--as", "bea", "--reason", "wrong region")
	if want := "cancel checkout wrong region by bea"; !slices.Equal(b.desk.calls, []string{want}) {
		t.Errorf("called %q, want %q", b.desk.calls, want)
	}
	b.says("cancelled")
}

func TestDisarm(t *testing.T) {
	t.Run("disarm and arm reach the daemon, everywhere or in one service", func(t *testing.T) {
		b := newBench(t)
		b.expect(0, "disarm", "--reason", "moving", "--as", "bea")
		b.says("disarmed everywhere", "moving")
		b.expect(0, "disarm", "--service", "checkout", "--reason", "load test", "--as", "bea")
		b.expect(0, "arm", "--service", "checkout", "--as", "bea")
		b.says("armed in checkout")
		want := []string{`disarm "" moving by bea`, `disarm "checkout" load test by bea`, `arm "checkout" by bea`}
		if !slices.Equal(b.desk.calls, want) {
			t.Errorf("called %q, want %q", b.desk.calls, want)
		}
	})
	t.Run("a misspelt service is refused, and --force overrides", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitFailed, "disarm", "--service", "chekout", "--reason", "x")
		b.advises(`names a service "chekout"`, "known: checkout", "--force")
		b.expect(exitFailed, "arm", "--service", "chekout")
		b.advises("--force")
		b.expect(0, "disarm", "--service", "chekout", "--reason", "x", "--force")
	})
	t.Run("disarming without a reason is an error of usage", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitUsage, "disarm")
		b.advises("reason")
	})
	t.Run("the local file disarms without NATS, and arming removes it", func(t *testing.T) {
		b := newBench(t)
		b.unreachable = errors.New("NATS is down")
		store := t.TempDir()
		b.expect(0, "disarm", "--local", "--store", store, "--reason", "NATS is down")
		file := filepath.Join(store, "disarm")
		if said, err := os.ReadFile(file); err != nil || string(said) != "NATS is down\n" {
			t.Fatalf("the file says %q (%v)", said, err)
		}
		b.expect(0, "arm", "--local", "--store", store)
		b.expect(0, "arm", "--local", "--store", store) // twice does no harm
		if exists(file) {
			t.Error("the file is still there")
		}
		if len(b.dialed) != 0 {
			t.Error("a local file needed the daemon")
		}
	})
	t.Run("a named file serves as well", func(t *testing.T) {
		b := newBench(t)
		file := filepath.Join(t.TempDir(), "stop")
		b.expect(0, "disarm", "--file", file, "--reason", "x", "--output", "json")
		if got := object[armState](b); got.Armed || got.File != file || !exists(file) {
			t.Errorf("state %+v", got)
		}
	})
	t.Run("a local file cannot disarm one service", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitUsage, "disarm", "--local", "--service", "checkout", "--reason", "x")
	})
	t.Run("arming tells of the local file that still disarms", func(t *testing.T) {
		b := newBench(t)
		store := t.TempDir()
		b.expect(0, "disarm", "--local", "--store", store, "--reason", "x")
		b.expect(0, "arm", "--store", store)
		b.advises("still disarmed by the file")
	})
	t.Run("a refused disarm tells of the way without NATS", func(t *testing.T) {
		b := newBench(t)
		b.desk.fails = errors.New("no responders")
		b.expect(exitFailed, "disarm", "--reason", "x")
		b.advises("no responders", "bakewatch disarm --local")
	})
}

func TestTail(t *testing.T) {
	lane := rules.LaneID{Environment: "production", Service: "checkout"}
	ruling := &authority.Ruling{Power: rules.Auto, Rule: "5xx", Why: []string{"errors 4.1 %"}, Target: authority.Target{Version: "2.3.9"}}
	entries := []watcher.Entry{
		{Kind: watcher.Opened, Deployment: &rules.Deployment{Version: "2.4.0", Step: rules.Started, By: "ana"}},
		{Kind: watcher.Verdicts, Answers: []rules.Answer{{Rule: "5xx", Verdict: rules.Breached}}},
		{Kind: watcher.Ruled, Ruling: ruling},
		{Kind: watcher.Voted, Vote: &authority.Vote{Person: "bea", Choice: authority.RollBack, Reason: "ours"}},
		{Kind: watcher.Noted, Topic: watcher.Refused, Text: "nobody asked her", Vote: &authority.Vote{Person: "zoe", Choice: authority.Keep}},
		{Kind: watcher.Noted, Topic: watcher.Refused, Text: "somebody unknown", Vote: &authority.Vote{Choice: authority.Keep}},
		{Kind: watcher.Decided, Ruling: ruling, Decision: &watcher.Decision{By: "votes", Votes: []authority.Vote{{Person: "bea", Reason: "ours"}, {Person: "cem"}}}},
		{Kind: watcher.Intended, Intent: &actions.Intent{Executor: "deployer", Subject: actions.Subject{To: "2.3.9"}}},
		{Kind: watcher.Done, Done: &actions.Outcome{Result: actions.ResultDone, Live: "2.3.9"}},
		{Kind: watcher.Told, Told: &watcher.Delivery{Channel: "slack", Audience: actions.Chat, About: 3, Failed: "gone"}},
		{Kind: watcher.Verified, OK: true},
		{Kind: watcher.Noted, Topic: watcher.WentBlind, Text: "no answers for 5m"},
		{Kind: watcher.Closed, Outcome: watcher.RolledBack, Text: "5xx"},
	}
	for i := range entries {
		entries[i].Lane, entries[i].At, entries[i].Seq = lane, noon.Add(time.Duration(i)*time.Second), uint64(i+1)
	}
	t.Run("each entry is one line in plain words", func(t *testing.T) {
		b := newBench(t)
		b.journal = entries
		b.expect(0, "tail")
		if got := strings.Count(b.stdout.String(), "\n"); got != len(entries) {
			t.Errorf("%d lines for %d entries:\n%s", got, len(entries), &b.stdout)
		}
		b.says("production/checkout opened: 2.4.0 started by ana", "verdicts: 5xx breached", "ruled: auto because of 5xx, target 2.3.9, errors 4.1 %",
			"voted: bea says roll-back (ours)", "noted: refused zoe says keep (nobody asked her)", "noted: refused keep (somebody unknown)", "decided: by votes of bea (ours) and cem, auto because of 5xx", "intended: deployer brings 2.3.9 live again",
			"done: 2.3.9 is live\n", "told: slack (chat) gave up on entry 3: gone", "verified: the limits are kept again",
			"noted: blind (no answers for 5m)", "closed: rolled-back (5xx)")
	})
	t.Run("nothing is said twice", func(t *testing.T) {
		b := newBench(t)
		text := "2.3.9 is live, and every limit is kept again"
		b.journal = []watcher.Entry{
			{Kind: watcher.Verified, OK: true, Text: text, Lane: lane, At: noon},
			{Kind: watcher.Ruled, Lane: lane, At: noon, Ruling: &authority.Ruling{Power: rules.Auto, Rule: "5xx", Why: []string{"5xx: errors 4.1 %"}}},
		}
		b.expect(0, "tail")
		b.says("verified: "+text+"\n", "ruled: auto because of 5xx, errors 4.1 %\n")
	})
	t.Run("a deployment that ends another's watch says how that ended", func(t *testing.T) {
		b := newBench(t)
		b.journal = []watcher.Entry{{
			Kind: watcher.Opened, Lane: lane, At: noon, Deployment: &rules.Deployment{Version: "2.4.1"}, Outcome: watcher.RolledBack,
			Ledger: &watcher.Ledger{Past: []watcher.PastWatch{{Version: "2.4.0"}}},
		}}
		b.expect(0, "tail")
		b.says("opened: 2.4.1 (2.4.0: rolled-back, not verified)")
	})
	t.Run("JSON is one object a line, with the sequence", func(t *testing.T) {
		b := newBench(t)
		b.journal = entries[2:3]
		b.expect(0, "tail", "--output", "json")
		got := object[struct {
			Seq  uint64
			Kind watcher.Kind
		}](b)
		if got.Seq != 3 || got.Kind != watcher.Ruled {
			t.Errorf("got %+v", got)
		}
	})
	t.Run("other services are left out", func(t *testing.T) {
		b := newBench(t)
		b.journal = entries
		b.expect(0, "tail", "--service", "payments")
		b.expect(0, "tail", "--environment", "staging")
		if b.stdout.Len() != 0 {
			t.Errorf("printed:\n%s", &b.stdout)
		}
	})
	t.Run("the past is told as far back as asked", func(t *testing.T) {
		b := newBench(t)
		old := entries[0]
		old.At = noon.Add(-time.Hour)
		b.journal = []watcher.Entry{old}
		b.expect(0, "tail", "--since", "10m")
		if b.stdout.Len() != 0 {
			t.Errorf("an hour is no ten minutes:\n%s", &b.stdout)
		}
		b.expect(0, "tail", "--since", "2h")
		b.says("opened")
	})
}

func TestJournalVerify(t *testing.T) {
	b := newBench(t)
	b.verified = nats.Verified{Lanes: 2, Entries: 40}
	b.expect(0, "journal", "verify")
	b.says("entries: 40, lanes: 2, flaws: 0")
	b.expect(0, "journal", "verify", "--output", "json")
	b.says(`"flaws": []`)

	b.verified.Flaws = []nats.Flaw{{Lane: rules.LaneID{Environment: "production", Service: "checkout"}, Seq: 7, What: "does not follow entry 6"}}
	b.expect(exitFailed, "journal", "verify")
	b.says("entry 7 (production/checkout): does not follow entry 6")
	b.advises("the journal is not what was written")
	b.expect(exitFailed, "journal", "verify", "--output", "json")
	if got := object[nats.Verified](b); got.Flaws[0].Seq != 7 {
		t.Errorf("got %+v", got)
	}
}

func TestJournalVerifyAuditsWhetherEveryRollbackHadItsAuthority(t *testing.T) {
	b := newBench(t)
	lane := rules.LaneID{Environment: "production", Service: "checkout"}
	asked := &authority.Ruling{
		Power: rules.Ask, Target: authority.Target{Version: "2.3.9"}, Groups: map[string][]string{"oncall": {"ben", "eve"}},
		Clause: rules.Authority{Decide: rules.Ask, Needs: map[string]int{"oncall": 2}},
	}
	vote := authority.Vote{Question: 2, Person: "ben", Choice: authority.RollBack, Proof: authority.LocalProof("ben")}
	b.journal = []watcher.Entry{
		{Seq: 1, Lane: lane, Kind: watcher.Opened, Plan: &rules.Plan{}, Deployment: &rules.Deployment{Version: "2.4.0", By: "ana"}},
		{Seq: 2, Lane: lane, Kind: watcher.Ruled, Ruling: asked},
		{Seq: 3, Lane: lane, Kind: watcher.Voted, Vote: &vote},
		{Seq: 4, Lane: lane, Kind: watcher.Decided, Ruling: asked, Decision: &watcher.Decision{By: watcher.ByVotes, Votes: []authority.Vote{vote}}},
	}
	b.expect(0, "journal", "verify")
	b.expect(exitFailed, "journal", "verify", "--authority")
	b.says("entry 4 (production/checkout): [ben] agreed, which is too few", "watches: 1, decisions: 1, votes: 1, refused: 0 (unproved: 0), without authority: 1")
	b.says("not audited for the budget of all services: 1")
	b.advises("without the authority")

	second := vote
	second.Person = "eve"
	b.journal = slices.Insert(b.journal, 3, watcher.Entry{Seq: 3, Lane: lane, Kind: watcher.Voted, Vote: &second})
	b.expect(0, "journal", "verify", "--authority", "--output", "json")
	b.says(`"findings": []`, `"votes": 2`)
}
