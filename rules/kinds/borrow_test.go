package kinds_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// lending is a station that lends the rule of a service whose series are found otherwise.
func lending(spec rules.Spec) rules.Station {
	return rules.Station{
		Service: "search", Rule: &spec,
		Select: rules.Select{Match: map[string]string{"app": "$service", "stage": "$environment"}, Version: "build"},
	}
}

// A kind says that it may borrow; then it asks about the other service as a whole, as
// that service's own plan finds it, also after the plan went through the journal.
func TestKindsThatMayBorrowDoAndOthersDoNot(t *testing.T) {
	d := rules.Deployment{Service: "checkout", Environment: "production", Version: "2", At: time.Unix(1_700_000_000, 0)}
	for _, kind := range kinds.All() {
		t.Run(kind.Name, func(t *testing.T) {
			spec := example(t, kind)
			options := kind.New().(rules.RuleOptions)
			if err := json.Unmarshal(spec.Options, options); err != nil {
				t.Fatal(err)
			}
			without, err := kinds.Build(planOf(spec))
			if err != nil {
				t.Fatal(err)
			}
			spec.Stations = []rules.Station{lending(spec)}
			text, err := json.Marshal(planOf(spec))
			if err != nil {
				t.Fatal(err)
			}
			var plan rules.Plan
			if err := json.Unmarshal(text, &plan); err != nil {
				t.Fatal(err)
			}
			built, err := kinds.Build(plan)
			if may := options.Nature().Borrows; (err == nil) != may {
				t.Fatalf("may borrow: %v; built: %v", may, err)
			}
			if err != nil {
				return
			}
			queries := built[0].Queries(d)[len(without[0].Queries(d)):]
			if len(queries) == 0 {
				t.Error("asks nothing")
			}
			for _, q := range queries {
				text, err := promql.Bind(q.Template, q.Values)
				if err != nil || !q.Optional || !strings.Contains(text, `app="search"`) || !strings.Contains(text, `stage="production"`) || strings.Contains(text, "build") || strings.Contains(text, "checkout") {
					t.Errorf("asks %s, %v", text, err)
				}
			}
		})
	}
}

// What another team's plan lends must not keep a rule from being built.
func TestAServiceWhoseRuleCannotBeBuiltLendsNothing(t *testing.T) {
	spec := rules.Spec{Name: "errors", Kind: "error-rate", Window: rules.Duration(5 * time.Minute), Options: []byte(`{"errors":"e_total","requests":"r_total"}`)}
	broken := spec
	broken.Options = []byte(`{"errors":"e_total","requests":"r_total","from_the_future":1}`)
	limit := spec
	limit.Judge, limit.Options = "threshold", []byte(`{"errors":"e_total","requests":"r_total","max":"1%"}`)
	spec.Stations = []rules.Station{lending(broken), lending(limit), {Service: "cart"}, {Service: "mail", Missing: "there is no plan of it"}}
	built, err := kinds.Build(planOf(spec))
	if err != nil {
		t.Fatal(err)
	}
	d := rules.Deployment{Service: "checkout", Version: "2", At: time.Unix(1_700_000_000, 0)}
	if n := len(built[0].Queries(d)); n != 3 {
		t.Errorf("asks %d queries", n)
	}
	evidence := built[0].Begin(d).(rules.Historical)
	for want, more := evidence.Wants(); more; want, more = evidence.Wants() {
		evidence.Learn(full(want, 1, 100), nil)
	}
	answer := evidence.See(d.At.Add(15*time.Second), row(full(rules.Past{Queries: make([]rules.Query, 3), Step: 1}, 1, 100)))
	for _, why := range []string{"search is not borrowed: its rule cannot be built: options of kind \"error-rate\"", "search is not borrowed: its rule compares nothing", "cart is not borrowed: no rule of it is known", "mail is not borrowed: there is no plan of it"} {
		if !strings.Contains(answer.Why, why) {
			t.Errorf("%q is not said: %s", why, answer.Why)
		}
	}
}

// full answers the queries of an error-rate rule at every instant.
func full(want rules.Past, bad, total float64) [][]rules.Result {
	values := []float64{bad, total, 1}
	results := make([][]rules.Result, len(want.Queries))
	for i := range results {
		for range want.Instants() {
			results[i] = append(results[i], rules.Result{Samples: []rules.Sample{{Value: values[i]}}})
		}
	}
	return results
}

// row takes the first instant.
func row(results [][]rules.Result) []rules.Result {
	first := make([]rules.Result, len(results))
	for i := range results {
		first[i] = results[i][0]
	}
	return first
}
