package traffic_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/internal/promtest"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/traffic"
)

func options(t testing.TB) *traffic.Options {
	t.Helper()
	o, ok := traffic.Kind().New().(*traffic.Options)
	if !ok {
		t.Fatal("other options")
	}
	o.Requests, o.Within = "requests_total", rules.Duration(time.Minute)
	return o
}

func byVersion() rules.Setting {
	setting := promtest.Setting("traffic")
	setting.Select.Version = "v"
	setting.Window = rules.Duration(promtest.Interval)
	return setting
}

// grow stores a counter that is there before the deployment and grows by so much at
// each look; by nothing where the steps have come to their end.
func grow(t *testing.T, server *promtest.Server, series string, looks int, steps ...float64) {
	t.Helper()
	value := 0.0
	for i := range looks + 1 {
		if i > 0 && len(steps) > 0 {
			value += steps[min(i, len(steps))-1]
		}
		server.Add(t, series, promtest.Sample{Second: float64(15*i) - 4, Value: value})
	}
}

// The sixth look is 90 s after the deployment, half a minute late.
func TestTheVersionsShareOfTheRequests(t *testing.T) {
	for name, test := range map[string]struct {
		old, new float64 // requests between two looks
		change   func(*traffic.Options)
		want     rules.Verdict
		why      string
	}{
		"it takes all":              {0, 200, nil, rules.Healthy, "share of the requests 100 % (200 in 200 requests) ≥ limit 90 %"},
		"it takes enough":           {20, 180, nil, rules.Healthy, "share of the requests 90 % (180 in 200 requests) ≥ limit 90 %"},
		"it takes too little":       {80, 120, nil, rules.Breached, "share of the requests 60 % (120 in 200 requests) < limit 90 %"},
		"it takes nothing":          {200, 0, nil, rules.Breached, "share of the requests 0 % (0 in 200 requests) < limit 90 %"},
		"nobody takes anything":     {0, 0, nil, rules.LowTraffic, "0 requests in 15s, fewer than min_requests 20"},
		"hardly anybody comes":      {19, 0, nil, rules.LowTraffic, "19 requests in 15s, fewer than min_requests 20"},
		"a canary takes what it is": {9550, 450, canary, rules.Healthy, "4.5 % (450 in 10000 requests) ≥ limit 4.5 %; 5% is planned"},
		"a canary takes too little": {9551, 449, canary, rules.Breached, "4.49 % (449 in 10000 requests) < limit 4.5 %; 5% is planned"},
		"a canary of too few requests, which chance alone could keep away": {
			950, 40, func(o *traffic.Options) { canary(o); o.MinRequests = 0 }, rules.LowTraffic, "990 requests in 15s, fewer than min_requests 30400",
		},
	} {
		t.Run(name, func(t *testing.T) {
			server, o := promtest.New(t), options(t)
			if test.change != nil {
				test.change(o)
			}
			grow(t, server, `requests_total{v="1"}`, 6, test.old)
			grow(t, server, `requests_total{v="2",instance="a"}`, 6, test.new/2)
			grow(t, server, `requests_total{v="2",instance="b"}`, 6, test.new/2)
			got := server.Watch(t, promtest.Build(t, o, byVersion()), 6)[5]
			if got.Verdict != test.want || !strings.Contains(got.Why, test.why) || got.Bad != 0 || got.Ceiling != rules.Auto {
				t.Errorf("%v (%v bad, %v), %q; want %v, %q", got.Verdict, got.Bad, got.Ceiling, got.Why, test.want, test.why)
			}
		})
	}
}

func canary(o *traffic.Options) { o.Planned, o.MinRequests = quantity.Must("5%"), 1000 }

func TestAShareThatStillGrowsIsNoBreachUntilItIsDue(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `requests_total{v="1"}`, 6, 100, 80, 50, 50, 50, 0)
	grow(t, server, `requests_total{v="2"}`, 6, 0, 20, 50, 50, 50, 100)
	answers := server.Watch(t, promtest.Build(t, options(t), byVersion()), 6)
	for i, want := range []rules.Verdict{rules.Inconclusive, rules.Inconclusive, rules.Inconclusive, rules.Breached, rules.Breached, rules.Healthy} {
		if answers[i].Verdict != want {
			t.Errorf("look %d: %v, %s", i+1, answers[i].Verdict, answers[i].Why)
		}
	}
	if why := answers[2].Why; !strings.Contains(why, "50 % (50 in 100 requests) < limit 90 %; it may be until 1m after the deployment") {
		t.Error(why)
	}
}

