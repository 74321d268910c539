package feedback_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/feedback"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
)

func complaints() *feedback.Options {
	return &feedback.Options{Complaints: "tickets_total", Per: "sessions_total", Max: quantity.Must("0.5%")}
}

func rating() *feedback.Options {
	return &feedback.Options{Rating: `avg(stars{v="$version"})`, Min: quantity.Must("4.2")}
}

func TestComplaintsAreAShareOfSessions(t *testing.T) {
	for name, test := range map[string]struct {
		fill func(*testing.T, *promtest.Server)
		want rules.Verdict
		why  string
	}{
		"few complaints": {
			func(t *testing.T, s *promtest.Server) {
				born(t, s, `tickets_total{v="2"}`, 5)
				born(t, s, `sessions_total{v="2"}`, 1000)
			}, rules.Healthy, "complaints 0.5 % (5 of 1000) ≤ limit 0.5 %",
		},
		"many complaints": {
			func(t *testing.T, s *promtest.Server) {
				born(t, s, `tickets_total{v="2"}`, 6)
				born(t, s, `sessions_total{v="2"}`, 1000)
			}, rules.Breached, "complaints 0.6 % (6 of 1000) > limit 0.5 %",
		},
		"nobody has complained yet": {
			func(t *testing.T, s *promtest.Server) { born(t, s, `sessions_total{v="2"}`, 1000) },
			rules.Healthy, "complaints 0 % (0 of 1000)",
		},
		"too few sessions for one complaint to be too many": {
			func(t *testing.T, s *promtest.Server) {
				born(t, s, `tickets_total{v="2"}`, 1)
				born(t, s, `sessions_total{v="2"}`, 199)
			}, rules.LowTraffic, "199 sessions in 15s, fewer than min_sessions 200",
		},
		"complaints without sessions are no data": {
			func(t *testing.T, s *promtest.Server) { born(t, s, `tickets_total{v="2"}`, 60) },
			rules.NoData, "no series of sessions",
		},
		"those of another version are not its own": {
			func(t *testing.T, s *promtest.Server) {
				born(t, s, `tickets_total{v="1"}`, 60)
				born(t, s, `sessions_total{v="2"}`, 1000)
			}, rules.Healthy, "(0 of 1000)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, setting := promtest.New(t), promtest.Setting("feedback")
			setting.Select.Version, setting.Judge = "v", "threshold"
			test.fill(t, server)
			if got := server.Watch(t, promtest.Build(t, complaints(), setting), 1)[0]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

// born stores a counter that is born between the deployment and the first look.
func born(t *testing.T, server *promtest.Server, series string, value float64) {
	t.Helper()
	server.Add(t, series, promtest.Sample{Second: 11, Value: value})
}

func TestARatingIsHeldAgainstTheLowest(t *testing.T) {
	for name, test := range map[string]struct {
		expr, lowest string
		want         rules.Verdict
		why          string
	}{
		"good enough":             {`avg(stars{v="$version"})`, "4", rules.Healthy, "rating 4 ≥ limit 4"},
		"too low":                 {`avg(stars{v="$version"})`, "4.2", rules.Breached, "rating 4 < limit 4.2"},
		"as a share":              {`avg(stars{v="$version"}) / 5`, "90%", rules.Breached, "rating 80 % < limit 90 %"},
		"below zero, as some are": {`-avg(stars{v="$version"})`, "-5", rules.Healthy, "rating -4 ≥ limit -5"},
		"nobody has rated it":     {`avg(stars{v="none"})`, "4", rules.NoData, "gives nothing"},
		"ratings of nobody":       {`sum(stars * 0) / sum(stars * 0)`, "4", rules.NoData, "NaN"},
		"several ratings":         {`stars`, "4", rules.Blind, "differ in user, v"},
		"no previous version":     {`avg(stars{v="$previous"})`, "4", rules.NoData, "no previous version"},
		"over the plan's window":  {`avg(avg_over_time(stars{v="$version"}[$window]))`, "4", rules.Healthy, "rating 4"},
	} {
		t.Run(name, func(t *testing.T) {
			server := promtest.New(t)
			server.Gauge(t, `stars{v="2",user="a"}`, 1, 3)
			server.Gauge(t, `stars{v="2",user="b"}`, 1, 5)
			server.Gauge(t, `stars{v="1",user="c"}`, 1, 1)
			rule := promtest.Build(t, &feedback.Options{Rating: test.expr, Min: quantity.Must(test.lowest)}, promtest.Setting("feedback"))
			if got := server.Watch(t, rule, 1)[0]; got.Verdict != test.want || !strings.Contains(got.Why, test.why) {
				t.Errorf("%v, %q; want %v, %q", got.Verdict, got.Why, test.want, test.why)
			}
		})
	}
}

func TestOnlyARatingReachesBack(t *testing.T) {
	window := promtest.Setting("").Window
	for expr, want := range map[string]rules.Duration{"": 0, "stars": 0, "avg_over_time(stars[$window])": window} {
		if got := (&feedback.Options{Rating: expr}).ReachesBack(window); got != want {
			t.Errorf("%q: %s, want %s", expr, got, want)
		}
	}
}

// Without judge = "threshold" a breach is proved, by the wealth of a test.
func TestComplaintsAreProvedToBeTooMany(t *testing.T) {
	for complained, want := range map[float64]bool{1: false, 50: true} {
		server, setting := promtest.New(t), promtest.Setting("feedback")
		setting.Select.Version, setting.CompareTo, setting.Bake = "v", []rules.Control{}, rules.Duration(30*time.Minute)
		for look := 1; look <= 20; look++ {
			server.Add(t, `tickets_total{v="2"}`, promtest.Sample{Second: float64(15*look) - 4, Value: complained * float64(look)})
			server.Add(t, `sessions_total{v="2"}`, promtest.Sample{Second: float64(15*look) - 4, Value: 1000 * float64(look)})
		}
		got := server.Watch(t, promtest.Build(t, complaints(), setting), 20)[19]
		if got.Test == nil || got.Total != 20_000 || (got.Test.Wealth >= rules.Threshold(0)) != want {
			t.Errorf("%v complaints: %+v, %v of %v, %s", complained, got.Test, got.Bad, got.Total, got.Why)
		}
	}
}

func TestASettingThatDoesNotFitIsRefused(t *testing.T) {
	for name, test := range map[string]struct {
		options *feedback.Options
		change  func(*feedback.Options, *rules.Setting)
		key     string
	}{
		"complaints may only be compared":       {complaints(), func(o *feedback.Options, _ *rules.Setting) { o.Max = quantity.Quantity{} }, ""},
		"but a threshold needs a limit":         {complaints(), func(o *feedback.Options, s *rules.Setting) { o.Max, s.Judge = quantity.Quantity{}, "threshold" }, "max"},
		"a test needs no fewest sessions":       {complaints(), func(o *feedback.Options, _ *rules.Setting) { o.MinSessions = 5 }, "min_sessions"},
		"a rating is compared with nothing":     {rating(), func(_ *feedback.Options, s *rules.Setting) { s.CompareTo = []rules.Control{rules.Before} }, "rating"},
		"and by no margin":                      {rating(), func(_ *feedback.Options, s *rules.Setting) { s.WorseBy = rules.Margin{Factor: 2} }, "rating"},
		"a rating stands by itself":             {rating(), func(*feedback.Options, *rules.Setting) {}, ""},
		"a rating may be called a threshold":    {rating(), func(_ *feedback.Options, s *rules.Setting) { s.Judge = "threshold" }, ""},
		"a rating is for as long as it is said": {rating(), func(_ *feedback.Options, s *rules.Setting) { s.For = rules.Duration(time.Minute) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			setting := promtest.Setting("feedback")
			setting.Select.Version = "v"
			test.change(test.options, &setting)
			if err := test.options.Check(); err != nil {
				t.Fatal(err)
			}
			_, err := test.options.Rule(setting)
			blamed, ok := errors.AsType[*rules.FieldError](err)
			if test.key == "" && err != nil || test.key != "" && (!ok || blamed.Key != test.key) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		options *feedback.Options
		change  func(*feedback.Options)
		key     string
	}{
		"neither of the two":        {&feedback.Options{Max: quantity.Must("1%")}, nil, "complaints"},
		"both of them":              {complaints(), func(o *feedback.Options) { o.Rating = "stars" }, "rating"},
		"complaints of nothing":     {complaints(), func(o *feedback.Options) { o.Per = "" }, "per"},
		"complaints as a rate":      {complaints(), func(o *feedback.Options) { o.Complaints = "rate(x[5m])" }, "complaints"},
		"all may complain":          {complaints(), func(o *feedback.Options) { o.Max = quantity.Must("100%") }, "max"},
		"complaints with a min":     {complaints(), func(o *feedback.Options) { o.Min = quantity.Must("4") }, "min"},
		"fewer sessions than none":  {complaints(), func(o *feedback.Options) { o.MinSessions = -1 }, "min_sessions"},
		"a rating without limit":    {rating(), func(o *feedback.Options) { o.Min = quantity.Quantity{} }, "min"},
		"a rating in seconds":       {rating(), func(o *feedback.Options) { o.Min = quantity.Must("4s") }, "min"},
		"a rating with a max":       {rating(), func(o *feedback.Options) { o.Max = quantity.Must("1%") }, "max"},
		"a rating of sessions":      {rating(), func(o *feedback.Options) { o.Per = "x" }, "per"},
		"a rating of few sessions":  {rating(), func(o *feedback.Options) { o.MinSessions = 5 }, "min_sessions"},
		"a rating that is no query": {rating(), func(o *feedback.Options) { o.Rating = "avg(" }, "rating"},
		"a rating that filters":     {rating(), func(o *feedback.Options) { o.Rating = "stars > 3" }, "rating"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.change != nil {
				test.change(test.options)
			}
			if blamed, ok := errors.AsType[*rules.FieldError](test.options.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", test.options.Check())
			}
		})
	}
}

// The look after a deployment between two looks began before it: its counts are the
// version's own only where versions are told apart.
func TestTheFirstLookCountsWhereVersionsAreToldApart(t *testing.T) {
	for label, want := range map[string]rules.Verdict{"v": rules.Breached, "": rules.Inconclusive} {
		server, setting := promtest.New(t), promtest.Setting("feedback")
		setting.Select.Version, setting.Judge = label, "threshold"
		server.Add(t, `sessions_total{v="2"}`, promtest.Sample{Second: 11, Value: 1000})
		server.Add(t, `tickets_total{v="2"}`, promtest.Sample{Second: 11, Value: 100})
		rule := promtest.Build(t, complaints(), setting)
		d := rules.Deployment{Version: "2", At: promtest.At(7)}
		if got := rule.Begin(d).See(promtest.At(15), server.Ask(t, promtest.At(15), rule.Queries(d))); got.Verdict != want {
			t.Errorf("label %q: %v, %s", label, got.Verdict, got.Why)
		}
	}
}

func TestComplaintsAreCountedByInstanceOnBothSidesOfTheVersionsBorder(t *testing.T) {
	server, setting := promtest.New(t), promtest.Setting("feedback")
	setting.Select.Version = "v"
	for _, v := range []string{"1", "2"} {
		born(t, server, `tickets_total{v="`+v+`",instance="shop-`+v+`"}`, 6)
		born(t, server, `sessions_total{v="`+v+`",instance="shop-`+v+`"}`, 1000)
	}
	d := rules.Deployment{Service: "shop", Version: "2", Previous: "1", At: promtest.Start}
	spatial, is := promtest.Build(t, complaints(), setting).Begin(d).(rules.Spatial)
	if !is {
		t.Fatal("nothing can say where")
	}
	space, err := spatial.ReadInstances(server.Ask(t, promtest.At(15), spatial.Instances(d, setting.Interval)))
	want := rules.Space{New: []rules.Instance{{Name: "shop-2", Bad: 6, Total: 1000}}, Rest: []rules.Instance{{Name: "shop-1", Bad: 6, Total: 1000}}}
	if err != nil || !reflect.DeepEqual(space, want) {
		t.Errorf("%+v, %v", space, err)
	}
}
