package compare_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/compare"
)

// skies is checkout, and the service that it borrows.
type skies struct {
	checkout, search *service
	limit            *float64
	previous         string
	bad              []rules.Span // of search
}

func newSkies() *skies {
	return &skies{checkout: newService(0.002, 300), search: newService(0.001, 400)}
}

// of answers for the service that a query is about.
func (s *skies) of(q rules.Query, at time.Time) counts {
	if q.Values["service"] == "search" {
		return s.search.past(at)
	}
	return s.checkout.past(at)
}

// begin begins evidence that borrows search, and knows its past.
func (s *skies) begin(t *testing.T) rules.Historical {
	t.Helper()
	own := config()
	own.Limit = s.limit
	rule, err := compare.New(own)
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := compare.New(config())
	if err != nil {
		t.Fatal(err)
	}
	borrowing, err := rule.Borrow([]compare.Lent{{Service: "search", Rule: theirs}})
	if err != nil {
		t.Fatal(err)
	}
	d := deployment()
	d.Previous = s.previous
	e := borrowing.Begin(d).(rules.Historical)
	e.(rules.Borrower).Tell("search", rules.Deployments{Bad: s.bad})
	return s.learn(t, e)
}

func (s *skies) learn(t *testing.T, e rules.Historical) rules.Historical {
	t.Helper()
	for range 10 {
		want, more := e.Wants()
		if !more {
			return e
		}
		results := make([][]rules.Result, len(want.Queries))
		for at := want.From; !at.After(want.To); at = at.Add(want.Step) {
			c := s.of(want.Queries[0], at)
			if want.Step > interval { // a row of several looks: their sum would take long to draw
				c.bad, c.total = c.bad*float64(want.Step/interval), c.total*float64(want.Step/interval)
			}
			for i, r := range c.results() {
				results[i] = append(results[i], r)
			}
		}
		e.Learn(results, nil)
	}
	t.Fatal("it never knows enough")
	return nil
}

// outage is how many times the usual is bad: twenty minutes of trouble from the tenth on.
func outage(look int) float64 {
	if look >= 40 {
		return 20
	}
	return 1
}

func TestAnOutageThatABorrowedServiceSharesIsNoBreach(t *testing.T) {
	s := newSkies()
	alone := config()
	d := deployment()
	d.Previous = ""
	if _, at := bake(begin(t, alone, d, s.checkout), bakeLooks, func(k int) []counts { return []counts{s.checkout.look(outage(k))} }); at == 0 {
		t.Fatal("without it the outage is no breach")
	}
	answer, at := bake(s.begin(t), bakeLooks, func(k int) []counts { return []counts{s.checkout.look(outage(k)), s.search.look(2 * outage(k))} })
	if at != 0 || answer.AtEnd != rules.Inconclusive || answer.Proved {
		t.Fatalf("after %d looks: %+v", at, answer)
	}
	if w := answer.Weather; len(w) != 1 || w[0].Service != "search" || w[0].Missing != "" || w[0].Rose < 0.03 || w[0].Rose > 0.05 || w[0].Level > 0.0015 || w[0].Total != 20*400 {
		t.Errorf("%+v", w)
	}
	for _, want := range []string{"held back: other services suffer as well; errors of search rose by ", " points in the same minutes: not held against it"} {
		if !strings.Contains(answer.Why, want) {
			t.Errorf("%q is not said: %s", want, answer.Why)
		}
	}
}

func TestWhatIsWorseThanTheWeatherIsABreach(t *testing.T) {
	for name, weather := range map[string]float64{"fair": 1, "bad": 30} {
		s := newSkies()
		answer, at := bake(s.begin(t), bakeLooks, func(int) []counts { return []counts{s.checkout.look(60), s.search.look(weather)} })
		if at == 0 || at > 10 || strings.Contains(answer.Why, "rose by") != (weather > 1) {
			t.Errorf("%s weather, after %d looks: %+v", name, at, answer)
		}
	}
}

func TestInFairWeatherNothingIsSaidOfIt(t *testing.T) {
	s := newSkies()
	answer, at := bake(s.begin(t), bakeLooks, func(int) []counts { return []counts{s.checkout.look(1), s.search.look(1)} })
	if at != 0 || answer.AtEnd != rules.Healthy && answer.Verdict != rules.Healthy || strings.Contains(answer.Why, "search") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	if w := answer.Weather; len(w) != 1 || w[0].Total == 0 || w[0].Rose != 0 {
		t.Errorf("%+v", w)
	}
}

