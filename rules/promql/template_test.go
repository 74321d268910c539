package promql_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

func TestPlaceholdersAreBoundAsLabelValues(t *testing.T) {
	values := map[string]string{"service": "checkout", "version": "2.4.0+b(1)"}
	for name, test := range map[string]struct{ template, want string }{
		"a value stands for its placeholder":               {`up{service="$service"}`, `up{service="checkout"}`},
		"a value may stand between other text":             {`up{pod="x-$version-y"}`, `up{pod="x-2.4.0+b(1)-y"}`},
		"a value is quoted under =~":                       {`up{v=~"$version|none"}`, `up{v=~"2\\.4\\.0\\+b\\(1\\)|none"}`},
		"a value is quoted under !~":                       {`up{v!~"$version"}`, `up{v!~"2\\.4\\.0\\+b\\(1\\)"}`},
		"a value is taken as it is under !=":               {`up{v!="$version"}`, `up{v!="2.4.0+b(1)"}`},
		"two dollar signs are one":                         {`up{price="$$5", v="$$version"}`, `up{price="$5",v="$version"}`},
		"a dollar sign at the end of a regexp stays":       {`up{code=~"5..$"}`, `up{code=~"5..$"}`},
		"a dollar sign before a bar stays":                 {`up{code=~"5..$|4.."}`, `up{code=~"5..$|4.."}`},
		"capture groups of label_replace stay":             {`label_replace(up, "a", "$1-$$", "b", "(.*)")`, `label_replace(up, "a", "$1-$$", "b", "(.*)")`},
		"a placeholder may stand in several selectors":     {`a{v="$version"} / b{v="$version"}`, `a{v="2.4.0+b(1)"} / b{v="2.4.0+b(1)"}`},
		"a template without placeholders is left as it is": {`sum by (le) (rate(x[5m]))`, `sum by (le) (rate(x[5m]))`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := promql.Bind(test.template, values)
			if err != nil || got != test.want {
				t.Errorf("Bind(%s) = %s, %v; want %s", test.template, got, err, test.want)
			}
		})
	}
}

func TestBindingTwiceGivesTwoAnswers(t *testing.T) {
	template, err := promql.Parse(`up{v="$version"}`)
	if err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1", "2"} {
		if got, err := template.Bind(map[string]string{"version": version}); err != nil || got != `up{v="`+version+`"}` {
			t.Errorf("bound to %s: %s, %v", version, got, err)
		}
	}
	if got := template.String(); got != `up{v="$version"}` {
		t.Errorf("the template became %s", got)
	}
}

func TestAMissingValueMakesTheQueryUnaskable(t *testing.T) {
	for name, test := range map[string]struct {
		template string
		values   map[string]string
		want     string
	}{
		"no previous version": {`up{v="$previous"}`, nil, "unbound: no previous version"},
		"an empty version":    {`up{v="$version"}`, map[string]string{"version": ""}, "unbound: no version"},
		"no slot":             {`up{v="$slot"}`, nil, "unbound: the event names no slot that the plan knows"},
	} {
		t.Run(name, func(t *testing.T) {
			text, err := promql.Bind(test.template, test.values)
			failed, ok := errors.AsType[*rules.SampleError](err)
			if !ok || failed.Reason != rules.Unbound || err.Error() != test.want || text != "" {
				t.Errorf("got %q, %v; want %s", text, err, test.want)
			}
			if verdict := rules.VerdictOf(err); verdict != rules.NoData {
				t.Errorf("verdict %v, want no-data", verdict)
			}
		})
	}
}

func TestAValueThatSpoilsARegexpIsABadQuery(t *testing.T) {
	_, err := promql.Bind(`up{v=~"[z$version]"}`, map[string]string{"version": "-a"})
	if failed, ok := errors.AsType[*rules.SampleError](err); !ok || failed.Reason != rules.BadQuery {
		t.Errorf("got %v, want a bad query", err)
	}
}

