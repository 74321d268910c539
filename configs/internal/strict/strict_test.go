package strict

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/rules"
)

func parse(t *testing.T, text string) (*File, Table) {
	t.Helper()
	f, ok := Parse("a.toml", []byte(text))
	if !ok {
		t.Fatal(f.Problems)
	}
	return f, f.Root()
}

func TestEveryValueIsFoundWhereItStands(t *testing.T) {
	f, root := parse(t, `a.b = 1
list = [ "x", ["y"], { k = 2 } ]
[table."quoted.key"]
in = { line = { deep = "z" } }
[[many]]
n = 1
[many.sub]
m = 2
[[many]]
n = 3
`)
	for path, want := range map[string]string{
		"a.b": "1:7", "list": "2:8", "list.0": "2:10", "list.2.k": "2:28", "table": "3:2", "many.0.n": "6:5",
		"many.0.sub.m": "8:5", "many.1.n": "10:5", "many.1.unknown": "9:3", "unknown": "0:0",
	} {
		t.Run(path, func(t *testing.T) {
			f.Problems = nil
			root.Fail(path, "x", "")
			if p := f.Problems[0]; fmt.Sprintf("%d:%d", p.Line, p.Column) != want {
				t.Errorf("%s is at %d:%d, want %s", path, p.Line, p.Column, want)
			}
		})
	}
}