// A service that cannot tell excuses nothing: the rule judges as if nothing were borrowed.
func TestAServiceThatCannotTellDoesNotSpeakAndTheVerdictSaysSo(t *testing.T) {
	rest := func(r rules.Result) []rules.Result { return []rules.Result{r, r} }
	for name, test := range map[string]struct {
		search []rules.Result
		tell   rules.Deployments
		past   counts
		want   string
	}{
		"no series":           {none.results(), rules.Deployments{}, counts{1, 400}, "no series of requests"},
		"no number":           {counts{-5, 400}.results(), rules.Deployments{}, counts{1, 400}, ""},
		"a failed query":      {rest(rules.Result{Err: rules.Failed(rules.TimedOut, "too slow")}), rules.Deployments{}, counts{1, 400}, "too slow"},
		"hardly any requests": {counts{3, 3}.results(), rules.Deployments{}, counts{1, 400}, "too little traffic"},
		"its own deployment":  {counts{200, 400}.results(), rules.Deployments{Watched: []rules.Span{{From: live.Add(-time.Hour), To: live.Add(time.Hour)}}}, counts{1, 400}, "its last deployment has not passed"},
		"no history":          {counts{200, 400}.results(), rules.Deployments{}, none, "no history"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSkies()
			s.search.past = func(time.Time) counts { return test.past }
			e := s.begin(t)
			e.(rules.Borrower).Tell("search", test.tell)
			answer, at := rules.Answer{}, 0
			for k := 0; k < 20 && at == 0; k++ {
				answers := []rules.Answer{e.See(live.Add(time.Duration(k+1)*interval), slices.Concat(s.checkout.look(20).results(), test.search))}
				rules.Combine(answers, 0)
				if answer = answers[0]; answer.Verdict == rules.Breached {
					at = k + 1
				}
			}
			if at == 0 || at > 5 || !strings.Contains(answer.Why, "; search is not borrowed: "+test.want) {
				t.Errorf("after %d looks: %s", at, answer.Why)
			}
			if len(answer.Weather) != 1 || answer.Weather[0].Missing == "" || answer.Weather[0].Rose != 0 || answer.Weather[0].Shares {
				t.Errorf("%+v", answer.Weather)
			}
		})
	}
}

// A service that was bad alone for a while, by its own deployment, speaks again afterwards.
func TestAServiceSpeaksAgainOnceItsDeploymentHasPassed(t *testing.T) {
	s := newSkies()
	e := s.begin(t)
	e.(rules.Borrower).Tell("search", rules.Deployments{Watched: []rules.Span{{From: live, To: live.Add(5 * time.Minute)}}})
	said := []string{}
	for k := range 40 {
		answer := e.See(live.Add(time.Duration(k+1)*interval), slices.Concat(s.checkout.look(1).results(), s.search.look(1).results()))
		if w := answer.Weather; len(said) == 0 || said[len(said)-1] != w[0].Missing {
			said = append(said, w[0].Missing)
		}
	}
	if !slices.Equal(said, []string{"its last deployment has not passed", ""}) {
		t.Errorf("%q", said)
	}
}

func TestServicesThatAreMissedByTheOutageExcuseNothing(t *testing.T) {
	s := newSkies()
	_, at := bake(s.begin(t), bakeLooks, func(k int) []counts { return []counts{s.checkout.look(outage(k)), s.search.look(1)} })
	if at < 41 || at > 46 {
		t.Errorf("after %d looks", at)
	}
}

func TestWhatTheServiceCountedWhileItsOwnVersionsWereBadIsNotNormalThere(t *testing.T) {
	s := newSkies()
	s.bad = []rules.Span{{From: live.Add(-20 * time.Hour), To: live.Add(-time.Hour)}}
	s.search.past = func(at time.Time) counts {
		if s.bad[0].Contains(at) {
			return counts{80, 400}
		}
		return counts{0.4, 400}
	}
	answer, _ := bake(s.begin(t), 1, func(int) []counts { return []counts{s.checkout.look(1), s.search.look(1)} })
	if level := answer.Weather[0].Level; level > 0.002 {
		t.Errorf("the level is %v", level)
	}
}

// The old version serves in the same minutes: it knows better than another service.
func TestWhileAControlOfItsOwnSpeaksNothingIsBorrowed(t *testing.T) {
	s := newSkies()
	s.previous = "1"
	answer, at := bake(s.begin(t), bakeLooks, func(int) []counts { return []counts{s.checkout.look(30), s.checkout.look(1), s.search.look(60)} })
	if at == 0 || at > 5 || answer.Weather != nil || strings.Contains(answer.Why, "search") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	answer, at = bake(s.begin(t), 20, func(int) []counts { return []counts{s.checkout.look(30), none, s.search.look(60)} })
	if at != 0 || len(answer.Weather) != 1 || !strings.Contains(answer.Why, "errors of search rose by") {
		t.Errorf("once it is gone, after %d looks: %+v", at, answer)
	}
}

// A limit is absolute; but who is to blame may be told by the weather.
func TestALimitIsProvedInAnyWeatherAndTheWeatherIsSaidToShareIt(t *testing.T) {
	s := newSkies()
	s.limit = new(0.01)
	answer, at := bake(s.begin(t), bakeLooks, func(int) []counts { return []counts{s.checkout.look(20), s.search.look(40)} })
	if at == 0 || !answer.Weather[0].Shares || !strings.Contains(answer.Why, "only the limit counts: other services suffer as well; errors of search rose by ") {
		t.Errorf("after %d looks: %+v", at, answer)
	}
	if answer, at = bake(s.begin(t), bakeLooks, func(int) []counts { return []counts{s.checkout.look(100), s.search.look(40)} }); at == 0 || answer.Weather[0].Shares {
		t.Errorf("what is proved to be worse than the weather is shared: after %d looks: %+v", at, answer)
	}
	s.limit, s.search.rate = new(0.002), 40_000
	s.search.past = func(time.Time) counts { return counts{40, 40_000} }
	if answer, at = bake(s.begin(t), bakeLooks, func(int) []counts { return []counts{s.checkout.look(16), s.search.look(11)} }); at == 0 || answer.Weather[0].Rose == 0 || answer.Weather[0].Shares {
		t.Errorf("what is three times the rise elsewhere is shared: after %d looks: %+v", at, answer)
	}
}

