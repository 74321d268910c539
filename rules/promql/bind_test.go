package promql_test

import (
	"errors"
	"regexp"
	"testing"
	"unicode/utf8"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"pgregory.net/rapid"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

const hostile = `sum by (a) (rate(x{v="$version",w=~"($version|b$$)",z!="-$version-",k="kept"}[5m])) / y{v!~"$version"}`

// checkOdd proves that a value, whatever it says, is a label's value and nothing
// else: the tree has the same shape, and each matcher means exactly the value.
func checkOdd(t interface{ Fatalf(string, ...any) }, value string) {
	text, err := promql.Bind(hostile, map[string]string{"version": value})
	if value == "" {
		if failed, ok := errors.AsType[*rules.SampleError](err); !ok || failed.Reason != rules.Unbound {
			t.Fatalf("an empty value: %v", err)
		}
		return
	}
	if err != nil {
		if utf8.ValidString(value) {
			t.Fatalf("%q: %v", value, err)
		}
		return
	}
	bound, err := parser.NewParser(parser.Options{}).ParseExpr(text)
	if err != nil {
		t.Fatalf("%q became %s: %v", value, text, err)
	}
	want := map[string]string{
		"v=": value, "w=~": "(" + regexp.QuoteMeta(value) + "|b$)", "z!=": "-" + value + "-", "k=": "kept", "v!~": regexp.QuoteMeta(value),
	}
	seen := 0
	parser.Inspect(bound, func(node parser.Node, _ []parser.Node) error {
		selector, ok := node.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, m := range selector.LabelMatchers {
			if m.Name == model.MetricNameLabel {
				continue
			}
			seen++
			if m.Value != want[m.Name+m.Type.String()] {
				t.Fatalf("%q became %s", value, m)
			}
			if m.Name == "v" && m.Matches(value) == (m.Type == labels.MatchNotRegexp) {
				t.Fatalf("%s misjudges %q", m, value)
			}
		}
		return nil
	})
	if seen != 5 {
		t.Fatalf("%q changed the shape: %s", value, text)
	}
}

func TestAHostileVersionIsJustAnOddVersion(t *testing.T) {
	for _, value := range []string{
		`"} or vector(1) #`, "`", `\`, `\"`, "\n", "\x00", "$version", "$$", "$1", `\E.*`, ".*", "a|b", "(?i)x", "日本", "{{.}}", "'", "",
	} {
		t.Run(value, func(t *testing.T) { checkOdd(t, value) })
	}
}

func TestAnyVersionIsJustAnOddVersion(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		checkOdd(t, rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-z"'\\{}$|.*()\[\]#, ]{0,20}`)).Draw(t, "version"))
	})
}

func FuzzBindValue(f *testing.F) {
	for _, seed := range []string{`"} or vector(1) #`, "2.4.0", `\`, "\xff", "a\nb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) { checkOdd(t, value) })
}

// FuzzParse proves that no text of a plan panics, that errors point into it, and
// that what a template says of itself can be read again.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{hostile, `up{v="$nix"}`, `sum($window)`, `x[$window] offset $interval`, `"`, `{`, `a{b=~"\\$version"}`} {
		f.Add(seed)
	}
	words := promql.Words{Window: 1e9, Interval: 1e9}
	f.Fuzz(func(t *testing.T, text string) {
		template, err := words.Parse(text)
		if err != nil {
			wrong, ok := errors.AsType[*promql.Error](err)
			if !ok || wrong.Offset < 0 || wrong.Length < 0 || wrong.Offset+wrong.Length > len(text) {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		again, err := promql.Parse(template.String())
		if err != nil || again.String() != template.String() {
			t.Fatalf("%q reads as %q, and that: %v", text, template, err)
		}
	})
}
