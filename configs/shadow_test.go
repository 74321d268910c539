package configs_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

func TestAShadowedDaemonOnlyRecordsWhateverThePlansSay(t *testing.T) {
	const enforced = head + "mode = 'enforce'\n" + byVersion + rule + rule + "name = 'two'\nmode = 'enforce'\n" + tail
	h := newHouse(t, map[string]string{"a.toml": enforced, "b.toml": strings.Replace(enforced, "checkout", "basket", 1)})
	open := h.set
	h.shadow("shadow = true\n")
	shadowed(t, h.load(map[string]string{"b.toml": "broken"}))
	for _, plan := range open.Plans {
		if now, _ := h.set.Plan(plan.Service, ""); now.Hash == plan.Hash || plan.Rules[0].Mode != rules.Enforce {
			t.Errorf("%s: hash %s, was %s; before: %s", plan.Service, now.Hash, plan.Hash, plan.Rules[0].Mode)
		}
	}
	h.restart()
	shadowed(t, h.load(nil)) // also what was kept
	h.shadow("")
	h.load(nil)
	for _, plan := range h.set.Plans {
		if was, _ := open.Plan(plan.Service, ""); !reflect.DeepEqual(plan, was) {
			t.Errorf("after the shadow\n got %+v\nwant %+v", plan, was)
		}
	}
}

// shadow writes the daemon's file anew.
func (h *house) shadow(line string) {
	write(h.t, h.folder, map[string]string{"bakewatch.toml": line + minimal})
}

func shadowed(t *testing.T, set configs.Set) {
	t.Helper()
	if len(set.Plans) != 2 {
		t.Fatalf("%d plans: %v", len(set.Plans), set.Problems)
	}
	for _, plan := range set.Plans {
		for _, spec := range plan.Rules {
			if spec.Mode != rules.Shadow {
				t.Errorf("%s: rule %q is %s", plan.Service, spec.Name, spec.Mode)
			}
		}
		if said := catalog().Explain(plan); strings.Contains(said, "enforced") || !strings.Contains(said, "only recorded") {
			t.Errorf("explained as\n%s", said)
		}
	}
}

func TestAPlanThatIsCheckedAloneIsShadowedToo(t *testing.T) {
	p := one(t, "shadow = true\n"+minimal, head+byVersion+rule+"mode = 'enforce'\n"+tail)
	if p.Rules[0].Mode != rules.Shadow {
		t.Errorf("mode %s", p.Rules[0].Mode)
	}
}

// An option that is taken and not read is worse than one that is refused.
func TestEveryOptionOfTheDaemonsFileIsReadSomewhere(t *testing.T) {
	read := selectors(t)
	var walk func(reflect.Type)
	walk = func(in reflect.Type) {
		for in.Kind() == reflect.Pointer || in.Kind() == reflect.Map || in.Kind() == reflect.Slice {
			in = in.Elem()
		}
		if in.Kind() != reflect.Struct {
			return
		}
		for i := range in.NumField() {
			f := in.Field(i)
			if f.Type.NumMethod() == 0 && f.Type.Kind() == reflect.Struct && f.Type.NumField() == 0 {
				continue // refused, or read by its key
			}
			if key := f.Tag.Get("toml"); key != "" && key != "-" && !read[f.Name] {
				t.Errorf("%s: nothing reads %s.%s", key, in.Name(), f.Name)
			}
			walk(f.Type)
		}
	}
	walk(reflect.TypeFor[configs.Daemon]())
}

// selectors lists what the program's code selects, such as Shadow in d.Shadow;
// names of the package rules are no fields.
func selectors(t *testing.T) map[string]bool {
	t.Helper()
	names := map[string]bool{}
	selector, words := regexp.MustCompile(`\.([A-Z]\w*)`), regexp.MustCompile(`\brules\.`)
	for _, glob := range []string{"*.go", "../cmd/bakewatch/*.go", "../cmd/bakewatch/internal/*/*.go"} {
		files, err := filepath.Glob(glob)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file) //nolint:gosec // our own code
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			for _, found := range selector.FindAllStringSubmatch(words.ReplaceAllString(string(text), ""), -1) {
				names[found[1]] = true
			}
		}
	}
	return names
}
