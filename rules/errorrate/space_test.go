package errorrate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/errorrate"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
)

// where asks a rule which instances a breach meets, two minutes after the deployment.
func where(t *testing.T, server *promtest.Server, rule rules.Rule, d rules.Deployment) (rules.Space, bool) {
	t.Helper()
	spatial := spatialOf(rule, d)
	queries := spatial.Instances(d, rules.Duration(2*time.Minute))
	if len(queries) == 0 {
		return rules.Space{}, false
	}
	got, err := spatial.ReadInstances(server.Ask(t, promtest.At(120), queries))
	if err != nil {
		t.Fatal(err)
	}
	return got, true
}

// spatialOf returns what can say where: of a comparison the evidence, of a plain limit the rule.
func spatialOf(rule rules.Rule, d rules.Deployment) rules.Spatial {
	if spatial, is := rule.Begin(d).(rules.Spatial); is {
		return spatial
	}
	return rule.(rules.Spatial)
}

func said(s rules.Space) string {
	var parts []string
	for _, i := range s.New {
		parts = append(parts, fmt.Sprintf("new %s %v/%v", i.Name, i.Bad, i.Total))
	}
	for _, i := range s.Rest {
		parts = append(parts, fmt.Sprintf("rest %s %v/%v", i.Name, i.Bad, i.Total))
	}
	return strings.Join(parts, ", ")
}

// serve stores two minutes of an instance that was there before, and whose counters
// stand at 1000 at the deployment. The labels hold what tells versions apart.
func serve(t *testing.T, server *promtest.Server, labels string, good, bad float64) {
	t.Helper()
	for code, count := range map[string]float64{"200": good, "500": bad} {
		series := fmt.Sprintf(`http_requests_total{%s,code=%q}`, labels, code)
		server.Add(t, series, promtest.Sample{Second: -10, Value: 1000}, promtest.Sample{Second: 50, Value: 1000 + count/2}, promtest.Sample{Second: 110, Value: 1000 + count})
	}
}

// born stores an instance that was born with the deployment: it counts from zero.
func born(t *testing.T, server *promtest.Server, labels string, good, bad float64) {
	t.Helper()
	for code, count := range map[string]float64{"200": good, "500": bad} {
		if count > 0 {
			server.Add(t, fmt.Sprintf(`http_requests_total{%s,code=%q}`, labels, code), promtest.Sample{Second: 50, Value: count / 2}, promtest.Sample{Second: 110, Value: count})
		}
	}
}

func TestBadRequestsAreCountedByInstanceOnBothSidesOfTheVersionsBorder(t *testing.T) {
	d := rules.Deployment{Service: "checkout", Version: "2", Previous: "1", Slot: "green", At: promtest.Start}
	for name, test := range map[string]struct {
		selected rules.Select
		change   func(*errorrate.Options, *rules.Deployment)
		fill     func(*testing.T, *promtest.Server)
		want     string // empty: it cannot be told
	}{
		"by label": {
			selected: rules.Select{Version: "v"},
			fill: func(t *testing.T, s *promtest.Server) {
				born(t, s, `instance="a",v="2"`, 90, 10)
				born(t, s, `instance="b",v="2"`, 80, 20)
				serve(t, s, `instance="c",v="1"`, 200, 4)
				serve(t, s, `instance="d",v="0"`, 100, 0)
			},
			want: "new a 10/100, new b 20/100, rest c 4/204, rest d 0/100",
		},
		"an instance that was not scraped any more has no traffic": {
			selected: rules.Select{Version: "v"},
			fill: func(t *testing.T, s *promtest.Server) {
				born(t, s, `instance="a",v="2"`, 90, 10)
				s.Add(t, `http_requests_total{instance="a",v="1",code="200"}`, promtest.Sample{Second: -10, Value: 1000}, promtest.Sample{Second: 5, Value: promtest.Stale})
			},
			want: "new a 10/100, rest a 0/0",
		},
		"by a joined metric": {
			selected: rules.Select{Join: &rules.Join{Metric: "target_info", On: []string{"instance"}, Label: "v"}},
			fill: func(t *testing.T, s *promtest.Server) {
				for instance, version := range map[string]string{"a": "2", "c": "1"} {
					s.Add(t, fmt.Sprintf(`target_info{instance=%q,v=%q}`, instance, version), promtest.Sample{Second: 50, Value: 1}, promtest.Sample{Second: 110, Value: 1})
				}
				born(t, s, `instance="a"`, 90, 10)
				serve(t, s, `instance="c"`, 200, 4)
			},
			want: "new a 10/100, rest c 4/204",
		},
		"by slot": {
			selected: rules.Select{Slots: map[string]map[string]string{"blue": {"slot": "b"}, "green": {"slot": "g"}}},
			fill: func(t *testing.T, s *promtest.Server) {
				serve(t, s, `instance="a",slot="g"`, 90, 10)
				serve(t, s, `instance="c",slot="b"`, 200, 4)
			},
			want: "new a 10/100, rest c 4/204",
		},
		"not by slot where the selector names it": {
			selected: rules.Select{Slots: map[string]map[string]string{"blue": {"slot": "b"}, "green": {"slot": "g"}}},
			change:   func(o *errorrate.Options, _ *rules.Deployment) { o.Requests = `http_requests_total{slot="g"}` },
		},
		"not where the event names no slot": {
			selected: rules.Select{Slots: map[string]map[string]string{"blue": {"slot": "b"}, "green": {"slot": "g"}}},
			change:   func(_ *errorrate.Options, d *rules.Deployment) { d.Slot = "" },
		},
		"not where versions cannot be told apart": {},
		"not where the selector names the version": {
			selected: rules.Select{Version: "v"},
			change: func(o *errorrate.Options, _ *rules.Deployment) {
				o.Errors = `http_requests_total{v="$version",code=~"5.."}`
			},
		},
		"not between cohorts": {
			selected: rules.Select{Version: "v"},
			change:   func(_ *errorrate.Options, d *rules.Deployment) { d.Strategy = rules.FeatureToggle },
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, setting, o, d := promtest.New(t), promtest.Setting("5xx"), options(), d
			setting.Select = test.selected
			if test.change != nil {
				test.change(o, &d)
			}
			if test.fill != nil {
				test.fill(t, server)
			}
			for _, judge := range []string{"", "threshold"} {
				setting.Judge = judge
				got, told := where(t, server, promtest.Build(t, o, setting), d)
				if told != (test.want != "") || said(got) != test.want {
					t.Errorf("judge %q: got %q, want %q", judge, said(got), test.want)
				}
			}
		})
	}
}

func TestAFailedQuestionAboutInstancesIsNotAnEmptyAnswer(t *testing.T) {
	setting := promtest.Setting("5xx")
	setting.Select.Version = "v"
	rule := spatialOf(promtest.Build(t, options(), setting), rules.Deployment{Version: "2"})
	for name, got := range map[string][]rules.Result{
		"an error":  {{}, {}, {}, {Err: rules.Failed(rules.TimedOut, "slow")}},
		"too few":   {{}, {}},
		"no number": {{}, {Samples: []rules.Sample{{Value: promtest.Stale}}}, {}, {}},
	} {
		t.Run(name, func(t *testing.T) {
			if space, err := rule.ReadInstances(got); err == nil {
				t.Errorf("got %v", space)
			}
		})
	}
}
