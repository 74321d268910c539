package watcher_test

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
	"github.com/bakewatch/bakewatch/watcher"
)

// look is how often the services of these tests are looked at.
const look = 15 * time.Second

// weather is a sampler over what services have counted: 100 requests a look each, and
// of how many of a thousand of them are bad at a time.
type weather struct {
	scripted
	bad  func(service string, at time.Time) float64
	fail func(q rules.Query, at time.Time) error
}

func newWeather(bad func(service string, at time.Time) float64) *weather {
	w := &weather{bad: bad, fail: func(rules.Query, time.Time) error { return nil }}
	w.world = &world{}
	w.answer = func(at time.Time, q rules.Query) rules.Result {
		if err := w.fail(q, at); err != nil {
			return rules.Result{Err: err}
		}
		return w.counted(at, q)
	}
	return w
}

const requests = 100

// counted answers `errors:1m0s{service="$service"}`, and requests.
func (w *weather) counted(at time.Time, q rules.Query) rules.Result {
	name, _, _ := strings.Cut(q.Template, "{")
	what, length, _ := strings.Cut(name, ":")
	step, err := time.ParseDuration(length)
	if err != nil {
		panic(err)
	}
	sum := 0.0
	for ; step > 0; step, at = step-look, at.Add(-look) {
		if what == "requests" {
			sum += requests
			continue
		}
		sum += drawn(q.Values["service"], at, requests*w.bad(q.Values["service"], at)/1000)
	}
	return value(sum)
}

// drawn rounds a mean up or down, by chance, but always the same for the same instant.
func drawn(service string, at time.Time, mean float64) float64 {
	h := fnv.New64a()
	fmt.Fprint(h, service, at.Unix())
	whole := float64(int(mean))
	if float64(h.Sum64()%10007)/10007 < mean-whole {
		return whole + 1
	}
	return whole
}

// judges builds the plan's rules as the judge of comparisons; they borrow what its stations name.
func judges(p rules.Plan) (built []rules.Rule, err error) {
	for _, spec := range p.Rules {
		rule, err := judging(p, spec)
		if err != nil {
			return nil, err
		}
		var lent []compare.Lent
		for _, s := range spec.Stations {
			theirs, err := judging(p, spec)
			if err != nil {
				return nil, err
			}
			lent = append(lent, compare.Lent{Service: s.Service, Rule: theirs})
		}
		if rule, err = rule.Borrow(lent); err != nil {
			return nil, err
		}
		built = append(built, rule)
	}
	return built, nil
}

func judging(p rules.Plan, spec rules.Spec) (*compare.Rule, error) {
	var limit *float64
	if text := string(spec.Options); text != "" && text != "null" {
		limit = new(float64)
		if err := json.Unmarshal(spec.Options, limit); err != nil {
			return nil, err
		}
	}
	return compare.New(compare.Config{
		Limit:   limit,
		Setting: rules.Setting{Spec: spec, Interval: p.Interval, Source: p.Source, Bake: p.Bake},
		Subject: "errors", Of: "requests",
		Ask: func(arm promql.Arm, step rules.Duration) (queries []rules.Query) {
			for _, what := range []string{"errors", "requests"} {
				queries = append(queries, rules.Query{Source: p.Source, Template: what + ":" + time.Duration(step).String() + `{service="$service"}`, Values: arm.Deployment.Values()})
			}
			return queries
		},
		Read: func(got []rules.Result, _ float64) (threshold.Look, error) {
			if len(got[0].Samples) == 0 || len(got[1].Samples) == 0 {
				return threshold.Look{}, rules.Failed(rules.Empty, "no series")
			}
			return threshold.Look{Bad: got[0].Samples[0].Value, Total: got[1].Samples[0].Value}, nil
		},
	})
}

// compared is a plan whose one rule is compared with what was before, and borrows services.
func compared(borrows ...string) *rules.Plan {
	return plan(func(p *rules.Plan) {
		p.BakeMin = p.Bake
		p.Rules = []rules.Spec{{Name: "errors", Kind: "error-rate", Severity: rules.Critical, Mode: rules.Enforce, Window: minutes(5)}}
		for _, service := range borrows {
			p.Rules[0].Stations = append(p.Rules[0].Stations, rules.Station{Service: service})
		}
	})
}

// under stages a scene in which every service has the plan, save that only checkout borrows.
func under(t *testing.T, w *weather, p *rules.Plan, play func(s *scene)) {
	t.Helper()
	stageWith(t, &scene{world: w.world, plan: p, config: func(c *watcher.Config) {
		c.Sampler, c.Build = w, judges
		c.PlanFor = func(d rules.Deployment) *rules.Plan {
			if d.Service == p.Service {
				return p
			}
			other := compared()
			other.Service, other.Bake, other.BakeMin = d.Service, minutes(10), minutes(10)
			return other
		}
	}}, play)
}

// says is what a watch says now, with all its numbers.
func (s *scene) says() string {
	s.t.Helper()
	view, err := s.owners[len(s.owners)-1].Show(s.t.Context(), watcher.Ref{Name: "checkout"})
	if err != nil {
		s.t.Fatal(err)
	}
	text, err := json.Marshal(view.Answers)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// anew ends the process and starts another, which knows nothing but the journal.
func (s *scene) anew(name string) {
	s.t.Helper()
	last := s.owners[len(s.owners)-1]
	last.kill()
	<-last.gone
	s.start(name)
}

// Evidence is rebuilt from Prometheus, and must be what it was.
func TestEvidenceThatWasRebuiltSaysTheSameNumbersAsIfNothingHadHappened(t *testing.T) {
	begun := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC) // of every bubble
	since := func(at time.Time, from, to int) bool {
		return at.After(begun.Add(time.Duration(from)*time.Minute)) && !at.After(begun.Add(time.Duration(to)*time.Minute))
	}
	for name, test := range map[string]struct {
		plan *rules.Plan
		bad  func(service string, at time.Time) float64
	}{
		"a rise that is no proof": {compared(), func(_ string, at time.Time) float64 {
			if since(at, 10, 30) {
				return 17
			}
			return 10
		}},
		"an outage that is shared, after the other service was deployed to": {compared("search"), func(service string, at time.Time) float64 {
			switch {
			case since(at, 19, 26):
				return 200
			case service == "search" && since(at, 5, 13): // its own doing
				return 13
			}
			return 10
		}},
	} {
		t.Run(name, func(t *testing.T) {
			play := func(restarts ...int) (said []string) {
				under(t, newWeather(test.bad), test.plan, func(s *scene) {
					s.deploy("2.4.0")
					for minute := range 28 {
						if minute == 4 {
							s.deploy("7.0.0", func(d *rules.Deployment) { d.Service = "search" })
						}
						for _, at := range restarts {
							if at == minute {
								s.anew(fmt.Sprint("after ", minute))
							}
						}
						s.wait(time.Minute)
						said = append(said, s.says())
					}
				})
				return said
			}
			live := play()
			if distinct := len(live); distinct != 28 || live[27] == live[10] {
				t.Fatalf("the watch says nothing: %s", live[27])
			}
			for _, restarts := range [][]int{{3}, {12}, {17}, {22}, {12, 17, 22, 27}} {
				for minute, said := range play(restarts...) {
					if said != live[minute] {
						t.Fatalf("restarted in minutes %v, after minute %d it says\n%s\nwant\n%s", restarts, minute, said, live[minute])
					}
				}
			}
		})
	}
}
