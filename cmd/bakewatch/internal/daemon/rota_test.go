package daemon

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/rules"
)

// exchange is what the rota asks: who is on call in every schedule, or why that cannot be said.
type exchange struct {
	mu     sync.Mutex
	people []pagerduty.OnCall
	err    error
	plans  []rules.Plan
	asked  []string // schedules, in order
	last   time.Time
}

func (e *exchange) rota(directory authority.Directory) *rota {
	r := newRota(&Daemon{metrics: newMetrics("test"), cfg: Config{Log: slog.New(slog.DiscardHandler)}})
	r.ask = func(_ context.Context, schedule string) ([]pagerduty.OnCall, error) {
		e.mu.Lock()
		defer e.mu.Unlock()
		e.asked, e.last = append(e.asked, schedule), time.Now()
		return e.people, e.err
	}
	r.plans = func() []rules.Plan {
		e.mu.Lock()
		defer e.mu.Unlock()
		return e.plans
	}
	r.directory = func() authority.Directory { return directory }
	return r
}

// times is how often it was asked, and when last.
func (e *exchange) times() (n int, last time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return len(e.asked), e.last
}

func (e *exchange) count() int { n, _ := e.times(); return n }

// names puts other plans into force.
func (e *exchange) names(plans []rules.Plan) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.plans = plans
}

// fails lets it fail from now on, or answer again.
func (e *exchange) fails(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.err = err
}

func scheduled(schedule string) rules.Plan {
	return rules.Plan{Schedules: map[string]string{"duty": schedule}, Groups: map[string][]string{"duty": {"ben"}}}
}

var zoe = pagerduty.OnCall{ID: "PZOE123", Name: "Zoe", Email: "zoe@example.com"}

// running runs the rota under fake time while the test plays.
func running(t *testing.T, e *exchange, play func(t *testing.T, r *rota)) {
	synctest.Test(t, func(t *testing.T) {
		r := e.rota(authority.Directory{People: map[string]authority.Person{"zoe": {PagerDuty: zoe.ID}}})
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- r.run(ctx) }()
		r.first(ctx)
		play(t, r)
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// pass lets time pass.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// measured is what the rota's metric says of every schedule.
func measured(t *testing.T, r *rota) map[string]float64 {
	t.Helper()
	families, err := r.metrics.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			if family.GetName() == "bakewatch_schedule_failing" {
				said[metric.GetLabel()[0].GetValue()] = metric.GetGauge().GetValue()
			}
		}
	}
	return said
}

func TestAMetricSaysWhichSchedulesCannotBeAsked(t *testing.T) {
	e := &exchange{people: []pagerduty.OnCall{zoe}, plans: []rules.Plan{scheduled("pagerduty:PA")}}
	expect := func(t *testing.T, r *rota, when string, want map[string]float64) {
		t.Helper()
		if got := measured(t, r); !maps.Equal(got, want) {
			t.Errorf("%s: %v, want %v", when, got, want)
		}
	}
	running(t, e, func(t *testing.T, r *rota) {
		expect(t, r, "it answers", map[string]float64{"pagerduty:PA": 0})
		e.fails(errors.New("status 500"))
		pass(2 * time.Minute)
		expect(t, r, "it fails", map[string]float64{"pagerduty:PA": 1})
		e.fails(nil)
		pass(2 * time.Minute)
		expect(t, r, "it answers again", map[string]float64{"pagerduty:PA": 0})
		e.names(nil)
		pass(2 * forgetAfter)
		expect(t, r, "nobody names it any more", map[string]float64{})
	})
}

func TestSchedulesAreAskedAboutEveryMinute(t *testing.T) {
	e := &exchange{people: []pagerduty.OnCall{zoe}, plans: []rules.Plan{scheduled("pagerduty:PA"), scheduled("pagerduty:PA"), {}}}
	running(t, e, func(t *testing.T, r *rota) {
		if got := r.of(e.plans[0], time.Now()); !slices.Equal(got.Groups["duty"], []string{"zoe"}) || len(got.StandIns) > 0 {
			t.Fatalf("%+v", got)
		}
		pass(10 * time.Minute)
		if n := e.count(); n < 9 || n > 13 {
			t.Errorf("asked %d times in 10 minutes", n)
		}
	})
}

func TestWhenAScheduleDoesNotAnswerForFiveMinutesNobodyKnowsWhoIsOnCall(t *testing.T) {
	e := &exchange{people: []pagerduty.OnCall{zoe}, plans: []rules.Plan{scheduled("pagerduty:PA")}}
	running(t, e, func(t *testing.T, r *rota) {
		e.fails(errors.New("500: Internal\nServer Error"))
		_, good := e.times()
		pass(time.Until(good.Add(5 * time.Minute)))
		if got := r.of(e.plans[0], time.Now()); !slices.Equal(got.Groups["duty"], []string{"zoe"}) {
			t.Errorf("after just five minutes: %+v", got)
		}
		if n := e.count(); n < 6 || n > 20 {
			t.Errorf("asked %d times in 5 minutes of failure", n)
		}
		pass(time.Second)
		got := r.of(e.plans[0], time.Now())
		if why := got.StandIns["duty"]; len(got.Groups) > 0 || why != "pagerduty:PA was last known at "+good.UTC().Format("15:04 MST")+": 500: Internal Server Error" {
			t.Errorf("after more than five minutes: %+v", got)
		}
		e.fails(nil)
		pass(2 * time.Minute)
		if got := r.of(e.plans[0], time.Now()); !slices.Equal(got.Groups["duty"], []string{"zoe"}) || len(got.StandIns) > 0 {
			t.Errorf("once it answers: %+v", got)
		}
		e.fails(errors.New("500"))
		before := e.count()
		for e.count() == before {
			pass(time.Second)
		}
		before = e.count()
		if pass(30 * time.Second); e.count() < before+2 {
			t.Error("after another failure it is not asked again soon")
		}
	})
}

