package main

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

func TestWaitPromisesItsExitCodes(t *testing.T) {
	codes := map[watcher.Outcome]int{
		watcher.Passed: 0, watcher.RolledBack: 1, watcher.Undecided: 3, watcher.RollbackFailed: 5, watcher.Unknown: 6,
		watcher.Kept: 7, watcher.Left: 8, watcher.Superseded: 9, watcher.CancelledWatch: 10,
	}
	for _, outcome := range watcher.Outcomes() {
		t.Run(string(outcome), func(t *testing.T) {
			code, promised := codes[outcome]
			if !promised {
				t.Fatal("an outcome without an exit code")
			}
			b := newBench(t)
			b.desk.watches = []watcher.WatchView{ended(outcome)}
			b.expect(code, "wait", "checkout")
			b.says("checkout 2.4.0: " + string(outcome))
			if b.stderr.Len() != 0 {
				t.Errorf("an outcome is no error: %s", &b.stderr)
			}
		})
	}
}

// later makes the desk's watch another one from the n-th look on.
func later(n int, then watcher.WatchView) func(*desk, int) error {
	return func(d *desk, look int) error {
		if look >= n {
			d.watches = []watcher.WatchView{then}
		}
		return nil
	}
}

// staged is a watch at a stage of its roll-out.
func staged(stage string, well bool) watcher.WatchView {
	w := baking()
	w.Phase, w.BakeEnds = watcher.Rolling, time.Time{}
	w.Stage = &watcher.StageView{Name: stage, Since: w.Opened, Ends: w.Opened.Add(time.Hour)}
	if well {
		w.Stage.Passed = w.Opened.Add(time.Minute)
	}
	return w
}

func TestWait(t *testing.T) {
	tests := map[string]struct {
		before  []watcher.WatchView
		onShow  func(*desk, int) error
		args    []string
		code    int
		advises string
	}{
		"it waits until the watch ends": {
			before: []watcher.WatchView{baking()}, onShow: later(5, ended(watcher.RolledBack)), code: 1,
		},
		"it waits on while people are asked": {
			before: []watcher.WatchView{asked()}, onShow: later(5, ended(watcher.Kept)), code: 7,
		},
		"it leaves as soon as people are asked, if told so": {
			before: []watcher.WatchView{baking()}, onShow: later(3, asked()), args: []string{"--until-asked"}, code: exitAsking,
		},
		"a time out while people are asked says that a person is waited for": {
			before: []watcher.WatchView{asked()}, args: []string{"--timeout", "5m"}, code: exitAsking, advises: "still asking after 5m",
		},
		"a time out while baking is undecided": {
			before: []watcher.WatchView{baking()}, args: []string{"--timeout", "5m"}, code: 3, advises: "still baking after 5m",
		},
		"it leaves as soon as the stage is well": {
			before: []watcher.WatchView{staged("25%", false)}, onShow: later(3, staged("25%", true)), args: []string{"--stage", "25%"}, code: 0,
		},
		"that another stage was well is not enough": {
			before: []watcher.WatchView{staged("5%", true)}, args: []string{"--stage", "25%", "--timeout", "5m"}, code: 3, advises: "still rolling after 5m",
		},
		"a rollback ends the waiting for a stage": {
			before: []watcher.WatchView{staged("25%", false)}, onShow: later(3, ended(watcher.RolledBack)), args: []string{"--stage", "25%"}, code: 1,
		},
		"a stage that is well is no end for whoever waits for the end": {
			before: []watcher.WatchView{staged("25%", true)}, onShow: later(5, ended(watcher.Passed)), code: 0,
		},
		"a watch may be unknown for a while after its announcement": {
			onShow: later(10, ended(watcher.Passed)), code: 0,
		},
		"a watch that never comes is told with where to look": {
			code: exitUsage, advises: "is there a plan for the service?",
		},
		"a daemon that is away for a while does not matter": {
			before: []watcher.WatchView{baking()}, code: 0,
			onShow: func(d *desk, look int) error {
				if look > 3 && look < 20 {
					return errors.New("no responders")
				}
				return later(25, ended(watcher.Passed))(d, look)
			},
		},
		"a daemon that stays away does": {
			before: []watcher.WatchView{baking()}, code: exitUsage, advises: "no responders",
			onShow: func(_ *desk, look int) error {
				if look > 3 {
					return errors.New("no responders")
				}
				return nil
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.desk.watches, b.desk.onShow = test.before, test.onShow
				b.expect(test.code, append([]string{"wait", "checkout"}, test.args...)...)
				b.advises(test.advises)
			})
		})
	}
	t.Run("it holds on to the watch it found, not to the service's next", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.desk.watches = []watcher.WatchView{baking()}
			b.desk.onShow = func(d *desk, look int) error {
				if look == 2 {
					next, old := baking(), ended(watcher.Superseded)
					next.ID, next.Watch = "checkout-4712", 40
					d.watches = []watcher.WatchView{next, old}
				}
				return nil
			}
			b.expect(9, "wait", "checkout")
		})
	})
	t.Run("the rule that is to blame is named once", func(t *testing.T) {
		b := newBench(t)
		w := ended(watcher.RolledBack)
		w.Rule, w.Reason = "5xx", "5xx: errors 4.1 % (41 of 1000) > limit 1 %"
		b.desk.watches = []watcher.WatchView{w}
		b.expect(1, "wait", "checkout")
		b.says("rolled-back, because of 5xx, errors 4.1 %")
		b.expect(0, "show", "checkout")
		b.says("\n5xx: errors 4.1 %")
	})
	t.Run("a time below zero is an error of usage", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitUsage, "wait", "checkout", "--timeout", "-5s")
		b.advises("--timeout and --grace cannot be below zero")
	})
	t.Run("an interrupt ends it without an outcome's code", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.desk.watches = []watcher.WatchView{baking()}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if code := b.runContext(ctx, "wait", "checkout"); code != exitUsage {
				t.Errorf("exit %d", code)
			}
		})
	})
}