func TestTheCaretStandsBelowTheBytesThatAreWrong(t *testing.T) {
	for name, test := range map[string]struct{ toml, wrong, want string }{
		"in a literal string":       {`k = 'sum(BAD)'`, "BAD", "k = 'sum(BAD)'\n         ^^^"},
		"after escapes":             {`k = "a\"b\tc BAD"`, "BAD", `k = "a\"b\tc BAD"` + "\n             ^^^"},
		"after a Unicode escape":    {`k = "\u00e4\U0001F525 BAD"`, "BAD", `k = "\u00e4\U0001F525 BAD"` + "\n" + strings.Repeat(" ", 22) + "^^^"},
		"after wide characters":     {`k = "größe BAD"`, "BAD", `k = "größe BAD"` + "\n           ^^^"},
		"in a multi-line string":    {"k = '''\nfirst\n  BAD\n'''", "BAD", "  BAD\n  ^^^"},
		"in a multi-line basic one": {"k = \"\"\"\nfirst \\\n   second BAD\"\"\"", "BAD", "   second BAD\"\"\"\n          ^^^"},
		"below tabs":                {"\tk = 'BAD'", "BAD", "\tk = 'BAD'\n\t     ^^^"},
	} {
		t.Run(name, func(t *testing.T) {
			f, root := parse(t, test.toml)
			offset := strings.Index(root.String("k"), test.wrong)
			root.Blame(&rules.FieldError{Key: "k", Err: errors.New("bad"), Offset: offset, Length: len(test.wrong)})
			want := "    " + strings.ReplaceAll(test.want, "\n", "\n    ")
			if got := f.Problems[0].Source; got != want {
				t.Errorf("\n got:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

func TestTheCaretOfALongLineStaysReadable(t *testing.T) {
	f, root := parse(t, "k = '"+strings.Repeat("x", 10_000)+"BAD!"+strings.Repeat("y", 10_000)+"'")
	root.Blame(&rules.FieldError{Key: "k", Err: errors.New("bad"), Offset: 10_000, Length: 4})
	if source := f.Problems[0].Source; len(source) > 700 || !strings.Contains(source, "BAD!") {
		t.Errorf("%d bytes: %s", len(source), source)
	}
}

func TestEveryJoinedErrorIsTold(t *testing.T) {
	f, root := parse(t, "a = 1\nb = 2\n")
	root = root.In(`rule "x"`)
	root.Blame(errors.Join(
		&rules.FieldError{Key: "a", Err: errors.New("one")},
		fmt.Errorf("wrapped: %w", errors.Join(&rules.FieldError{Key: "b", Err: errors.New("two"), Hint: "three"}, errors.New(`rule "x": four`))),
	))
	want := "a.toml:1:5: rule \"x\": a: one\na.toml:2:5: rule \"x\": b: two; three\na.toml: rule \"x\": four"
	if got := f.Problems.String(); got != want {
		t.Errorf("\n got:\n%s\nwant:\n%s", got, want)
	}
}

func TestAWrongValueIsToldOnceAndLeavesTheDefault(t *testing.T) {
	f, root := parse(t, "bake = 'x'\n")
	options := struct {
		Bake model.Duration `toml:"bake"`
	}{Bake: 7}
	root.Decode(&options)
	root.Blame(&rules.FieldError{Key: "bake", Err: errors.New("must not be empty")})
	if options.Bake != 7 || len(f.Problems) != 1 {
		t.Errorf("%v, %v", options.Bake, f.Problems)
	}
}

func TestGuessesAreCloseOrNone(t *testing.T) {
	known := []string{"bake", "bake_min", "window", "warm_up"}
	for wrong, want := range map[string]string{
		"baek": `did you mean "bake"?`, "Window": `did you mean "window"?`, "bakemin": `did you mean "bake_min"?`,
		"colour": `one of "bake", "bake_min", "window" or "warm_up"`, strings.Repeat("x", 1000): `one of "bake", "bake_min", "window" or "warm_up"`,
	} {
		if got := Guess(wrong, known); got != want {
			t.Errorf("%.20s: %s, want %s", wrong, got, want)
		}
	}
	if got := Guess("x", nil); got != "" {
		t.Errorf("a guess out of nothing: %s", got)
	}
}

func TestValuesThatAreLentAreBlamedOnTheLender(t *testing.T) {
	f, root := parse(t, "[rule]\nkind = 'x'\n")
	rule := root.Table("rule").Lend(map[string]any{"kind": "no", "max": "bad"}, `preset "p"`)
	rule.Blame(&rules.FieldError{Key: "max", Err: errors.New("wrong"), Offset: 1, Length: 1})
	if got, want := f.Problems.String(), `a.toml:1:2: max: wrong (from preset "p")`; got != want || rule.String("kind") != "x" {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSecretsAreKnownByTheirKeys(t *testing.T) {
	for key, want := range map[string]bool{
		"password": true, "client_secret": true, "X-Api-Key": true, "Authorization": true, "API_TOKEN": true,
		"password_file": false, "tokens_per_second": false, "key": false, "secretary": false,
	} {
		if Secret(key) != want {
			t.Errorf("%s: %v", key, !want)
		}
	}
}

// options has a field of every sort that option structs have.
type options struct {
	Text    string             `toml:"text" doc:"a text"`
	List    []string           `toml:"list"`
	Numbers []int              `toml:"numbers"`
	Table   map[string]string  `toml:"table"`
	Any     map[string]any     `toml:"any"`
	Share   float64            `toml:"share"`
	Count   uint8              `toml:"count"`
	Yes     *bool              `toml:"yes"`
	Mode    rules.Mode         `toml:"mode"`
	Target  rules.TargetChoice `toml:"target"`
	Wait    model.Duration     `toml:"wait"`
	Join    *rules.Join        `toml:"join"`
	File    string             `toml:"some_file"`
	Soon    Later              `toml:"soon" doc:"soon"`
	Other   Elsewhere          `toml:"other"`
}

func FuzzDecode(f *testing.F) {
	for _, seed := range []string{
		"text = 'x'\nlist = ['a']\nnumbers = [1]\ntable = { a = 'b' }\n[any]\nx = [1, { y = 2026-11-23 }]\n",
		"share = 1\ncount = 300\nyes = true\nmode = 'enforce'\ntarget = 'previous'\nwait = '5m'\njoin.metric = 'm'\nsome_file = 'x'\n",
		"soon = 1\nother = 2\nunknown = 3\npassword = 'x'\n[[text]]\n[[text.list]]\n",
		"\xef\xbb\xbftext = \"\"\"\\\n  a\\u00e4\"\"\"\r\n", "a = [[[[[", "[a]\n[a]\n", "text = \"\xff\"", "a.b.c.d = {e.f = [{g = 1}]}",
	} {
		f.Add([]byte(seed), 3, 2)
	}
	f.Fuzz(func(t *testing.T, data []byte, offset, length int) {
		file, ok := Parse("f.toml", data)
		if ok {
			root, into := file.Root(), options{}
			root.Decode(&into)
			for _, key := range root.Keys() {
				root.Blame(&rules.FieldError{Key: key, Err: errors.New("x"), Offset: offset, Length: length})
			}
			for _, table := range root.List("list") {
				table.Decode(&options{})
			}
		}
		lines := 1 + strings.Count(string(data), "\n")
		for _, p := range file.Problems {
			if p.What == "" || p.Line < 0 || p.Line > lines || p.Line > 0 && p.Column < 1 {
				t.Errorf("%+v", p)
			}
		}
		if !ok && !file.Problems.Failed() {
			t.Error("refused without a reason")
		}
	})
}