// So that a rollback, whose target is asked the same, need not wait to be verified.
func TestAShareThatIsThereEarlyIsHealthyEarly(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `requests_total{v="2"}`, 1, 100)
	if got := server.Watch(t, promtest.Build(t, options(t), byVersion()), 1)[0]; got.Verdict != rules.Healthy {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestAVersionThatIsNowhereIsAtMostAskedAbout(t *testing.T) {
	server := promtest.New(t)
	grow(t, server, `requests_total{v="v2"}`, 6, 100) // announced as 2
	got := server.Watch(t, promtest.Build(t, options(t), byVersion()), 6)[5]
	if got.Verdict != rules.Breached || got.Ceiling != rules.Ask || !strings.Contains(got.Why, "no series of requests of this version: is the label right?") {
		t.Errorf("%v, at most %v, %s", got.Verdict, got.Ceiling, got.Why)
	}
}

func TestAServiceWithoutARequestCounterIsNoData(t *testing.T) {
	got := promtest.New(t).Watch(t, promtest.Build(t, options(t), byVersion()), 6)[5]
	if got.Verdict != rules.NoData || !strings.Contains(got.Why, "no series of requests") {
		t.Errorf("%v, %s", got.Verdict, got.Why)
	}
}

func TestVersionsMayBeToldApartByJoinOrSlots(t *testing.T) {
	for name, s := range map[string]rules.Select{
		"join":  {Join: &rules.Join{Metric: "target_info", On: []string{"instance"}, Label: "v"}},
		"slots": {Slots: map[string]map[string]string{"blue": {"instance": "a"}, "green": {"instance": "b"}}},
	} {
		t.Run(name, func(t *testing.T) {
			server, setting := promtest.New(t), byVersion()
			setting.Select = s
			grow(t, server, `requests_total{instance="a"}`, 6, 30)
			grow(t, server, `requests_total{instance="b"}`, 6, 70)
			server.Gauge(t, `target_info{instance="a",v="1"}`, 6, 1)
			server.Gauge(t, `target_info{instance="b",v="2"}`, 6, 1)
			rule := promtest.Build(t, options(t), setting)
			d := rules.Deployment{Version: "2", Slot: "green", At: promtest.Start}
			evidence := rule.Begin(d)
			var got rules.Answer
			for look := 1; look <= 6; look++ {
				at := promtest.At(float64(15 * look))
				got = evidence.See(at, server.Ask(t, at, rule.Queries(d)))
			}
			if got.Verdict != rules.Breached || !strings.Contains(got.Why, "70 % (70 in 100 requests)") {
				t.Errorf("%v, %s", got.Verdict, got.Why)
			}
		})
	}
}

func TestASettingThatCannotTellVersionsApartIsRefused(t *testing.T) {
	slots := map[string]map[string]string{"blue": {"pool": "a"}, "green": {"pool": "b"}}
	for name, test := range map[string]struct {
		requests string
		selected rules.Select
		key      string
	}{
		"nothing tells versions apart":         {"x", rules.Select{Match: map[string]string{"job": "j"}}, "select"},
		"the selector opts out of the version": {`x{v=~".*"}`, rules.Select{Version: "v"}, "requests"},
		"the selector opts out of the slots":   {`x{pool="a"}`, rules.Select{Slots: slots}, "requests"},
		"match settles the version":            {"x", rules.Select{Match: map[string]string{"tag": "$version"}, Version: "v"}, "requests"},
	} {
		t.Run(name, func(t *testing.T) {
			o, setting := options(t), byVersion()
			o.Requests, setting.Select = test.requests, test.selected
			if err := o.Check(); err != nil {
				t.Fatal(err)
			}
			_, err := o.Rule(setting)
			if blamed, ok := errors.AsType[*rules.FieldError](err); !ok || blamed.Key != test.key || blamed.Hint == "" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestABakeThatIsOverTooEarlyIsRefused(t *testing.T) {
	minute := rules.Duration(time.Minute)
	for name, test := range map[string]struct {
		within, hold, bake rules.Duration
		refused            bool
	}{
		"judged when it is over": {20 * minute, 0, 20 * minute, true},
		"held when it is over":   {15 * minute, 5 * minute, 20 * minute, true},
		"time enough":            {15 * minute, 4 * minute, 20 * minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			o, setting := options(t), byVersion()
			o.Within, setting.For, setting.Bake = test.within, test.hold, test.bake
			_, err := o.Rule(setting)
			if blamed, ok := errors.AsType[*rules.FieldError](err); ok != test.refused || ok && blamed.Key != "within" {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestOptionsAreChecked(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*traffic.Options)
		key    string
	}{
		"no requests":              {func(o *traffic.Options) { o.Requests = "" }, "requests"},
		"requests that are a rate": {func(o *traffic.Options) { o.Requests = "rate(x[5m])" }, "requests"},
		"requests of one version":  {func(o *traffic.Options) { o.Requests = `x{v="$version"}` }, "requests"},
		"requests of one slot":     {func(o *traffic.Options) { o.Requests = `x{pool="$slot"}` }, "requests"},
		"no plan":                  {func(o *traffic.Options) { o.Planned = quantity.Quantity{} }, "planned"},
		"more than all planned":    {func(o *traffic.Options) { o.Planned = quantity.Must("101%") }, "planned"},
		"a time":                   {func(o *traffic.Options) { o.Min = quantity.Must("90s") }, "min"},
		"nothing":                  {func(o *traffic.Options) { o.Min = quantity.Must("0") }, "min"},
		"percent without its sign": {func(o *traffic.Options) { o.Min = quantity.Must("90") }, "min"},
		"no room for chance":       {func(o *traffic.Options) { o.Min, o.Planned = quantity.Must("100%"), quantity.Must("5%") }, "min"},
		"a time before the start":  {func(o *traffic.Options) { o.Within = -1 }, "within"},
		"fewer requests than none": {func(o *traffic.Options) { o.MinRequests = -1 }, "min_requests"},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			test.change(o)
			if blamed, ok := errors.AsType[*rules.FieldError](o.Check()); !ok || blamed.Key != test.key {
				t.Errorf("got %v", o.Check())
			}
		})
	}
}