func TestErrorsPointAtWhatIsWrong(t *testing.T) {
	words := promql.Words{Window: rules.Duration(300 * time.Second), Interval: rules.Duration(15 * time.Second)}
	for name, test := range map[string]struct{ text, blamed, message, hint string }{
		"an unknown placeholder with a letter swapped":               {`up{v="$verison"}`, "$verison", "unknown placeholder $verison", "did you mean $version?"},
		"an unknown placeholder behind a good one of the same start": {`up{v="$version", w="$versions"}`, "$versions", "unknown placeholder $versions", "did you mean $version?"},
		"a placeholder for a metric's name":                          {`$service_requests`, "$service_requests", "may stand only inside the value of a label matcher", "$$"},
		"a placeholder for a duration":                               {`rate(x[$version])`, "$version", "may stand only inside the value of a label matcher", ""},
		"a placeholder in another string":                            {`label_replace(up, "v", "$version", "a", "b")`, "$version", "may stand only inside", "${version}"},
		"a backslash before a placeholder":                           {`up{v=~"a\\$version"}`, "$version", "would undo its quoting", "remove the backslash"},
		"a missing parenthesis":                                      {`sum(up`, "p", "", ""},
		"an unknown function":                                        {`sum(foo(up))`, "foo", "unknown function", ""},
		"a place behind a window":                                    {`rate(x[$window]) + foo(y)`, "foo", "unknown function", ""},
		"a place behind several words":                               {`rate(x[$window] offset $interval) + up{a="$nix"}`, "$nix", "unknown placeholder", ""},
		"a window where no duration may stand":                       {`sum($window)`, "$window", "", ""},
		"nothing at all":                                             {``, "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := words.Parse(test.text)
			wrong, ok := errors.AsType[*promql.Error](err)
			if !ok {
				t.Fatalf("got %v, want a *promql.Error", err)
			}
			if wrong.Offset < 0 || wrong.Offset+wrong.Length > len(test.text) {
				t.Fatalf("place %d+%d lies outside of %q", wrong.Offset, wrong.Length, test.text)
			}
			if blamed := test.text[wrong.Offset : wrong.Offset+wrong.Length]; !strings.HasPrefix(blamed, test.blamed) {
				t.Errorf("blamed %q at %d, want %q (%v)", blamed, wrong.Offset, test.blamed, err)
			}
			if !strings.Contains(err.Error(), test.message) || !strings.Contains(wrong.Hint, test.hint) {
				t.Errorf("said %q, hint %q; want %q, %q", err, wrong.Hint, test.message, test.hint)
			}
		})
	}
}

func TestWordsOfThePlanArePutInBeforeParsing(t *testing.T) {
	words := promql.Words{Window: rules.Duration(5 * time.Minute), Interval: rules.Duration(15 * time.Second)}
	template, err := words.Parse(`rate(x{v="$$window"}[$window] offset $interval)`)
	if err != nil {
		t.Fatal(err)
	}
	got, err := template.Bind(nil)
	if want := `rate(x{v="$window"}[5m] offset 15s)`; err != nil || got != want {
		t.Errorf("got %s, %v; want %s", got, err, want)
	}
}

func TestBlameNamesTheKeyAndKeepsThePlace(t *testing.T) {
	_, err := promql.ParseSelector(`x{v="$nix"}`)
	blamed, ok := errors.AsType[*rules.FieldError](promql.Blame("errors", err))
	if !ok || blamed.Key != "errors" || blamed.Offset != 5 || blamed.Length != 4 || blamed.Hint == "" {
		t.Errorf("got %+v", blamed)
	}
	if promql.Blame("errors", nil) != nil {
		t.Error("blamed nothing")
	}
}

func TestAnExpressionMustGiveANumber(t *testing.T) {
	for text, want := range map[string]string{
		`up`:              "",
		`time()`:          "",
		`up > bool 1`:     "",
		`(up) + 1`:        "",
		`up[5m]`:          "ranges",
		`"text"`:          "string",
		`(up > 1)`:        "comparison",
		`sum(up) by (a)`:  "",
		`sum(up > 1) + 0`: "",
	} {
		t.Run(text, func(t *testing.T) {
			template, err := promql.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			switch err := template.CheckNumber(); {
			case want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
				t.Errorf("got %v, want %q", err, want)
			}
		})
	}
}

func TestATemplateMayBeBoundByManyAtOnce(t *testing.T) {
	template, err := promql.Parse(`a{v="$version"} / b{v=~"$version"}`)
	if err != nil {
		t.Fatal(err)
	}
	var binding sync.WaitGroup
	for _, version := range []string{"1", "2", "3", "4"} {
		binding.Go(func() {
			want := `a{v="` + version + `"} / b{v=~"` + version + `"}`
			for range 200 {
				if got, err := template.Bind(map[string]string{"version": version}); err != nil || got != want {
					t.Errorf("got %s, %v; want %s", got, err, want)
				}
			}
		})
	}
	binding.Wait()
}

func BenchmarkBind(b *testing.B) {
	const text = `sum(((last_over_time(x{v="$version"}[5m]) - last_over_time(x{v="$version"}[5m] offset 15s)) >= 0) or last_over_time(x{v="$version"}[5m]))`
	values := map[string]string{"version": "2.4.0"}
	template, err := promql.Parse(text)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("parsed once", func(b *testing.B) {
		for b.Loop() {
			if _, err := template.Bind(values); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("parsed each time", func(b *testing.B) {
		for b.Loop() {
			if _, err := promql.Bind(text, values); err != nil {
				b.Fatal(err)
			}
		}
	})
}
