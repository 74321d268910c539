package watcher_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// reversible says in an event whether the deployment can be undone.
func reversible(yes bool) func(*rules.Deployment) {
	return func(d *rules.Deployment) { d.Reversible = &yes }
}

// mayGoBack says whether the open watch of a version may go back to 2.3.9, or why not.
func (l *lab) mayGoBack(t *testing.T) string {
	t.Helper()
	if l.Watch == nil || l.Watch.Target.Version != "2.3.9" {
		t.Fatalf("watch %+v", l.Watch)
	}
	return l.Watch.Target.BelowFloor
}

// gives up a deployment that cannot be undone after it began, and begins the next.
func (l *lab) givesUp(changes ...func(*rules.Deployment)) *lab {
	l.t.Helper()
	l.pass("2.3.9").event("2.4.0", rules.Started, reversible(false))
	l.after(time.Minute).event("2.4.0", rules.Cancelled, changes...)
	l.after(time.Minute)
	return l
}

func TestWhatCannotBeUndoneAndWasGivenUp(t *testing.T) {
	const bars, free = true, false
	for name, test := range map[string]struct {
		play func(*testing.T, *lab)
		want bool
	}{
		"nobody says whether it was done": {func(_ *testing.T, l *lab) {
			l.givesUp().event("2.5.0", rules.Finished)
		}, bars},
		"its tool says that it was not": {func(_ *testing.T, l *lab) {
			l.givesUp(reversible(true)).event("2.5.0", rules.Finished)
		}, free},
		"its tool says again that it cannot be undone": {func(_ *testing.T, l *lab) {
			l.givesUp(reversible(false)).event("2.5.0", rules.Finished)
		}, bars},
		"a person says so afterwards": {func(t *testing.T, l *lab) {
			l.givesUp()
			lift := func() string { return l.event("2.4.0", rules.Cancelled, id("a person"), reversible(true)) }
			expect(t, "lifted", lift(), "floor-lifted", "again", lift(), "")
			l.event("2.5.0", rules.Finished)
		}, free},
		"a person says so while the next version is watched": {func(t *testing.T, l *lab) {
			l.givesUp().event("2.5.0", rules.Finished)
			if why := l.mayGoBack(t); !strings.Contains(why, "announce 2.4.0 as cancelled and reversible") {
				t.Errorf("it does not say what to do: %q", why)
			}
			expect(t, "lifted", l.event("2.4.0", rules.Cancelled, id("a person"), reversible(true)), "floor-lifted")
		}, free},
		"the same event, told again": {func(t *testing.T, l *lab) {
			l.givesUp(reversible(true))
			expect(t, "again", l.event("2.4.0", rules.Cancelled, reversible(true)), "")
			l.event("2.5.0", rules.Finished)
		}, free},
		"a cancellation of before it began": {func(t *testing.T, l *lab) {
			before := l.now
			l.givesUp()
			expect(t, "not lifted", l.event("2.4.0", rules.Cancelled, id("old"), reversible(true), at(before)), "")
			l.event("2.5.0", rules.Finished)
		}, bars},
		"it had gone live": {func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started, reversible(false))
			l.event("2.4.0", rules.Finished)
			l.after(time.Minute).event("2.4.0", rules.Cancelled, reversible(true))
			expect(t, "not lifted", l.event("2.4.0", rules.Cancelled, id("a person"), reversible(true)), "")
			l.event("2.5.0", rules.Finished)
		}, bars},
		"it had gone live in an earlier try": {func(_ *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Finished, reversible(false))
			l.after(time.Minute).event("2.3.9", rules.Finished, id("back"))
			l.after(time.Minute).event("2.4.0", rules.Started, id("second"), reversible(false))
			l.after(time.Minute).event("2.4.0", rules.Cancelled, id("second stop"), reversible(true))
			l.after(time.Minute).event("2.5.0", rules.Finished)
		}, bars},
		"it was never ended, and replaced": {func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started, reversible(false))
			l.after(time.Minute).event("2.5.0", rules.Finished)
			l.mayGoBack(t)
			expect(t, "lifted", l.event("2.4.0", rules.Cancelled, reversible(true)), "floor-lifted")
		}, free},
		"it said so only on its way": {func(_ *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started)
			l.after(time.Minute).event("2.4.0", rules.Stage, reversible(false))
			l.after(time.Minute).event("2.5.0", rules.Finished)
		}, bars},
		"it said so only when it was live": {func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.4.0", rules.Started)
			l.after(time.Minute).event("2.4.0", rules.Finished, reversible(false))
			l.after(time.Minute).event("2.5.0", rules.Finished)
			expect(t, "not lifted", l.event("2.4.0", rules.Cancelled, reversible(true)), "")
		}, bars},
		"an older one of the same kind counts again": {func(t *testing.T, l *lab) {
			l.pass("2.3.9").event("2.3.10", rules.Finished, reversible(false))
			l.after(time.Minute).event("2.4.0", rules.Started, reversible(false))
			l.after(time.Minute).event("2.4.0", rules.Cancelled, reversible(true))
			l.after(time.Minute).event("2.5.0", rules.Finished)
			if why := l.mayGoBack(t); !strings.Contains(why, "from before 2.3.10, which") {
				t.Errorf("%q", why)
			}
		}, bars},
		"nobody watched it": {func(t *testing.T, l *lab) {
			planned := l.plan
			l.pass("2.3.9")
			l.plan = nil
			l.event("2.4.0", rules.Started, reversible(false))
			l.plan = planned
			l.after(time.Minute).event("2.5.0", rules.Finished)
			l.mayGoBack(t)
			expect(t, "lifted", l.event("2.4.0", rules.Cancelled, reversible(true)), "floor-lifted")
		}, free},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plan(asks(rules.SilenceKeeps)))
			test.play(t, l)
			if why := l.mayGoBack(t); (why != "") != test.want {
				t.Errorf("what bars the way back: %q", why)
			}
		})
	}
}

func TestPeopleAreToldThatAFloorStaysAndHowItIsLifted(t *testing.T) {
	l := newLab(t, plan(asks(rules.SilenceKeeps))).givesUp()
	m, _ := watcher.Render(l.entries)
	if text := strings.Join(m.Lines, " "); !strings.Contains(text, "announce it as cancelled and reversible") {
		t.Errorf("when it is given up: %q", text)
	}
	l.event("2.4.0", rules.Cancelled, id("a person"), reversible(true))
	if m, to := watcher.Render(l.entries); len(to) == 0 || !strings.Contains(m.Title, "2.4.0 was given up before it had done what cannot be undone") {
		t.Errorf("when it is lifted, %v are told %q", to, m.Title)
	}
}

func TestWhatCannotBeUndoneAndWaitedForARollback(t *testing.T) {
	for name, test := range map[string]struct {
		end  func(*lab)
		want string
	}{
		"is a floor though it was given up": {func(l *lab) { l.event("2.5.0", rules.Cancelled) }, "2.5.0"},
		"is none when its tool says so":     {func(l *lab) { l.event("2.5.0", rules.Cancelled, reversible(true)) }, ""},
		"is a floor though a newer came":    {func(l *lab) { l.event("2.6.0", rules.Started) }, "2.5.0"},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, plan()).acts()
			l.event("2.5.0", rules.Started, reversible(false))
			if l.Ledger.Floor != "" {
				t.Fatal("it has not begun to be watched")
			}
			test.end(l.after(time.Second))
			l.done(actions.ResultDone)
			if l.Ledger.Floor != test.want {
				t.Errorf("the floor is %q, want %q", l.Ledger.Floor, test.want)
			}
		})
	}
}
