package audit_test

import (
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/audit"
)

func TestAVoteThatDidNotCountIsLaidAtTheDoorOfWhoeverShowedWhoTheyAre(t *testing.T) {
	lane := rules.LaneID{Environment: "production", Service: "checkout"}
	for name, c := range map[string]struct {
		vote     *authority.Vote
		refused  int
		unproved int
		finds    string // empty: nothing
	}{
		"a person's":                  {&authority.Vote{Person: "ana", Proof: authority.LocalProof("ana")}, 1, 0, ""},
		"of a user whom nobody knows": {&authority.Vote{Proof: authority.Proof{Way: authority.Slack, Subject: "U1"}}, 1, 1, ""},
		"nobody's":                    {&authority.Vote{Choice: authority.Keep}, 1, 1, ""},
		"of a person who did not show who it was": {&authority.Vote{Person: "ana"}, 1, 0, "names ana as refused"},
		"a note without a vote":                   {nil, 0, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := audit.Check([]watcher.Entry{
				{Seq: 1, Lane: lane, Kind: watcher.Opened, Plan: &rules.Plan{}, Deployment: &rules.Deployment{Version: "2"}},
				{Seq: 2, Lane: lane, Kind: watcher.Noted, Topic: watcher.Refused, Vote: c.vote},
			})
			found := ""
			for _, f := range got.Findings {
				found += f.What
			}
			if got.Refused != c.refused || got.Unproved != c.unproved || (found == "") != (c.finds == "") || !strings.Contains(found, c.finds) {
				t.Errorf("%+v", got)
			}
		})
	}
}