func TestWaitSaysSoonThatNothingIsWatched(t *testing.T) {
	shop := func(environment string, change func(*watcher.LaneView)) watcher.LaneView {
		l := watcher.LaneView{Lane: rules.LaneID{Environment: environment, Service: "shop"}, Live: "1.1.0"}
		change(&l)
		return l
	}
	live := func(*watcher.LaneView) {}
	unwatched := func(l *watcher.LaneView) { l.Unwatched = true }
	watched := func(l *watcher.LaneView) { w := baking(); w.Version, l.Watch = "1.1.0", &w }
	older := func(l *watcher.LaneView) { l.Live = "1.0.0" }
	const id = "shop-1.1.0-rdspau66zn"
	tests := map[string]struct {
		lanes   []watcher.LaneView
		args    []string
		code    int
		advises string
		within  time.Duration
	}{
		"the version was live already":                   {[]watcher.LaneView{shop("production", live)}, []string{id}, exitUnwatched, "1.1.0 was live already in production/shop", 10 * time.Second},
		"it has no plan":                                 {[]watcher.LaneView{shop("production", unwatched)}, []string{id}, exitUnwatched, "went live without a plan", 10 * time.Second},
		"a service without a plan":                       {[]watcher.LaneView{shop("production", unwatched)}, []string{"shop"}, exitUnwatched, "went live without a plan", 10 * time.Second},
		"another event's watch of the version is waited": {[]watcher.LaneView{shop("production", watched)}, []string{id}, 0, "watched already as checkout-4711", 10 * time.Second},
		"where environments differ nothing is guessed":   {[]watcher.LaneView{shop("production", older), shop("staging", live)}, []string{id}, exitUsage, "was the version not live already", 2 * time.Minute},
		"unless one is named":                            {[]watcher.LaneView{shop("production", older), shop("staging", live)}, []string{id, "-e", "staging"}, exitUnwatched, "staging/shop", 10 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBench(t)
				b.desk.lanes = test.lanes
				b.desk.watches = []watcher.WatchView{ended(watcher.Passed)}
				began := time.Now()
				b.expect(test.code, append([]string{"wait"}, test.args...)...)
				b.advises(test.advises)
				if took := time.Since(began); took > test.within {
					t.Errorf("it took %s", took)
				}
			})
		})
	}
}