func TestAScheduleIsNotAskedBeforeItWantsToBe(t *testing.T) {
	e := &exchange{plans: []rules.Plan{scheduled("pagerduty:PA")}, err: &actions.Error{Class: actions.ClassRetryable, After: 3 * time.Minute, Err: errors.New("429")}}
	running(t, e, func(t *testing.T, r *rota) {
		if why := r.of(e.plans[0], time.Now()).StandIns["duty"]; why != "pagerduty:PA could never be asked who is on call: 429" {
			t.Errorf("%q", why)
		}
		pass(3*time.Minute - time.Second)
		if e.count() != 1 {
			t.Errorf("asked %d times", e.count())
		}
		pass(2 * time.Second)
		if e.count() != 2 {
			t.Errorf("asked %d times", e.count())
		}
		r.again() // with another token, perhaps
		synctest.Wait()
		if e.count() != 3 {
			t.Errorf("asked %d times after a reload", e.count())
		}
	})
}

func TestWhoBeginsToActWaitsForTheFirstAnswersButNotForLong(t *testing.T) {
	for takes, waits := range map[time.Duration]time.Duration{0: 0, 3 * time.Second: 3 * time.Second, time.Minute: firstAnswers} {
		synctest.Test(t, func(t *testing.T) {
			e := &exchange{plans: []rules.Plan{scheduled("pagerduty:PA")}}
			r := e.rota(authority.Directory{})
			r.ask = func(ctx context.Context, _ string) ([]pagerduty.OnCall, error) {
				select {
				case <-ctx.Done():
				case <-time.After(takes):
				}
				return nil, ctx.Err()
			}
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			began := time.Now()
			go func() { _ = r.run(ctx) }()
			if r.first(ctx); time.Since(began) != waits {
				t.Errorf("an answer after %s is waited for %s", takes, time.Since(began))
			}
		})
	}
}

func TestAScheduleThatOnlyAnOpenWatchNamesIsAskedForAsLongAsItIsOpen(t *testing.T) {
	e := &exchange{people: []pagerduty.OnCall{zoe}}
	old := scheduled("pagerduty:POLD")
	running(t, e, func(t *testing.T, r *rota) {
		if why := r.of(old, time.Now()).StandIns["duty"]; why != "pagerduty:POLD has not been asked yet who is on call" {
			t.Errorf("%q", why)
		}
		synctest.Wait()
		if got := r.of(old, time.Now()); !slices.Equal(got.Groups["duty"], []string{"zoe"}) {
			t.Errorf("it was not asked at once: %+v", got)
		}
		pass(20 * time.Minute)
		_, last := e.times()
		if silent := time.Since(last); silent < 8*time.Minute || silent > 12*time.Minute {
			t.Errorf("asked last %s ago", silent)
		}
	})
}

func TestPeopleOnCallGoByTheirNamesInTheDaemonsFile(t *testing.T) {
	stranger := pagerduty.OnCall{ID: "PSTR123", Name: "Max\nM.", Email: ""}
	mailed := pagerduty.OnCall{ID: "PMAIL12", Name: "Kim", Email: "kim@example.com"}
	persons := map[string]authority.Person{"zoe": {PagerDuty: zoe.ID}}
	for name, c := range map[string]struct {
		believe bool
		onCall  []pagerduty.OnCall
		want    string
		why     string
	}{
		"a person":                              {true, []pagerduty.OnCall{zoe}, "zoe", ""},
		"others by e-mail, or else name":        {true, []pagerduty.OnCall{zoe, stranger, mailed}, "Max M.,kim@example.com,zoe", ""},
		"others not where votes must be signed": {false, []pagerduty.OnCall{zoe, stranger, mailed}, "zoe", ""},
		"nobody who could vote": {
			false,
			[]pagerduty.OnCall{stranger, mailed},
			"",
			"Max M. (PSTR123), kim@example.com (PMAIL12) is on call in pagerduty:PA, and could not prove to be that: there is no [person.NAME] with the pagerduty id",
		},
		"nobody": {true, nil, "", "nobody is on call in pagerduty:PA"},
	} {
		t.Run(name, func(t *testing.T) {
			e := &exchange{people: c.onCall, plans: []rules.Plan{scheduled("pagerduty:PA")}}
			r := e.rota(authority.Directory{People: persons, Believe: c.believe})
			r.round(t.Context())
			got := r.of(e.plans[0], time.Now())
			if people := strings.Join(got.Groups["duty"], ","); people != c.want || got.StandIns["duty"] != c.why {
				t.Errorf("on call %q, stood in for since %q", people, got.StandIns["duty"])
			}
		})
	}
}