func TestSeveralServicesAreNamedEachWithItsRise(t *testing.T) {
	s := newSkies()
	rule, err := compare.New(config())
	if err != nil {
		t.Fatal(err)
	}
	lent := []compare.Lent{{Service: "cart", Missing: "there is no plan of it"}, {Service: "search", Rule: rule}, {Service: "mail", Rule: rule}}
	borrowing, err := rule.Borrow(lent)
	if err != nil {
		t.Fatal(err)
	}
	d := deployment()
	d.Previous = ""
	e := s.learn(t, borrowing.Begin(d).(rules.Historical))
	answer, _ := bake(e, 20, func(int) []counts { return []counts{s.checkout.look(10), s.search.look(20), s.checkout.look(10)} })
	if !strings.Contains(answer.Why, "errors of search rose by ") || !strings.Contains(answer.Why, " points, errors of mail rose by ") || !strings.Contains(answer.Why, "; cart is not borrowed: there is no plan of it") {
		t.Errorf("%s", answer.Why)
	}
	if got := fmt.Sprint(e.(rules.Borrower).Borrows()); got != "[cart search mail]" {
		t.Errorf("borrows %s", got)
	}
}

func TestOnlyWhatIsBorrowedIsOptionalToAsk(t *testing.T) {
	rule, err := compare.New(config())
	if err != nil {
		t.Fatal(err)
	}
	borrowing, err := rule.Borrow([]compare.Lent{{Service: "search", Rule: rule}})
	if err != nil {
		t.Fatal(err)
	}
	for i, q := range borrowing.Queries(deployment()) {
		if q.Optional != (q.Values["service"] == "search") || q.Optional != (i >= 4) {
			t.Errorf("query %d: %+v", i, q)
		}
	}
	e := borrowing.Begin(deployment()).(rules.Historical)
	var optional []bool
	for want, more := e.Wants(); more; want, more = e.Wants() {
		optional = append(optional, want.Optional())
		results := make([][]rules.Result, len(want.Queries))
		for i, r := range (counts{1, 300}).results() {
			results[i] = slices.Repeat([]rules.Result{r}, want.Instants())
		}
		e.Learn(results, nil)
	}
	if got := fmt.Sprint(optional); got != "[false false true true]" {
		t.Errorf("optional: %s", got)
	}
}

func TestAHistoryThatCannotBeReadIsNotAskedForAgain(t *testing.T) {
	rule, err := compare.New(config())
	if err != nil {
		t.Fatal(err)
	}
	borrowing, err := rule.Borrow([]compare.Lent{{Service: "search", Rule: rule}})
	if err != nil {
		t.Fatal(err)
	}
	e := borrowing.Begin(deployment()).(rules.Historical)
	asked := 0
	for want, more := e.Wants(); more && asked < 20; want, more = e.Wants() {
		results := make([][]rules.Result, len(want.Queries))
		for i, r := range (counts{1, 300}).results() {
			if want.Optional() {
				asked++
				r = rules.Result{Err: rules.Failed(rules.TimedOut, "too slow")}
			}
			results[i] = slices.Repeat([]rules.Result{r}, want.Instants())
		}
		e.Learn(results, nil)
	}
	answer := e.See(live.Add(interval), slices.Concat(counts{1, 300}.results(), none.results(), counts{1, 300}.results()))
	if asked != 2 || !strings.Contains(answer.Why, "search is not borrowed: reading its history: too slow") {
		t.Errorf("asked %d queries: %s", asked, answer.Why)
	}
}

func TestWhatIsWantedCannotBeBorrowed(t *testing.T) {
	c := config()
	c.Fewer = true
	rule, err := compare.New(c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rule.Borrow([]compare.Lent{{Service: "search", Rule: rule}}); err == nil {
		t.Error("it borrows")
	}
}

// Counters that come back after hours are not taken for an outage.
func TestTheFirstDataOfAServiceAfterAGapSaysNothing(t *testing.T) {
	s := newSkies()
	e := s.begin(t)
	var rose []int
	for k := range 8 {
		search := none
		if k >= 4 {
			search = s.search.look(1)
		}
		if k == 4 {
			search = counts{1e6, 1e6}
		}
		if answer := e.See(live.Add(time.Duration(k+1)*interval), slices.Concat(s.checkout.look(1).results(), search.results())); answer.Weather[0].Rose > 0 {
			rose = append(rose, k)
		}
	}
	if rose != nil {
		t.Errorf("it rose at looks %v", rose)
	}
}