func TestAnnounce(t *testing.T) {
	t.Run("a version that is live already is told, for nothing will be watched", func(t *testing.T) {
		b := newBench(t)
		b.desk.lanes = []watcher.LaneView{{Lane: rules.LaneID{Environment: "production", Service: "checkout"}, Live: "2.4.0"}}
		line := []string{"announce", "--service", "checkout", "--version", "2.4.0"}
		b.expect(0, line...)
		b.advises("2.4.0 is live in production already; nothing will be watched: --retry watches it")
		for _, more := range [][]string{{"--retry"}, {"--environment", "staging"}, {"--version", "2.4.1"}} {
			if b.expect(0, append(line, more...)...); b.stderr.Len() != 0 {
				t.Errorf("%s: %s", more, &b.stderr)
			}
		}
	})
	t.Run("it prints nothing but the id, and the id finds the event", func(t *testing.T) {
		b := newBench(t)
		b.expect(0, "announce", "--service", "checkout", "--version", "2.4.0", "--strategy", "canary", "--step", "stage", "--stage", "25%",
			"--by", "ana", "--label", "pci=true", "--reversible", "false")
		if len(b.announced) != 1 {
			t.Fatalf("announced %+v", b.announced)
		}
		d := b.announced[0]
		if b.stdout.String() != d.ID+"\n" || d.ID == "" {
			t.Errorf("stdout %q, id %q", &b.stdout, d.ID)
		}
		if b.subjects[0] != "deployments.production.checkout" {
			t.Errorf("subject %q", b.subjects[0])
		}
		if d.Environment != "production" || d.Strategy != rules.Canary || d.Step != rules.Stage || d.Labels["pci"] != "true" ||
			d.Reversible == nil || *d.Reversible || !d.At.Equal(noon) {
			t.Errorf("announced %+v", d)
		}
	})
	t.Run("two announcements have two ids, unless one is given", func(t *testing.T) {
		b := newBench(t)
		line := []string{"announce", "--service", "checkout", "--version", "2.4.0"}
		b.expect(0, line...)
		b.expect(0, line...)
		b.expect(0, append(line, "--id", "mine")...)
		if b.announced[0].ID == b.announced[1].ID || b.announced[2].ID != "mine" {
			t.Errorf("ids %q %q %q", b.announced[0].ID, b.announced[1].ID, b.announced[2].ID)
		}
	})
	t.Run("an event of which it is not known whether it arrived may be sent again under its id", func(t *testing.T) {
		b := newBench(t)
		b.refused = context.DeadlineExceeded
		b.expect(exitFailed, "announce", "--service", "checkout", "--version", "2.4.0", "--id", "mine")
		b.advises("announce again with --id mine")
		if b.stdout.Len() != 0 {
			t.Errorf("an id was printed: %s", &b.stdout)
		}
	})
	t.Run("a bad name is blamed, and not the id that is made of it", func(t *testing.T) {
		for _, args := range [][]string{{"--service", "sh op", "--version", "1"}, {"--service", "shop", "--version", "1 0"}} {
			b := newBench(t)
			b.expect(exitUsage, append([]string{"announce"}, args...)...)
			b.advises("is not valid; a name has 1 to 128 letters")
			if strings.Contains(b.stderr.String(), "id:") {
				t.Errorf("%s: %s", args, &b.stderr)
			}
		}
	})
	for name, args := range map[string][]string{
		"without a version":             {"--service", "checkout"},
		"with a step that is none":      {"--service", "checkout", "--version", "1", "--step", "begun"},
		"with a strategy that is none":  {"--service", "checkout", "--version", "1", "--strategy", "big-bang"},
		"a toggle without its flag":     {"--service", "checkout", "--version", "1", "--strategy", "feature-toggle"},
		"with a name that is none":      {"--service", "check out; rm -rf /", "--version", "1"},
		"reversible that is no boolean": {"--service", "checkout", "--version", "1", "--reversible", "perhaps"},
	} {
		t.Run(name+" it is an error of usage and nothing is sent", func(t *testing.T) {
			b := newBench(t)
			b.expect(exitUsage, append([]string{"announce"}, args...)...)
			if len(b.announced)+len(b.dialed) != 0 {
				t.Error("sent nevertheless")
			}
		})
	}
}
