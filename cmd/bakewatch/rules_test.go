package main

import (
	"fmt"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/nats"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/record"
)

// judged are the entries of so many deployments of checkout, one a day up to yesterday,
// with a rule in the mode. The first so many are breached, and people voted for going back.
func judged(mode rules.Mode, deployments, agreed int) (entries []watcher.Entry) {
	lane := rules.LaneID{Environment: "production", Service: "checkout"}
	plan := &rules.Plan{
		Service: "checkout", Hash: mode.String(), Rollbacks: []rules.Rollback{{Use: "tool"}},
		Rules:       []rules.Spec{{Name: "5xx", Kind: "error-rate", Mode: mode, Severity: rules.Critical}},
		Authorities: []rules.Authority{{Decide: rules.Ask, Needs: map[string]int{"oncall": 1}}},
		Groups:      map[string][]string{"oncall": {"ben"}},
	}
	ruling := &authority.Ruling{
		Power: rules.Ask, Rule: "5xx", Blamed: []string{"5xx"}, Target: authority.Target{Version: "1"},
		Answers: []rules.Answer{{Rule: "5xx", Verdict: rules.Breached, Ceiling: rules.Auto}},
	}
	add := func(e watcher.Entry, at time.Time) {
		e.Lane, e.At, e.Seq = lane, at, uint64(len(entries)+1)
		entries = append(entries, e)
	}
	for i := range deployments {
		at := noon.Add(-time.Duration(deployments-i) * 24 * time.Hour)
		d := &rules.Deployment{Service: "checkout", Environment: "production", Version: fmt.Sprint(i), At: at}
		add(watcher.Entry{Kind: watcher.Opened, Deployment: d, Plan: plan}, at)
		if i < agreed {
			add(watcher.Entry{Kind: watcher.Ruled, Ruling: ruling}, at.Add(3*time.Minute))
			add(watcher.Entry{Kind: watcher.Decided, Ruling: ruling, Decision: &watcher.Decision{By: watcher.ByVotes}}, at.Add(4*time.Minute))
			add(watcher.Entry{Kind: watcher.Closed, Outcome: watcher.RolledBack}, at.Add(5*time.Minute))
			continue
		}
		add(watcher.Entry{Kind: watcher.Closed, Outcome: watcher.Passed}, at.Add(time.Hour))
	}
	return entries
}

func TestTheRecordOfEveryRuleIsPrinted(t *testing.T) {
	b := newBench(t)
	b.journal = judged(rules.ModeNotify, 25, 8)
	b.expect(0, "rules")
	b.says("production/checkout\t5xx\tnotify\t25\t8\t8 ask\t0\t8\t0\t100 % (68–100)\t3m\tup: mode = \"enforce\", and decide = \"ask\"; people agreed with 8 of 8")

	b.expect(0, "rules", "checkout", "--output", "json")
	if got := object[[]record.Record](b); len(got) != 1 || got[0].Proposal.Step != record.Up || got[0].Agreed != 8 || got[0].Detection != rules.Duration(3*time.Minute) {
		t.Errorf("%+v", got)
	}
	b.expect(0, "rules", "--environment", "staging", "--output", "json")
	b.says("[]")
}

func TestTheRecordSaysWhatIsMissingForTheNextStep(t *testing.T) {
	b := newBench(t)
	b.journal = judged(rules.Shadow, 12, 2)
	b.expect(0, "rules", "checkout")
	b.says("shadow\t12\t2", "too little to tell: 8 more deployments")
	b.expect(0, "rules", "checkout", "--since", "10d")
	b.says("shadow\t10\t0\t-\t0\t0\t0\t-\t-\ttoo little to tell")
}

func TestOfAServiceThatWasNeverDeployedThereIsNoRecord(t *testing.T) {
	b := newBench(t)
	b.journal = judged(rules.Shadow, 1, 0)
	b.expect(exitFailed, "rules", "chekout")
	b.advises("no deployment of chekout", "see bakewatch list")
	b.expect(exitUsage, "rules", "checkout", "search")
	b.expect(exitUsage, "rules", "--since", "long")
	b.expect(0, "rules", "--since", "90d", "--nats", "nats://127.0.0.1:1")
}

func TestARecordFromAJournalThatWasChangedIsPrintedWithAWord(t *testing.T) {
	b := newBench(t)
	b.journal = judged(rules.Shadow, 1, 0)
	b.verified = nats.Verified{Flaws: []nats.Flaw{{Seq: 7, What: "was deleted"}}}
	b.expect(0, "rules")
	b.advises("see bakewatch journal verify")
}
