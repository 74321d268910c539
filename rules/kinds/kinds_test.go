package kinds_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/kinds"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// others are the folders beside the kinds.
var others = []string{"compare", "counting", "eprocess", "internal", "kinds", "promql", "quantity", "suspect", "threshold"}

func folderOf(kind string) string { return strings.ReplaceAll(kind, "-", "") }

func TestEveryFolderIsAKindOfTheList(t *testing.T) {
	var want []string
	for _, kind := range kinds.All() {
		want = append(want, folderOf(kind.Name))
	}
	entries, err := os.ReadDir("..")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if !entry.IsDir() || slices.Contains(others, entry.Name()) || entry.Name() == "testdata" {
			continue
		}
		if i := slices.Index(want, entry.Name()); i >= 0 {
			want = slices.Delete(want, i, i+1)
		} else {
			t.Errorf("rules/%s is in no list: add it to kinds.All, or to others in this test", entry.Name())
		}
	}
	if len(want) > 0 {
		t.Errorf("kinds without a folder of their name: %v", want)
	}
}

func TestEveryKindHasAReadmeAnExampleAndTests(t *testing.T) {
	for _, kind := range kinds.All() {
		t.Run(kind.Name, func(t *testing.T) {
			for _, pattern := range []string{"README.md", "example.toml", "*_test.go"} {
				if found, err := filepath.Glob(filepath.Join("..", folderOf(kind.Name), pattern)); err != nil || len(found) == 0 {
					t.Errorf("rules/%s lacks %s", folderOf(kind.Name), pattern)
				}
			}
		})
	}
}

func TestNoKindIsBothHereAndLater(t *testing.T) {
	seen := kinds.Later()
	for _, kind := range kinds.All() {
		if slices.Contains(seen, kind.Name) {
			t.Errorf("%s is listed twice", kind.Name)
		}
		seen = append(seen, kind.Name)
	}
}

// example reads the one rule of a kind's example, as the loader would.
func example(t *testing.T, kind rules.Kind) rules.Spec {
	t.Helper()
	var file struct {
		Rule []toml.Primitive `toml:"rule"`
	}
	meta, err := toml.DecodeFile(filepath.Join("..", folderOf(kind.Name), "example.toml"), &file)
	if err != nil || len(file.Rule) != 1 {
		t.Fatalf("%d rules, %v", len(file.Rule), err)
	}
	spec := rules.Spec{Name: kind.Name, Window: rules.Duration(5 * time.Minute)}
	options := kind.New()
	if err := meta.PrimitiveDecode(file.Rule[0], &spec); err != nil {
		t.Fatal(err)
	}
	if err := meta.PrimitiveDecode(file.Rule[0], options); err != nil {
		t.Fatal(err)
	}
	if unknown := meta.Undecoded(); len(unknown) > 0 {
		t.Fatalf("unknown keys %v", unknown)
	}
	if err := options.Check(); err != nil {
		t.Fatal(err)
	}
	if spec.Options, err = json.Marshal(options); err != nil {
		t.Fatal(err)
	}
	return spec
}

func planOf(specs ...rules.Spec) rules.Plan {
	return rules.Plan{
		Source: "main", Interval: rules.Duration(15 * time.Second), Rules: specs,
		Select: rules.Select{Match: map[string]string{"job": "checkout"}, Version: "service_version"},
	}
}

func TestEveryExampleBuildsAndItsReadmeShowsWhatIsAsked(t *testing.T) {
	d := rules.Deployment{Service: "checkout", Version: "2.4.0", At: time.Unix(1_700_000_000, 0)}
	for _, kind := range kinds.All() {
		t.Run(kind.Name, func(t *testing.T) {
			built, err := kinds.Build(planOf(example(t, kind)))
			if err != nil {
				t.Fatal(err)
			}
			readme, err := os.ReadFile(filepath.Join("..", folderOf(kind.Name), "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			for _, q := range built[0].Queries(d) {
				values := maps.Clone(q.Values)
				values["previous"] = "2.3.0" // for a query that is not asked without
				text, err := promql.Bind(q.Template, values)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(string(readme), text) {
					t.Errorf("README.md does not show\n%s", text)
				}
			}
		})
	}
}

func TestARuleMayTakeNothingOfSelect(t *testing.T) {
	plan := planOf(rules.Spec{Name: "one", Kind: "crash", Selecting: rules.SelectNone, Options: []byte(`{"restarts":"x_total","max":2}`)})
	built, err := kinds.Build(plan)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range built[0].Queries(rules.Deployment{Version: "2"}) {
		if strings.Contains(q.Template, "job") || strings.Contains(q.Template, "service_version") {
			t.Errorf("asks %s", q.Template)
		}
	}
}

func TestReadmesNameEveryOption(t *testing.T) {
	for _, kind := range kinds.All() {
		t.Run(kind.Name, func(t *testing.T) {
			readme, err := os.ReadFile(filepath.Join("..", folderOf(kind.Name), "README.md"))
			if err != nil {
				t.Fatal(err)
			}
			options := reflect.TypeOf(kind.New()).Elem()
			for i := range options.NumField() {
				field := options.Field(i)
				name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
				if name == "" || name != field.Tag.Get("toml") || field.Tag.Get("doc") == "" {
					t.Errorf("%s: tags json %q, toml %q, doc %q", field.Name, name, field.Tag.Get("toml"), field.Tag.Get("doc"))
				}
				if !strings.Contains(string(readme), "`"+name+"`") {
					t.Errorf("README.md says nothing of `%s`", name)
				}
			}
			for _, later := range kind.Later {
				if _, here := options.FieldByNameFunc(func(n string) bool {
					f, _ := options.FieldByName(n)
					return f.Tag.Get("toml") == later
				}); here {
					t.Errorf("%s is both an option and later", later)
				}
			}
		})
	}
}

func TestBuildSaysEverythingThatIsWrong(t *testing.T) {
	plan := planOf(
		rules.Spec{Name: "one", Kind: "error-rate", Judge: "threshold", Options: []byte(`{"errors":"x","requests":"x"}`)},
		rules.Spec{Name: "two", Kind: "nothing"},
		rules.Spec{Name: "three", Kind: "crash", Options: []byte(`{"restarts":"x","max":"2","from_the_future":1}`)},
		rules.Spec{Name: "four", Kind: "crash", Judge: "test", Options: []byte(`{"restarts":"x","max":2}`)},
		rules.Spec{Name: "five", Kind: "crash", Options: []byte(`{"restarts":"x","max":2}`)},
	)
	built, err := kinds.Build(plan)
	if err == nil || len(built) != 1 {
		t.Fatalf("%d rules, %v", len(built), err)
	}
	for _, want := range []string{`rule "one": max: a limit is needed`, `rule "two": unknown kind`, `rule "three"`, "from_the_future", `rule "four": judge: not yet supported`} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said:\n%v", want, err)
		}
	}
}
