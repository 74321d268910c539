package watcher_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// onDuty asks whoever is on call; its fallback is ben, eve and ana.
func onDuty(needs int) func(*rules.Plan) {
	return func(p *rules.Plan) {
		asks("")(p)
		p.Authorities[0].Needs["oncall"] = needs
		p.Schedules = map[string]string{"oncall": "pagerduty:PABC"}
	}
}

// asked is a lab in which ana has deployed 2.4.0 and people are asked, with these on call.
func asked(t *testing.T, needs int, rota watcher.Rota) *lab {
	t.Helper()
	l := newLab(t, plan(onDuty(needs)))
	l.pass("2.3.9").event("2.4.0", rules.Finished)
	l.after(time.Minute).give(watcher.Input{Look: l.breach(), Rota: rota})
	if l.Watch.Question == nil {
		t.Fatalf("nobody is asked: %+v", l.Watch.Ruling)
	}
	return l
}

func onCall(people ...string) watcher.Rota {
	return watcher.Rota{Groups: map[string][]string{"oncall": people}}
}

func TestWhoeverIsOnCallIsAskedAndStaysSoWhenTheShiftChanges(t *testing.T) {
	l := asked(t, 1, onCall("zoe"))
	question := l.Watch.Question.Seq
	l.after(time.Minute).give(watcher.Input{Look: l.breach(), Rota: onCall("max")})
	l.after(time.Minute).give(watcher.Input{Look: l.breach(), Rota: onCall("ana")})
	l.after(time.Minute).give(watcher.Input{Look: l.breach(), Rota: watcher.Rota{StandIns: map[string]string{"oncall": "PagerDuty is down"}}})
	l.Lane = watcher.Fold(lane, l.entries) // as another replica reads it
	if q := l.Watch.Question; q == nil || q.Seq != question || !slices.Equal(q.Groups["oncall"], []string{"zoe"}) {
		t.Fatalf("the question is another: %+v", q)
	}
	if l.vote("max", authority.RollBack); l.Watch.Decision != nil {
		t.Error("who came on call later votes")
	}
	if l.vote("zoe", authority.RollBack); l.Watch.Decision == nil {
		t.Error("who was asked does not vote any more")
	}
}

func TestTheFallbackIsAskedWhereThoseOnCallCouldNotAnswer(t *testing.T) {
	fallback := []string{"ben", "ana", "eve"}
	for name, c := range map[string]struct {
		needs  int
		rota   watcher.Rota
		people []string
		why    string
	}{
		"somebody is on call":               {1, onCall("zoe"), []string{"zoe"}, ""},
		"two are, and one has deployed":     {1, onCall("zoe", "ana"), []string{"zoe", "ana"}, ""},
		"the one on call has deployed":      {1, onCall("Ana"), fallback, "on call: Ana; of these 0 may vote, and it needs 1"},
		"it needs more than are on call":    {2, onCall("zoe"), fallback, "on call: zoe; it needs 2"},
		"nobody is known to be":             {1, watcher.Rota{StandIns: map[string]string{"oncall": "nobody is on call in P1"}}, fallback, "nobody is on call in P1"},
		"of another group alone it is said": {1, watcher.Rota{Groups: map[string][]string{"oncall": {"zoe"}}, StandIns: map[string]string{"other": "down"}}, []string{"zoe"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			before := maps.Clone(c.rota.StandIns)
			l := asked(t, c.needs, c.rota)
			if got := l.Watch.Question.Groups["oncall"]; !slices.Equal(got, c.people) {
				t.Errorf("asked are %q, want %q", got, c.people)
			}
			message, _ := watcher.Render(ofItsWatch(l.entries))
			said := strings.Join(message.Lines, "\n")
			want := "The fallback of oncall is asked: " + c.why + "."
			if c.why == "" && strings.Contains(said, "fallback") || c.why != "" && !strings.Contains(said, want) {
				t.Errorf("it is said:\n%s\nwant %q", said, want)
			}
			page := watcher.Address(message, actions.Page, l.entries[len(l.entries)-1])
			if c.why != "" && !slices.Contains(page.Lines, want) {
				t.Errorf("those who are woken read:\n%q", page.Lines)
			}
			if !maps.Equal(before, c.rota.StandIns) {
				t.Error("the rota of the shell was written to")
			}
		})
	}
}
