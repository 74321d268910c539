package configs

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// threshold is the judge that a plan can ask for: a plain limit over the sliding window.
const threshold = "threshold"

func (l *loader) loadRules() {
	tables := l.root.List("rule")
	if len(tables) == 0 && !l.root.Has("rule") {
		l.root.Fail("", "a plan needs at least one [[rule]]", `such as kind = "error-rate"`)
	}
	for _, t := range tables {
		name := t.String("name")
		if name == "" {
			name = t.String("kind")
		}
		if name != "" {
			t = t.In(fmt.Sprintf("rule %q", strict.Shorten(name)))
		}
		kind, ok := pick(t, "kind", l.catalog.Rules, l.catalog.LaterRules)
		if !ok {
			l.checkKeys(t)
			continue
		}
		if kind.Name == "query" {
			t = t.Hint("set max or min", "max") // its own hint names one limit only
		}
		l.loadRule(l.presets[l.file.Preset].lend(t, kind.Name, l.file.Preset), kind, name)
	}
}

// checkKeys checks the keys of a rule whose kind is not known: any kind may have
// them. A kind of a later version has keys that are not known either.
func (l *loader) checkKeys(t strict.Table) {
	if slices.Contains(l.catalog.LaterRules, t.String("kind")) {
		return
	}
	all := []any{&ruleFile{}}
	for _, kind := range l.catalog.Rules {
		t, all = t.Later(kind.Later...), append(all, kind.New())
	}
	t.CheckKeys(all...)
}

func (l *loader) loadRule(t strict.Table, kind rules.Kind, name string) {
	var file ruleFile
	options := kind.New()
	before := t.Errors()
	t.Later(kind.Later...).Decode(&file, options)
	spec := file.Spec
	spec.Name = name
	text, err := json.Marshal(options)
	if err != nil {
		t.Fail("", fmt.Sprintf("cannot be kept: %v", err), "")
	}
	spec.Options = text
	nature := natureOf(options)
	l.judge(t, nature, &spec)
	l.common(t, &spec)
	l.comparison(t, nature, &spec)
	l.loadTest(t, file.LoadTestFile, &spec)
	l.warmUp(t, &spec, options)
	t.Blame(options.Check())
	if _, double := l.plan.Rule(name); double {
		t.Fail("name", fmt.Sprintf("there is another rule called %q", strict.Shorten(name)), "give each rule its own name")
	}
	l.plan.Rules = append(l.plan.Rules, spec)
	if t.Errors() == before {
		l.build(t, spec)
		l.checkForeign(t, spec)
	}
}

// judge settles who judges the rule: what counts events is compared, by a test, unless
// the plan wants a plain threshold, or has one and no word of a comparison; anything else
// can only be held against one.
func (l *loader) judge(t strict.Table, nature rules.Nature, spec *rules.Spec) {
	if t.Has("judge") && spec.Judge != threshold {
		t.Fail("judge", fmt.Sprintf("judge must be %q, not %q", threshold, strict.Shorten(spec.Judge)), "leave it out to have the rule compared, and its limit proved, by a test")
	}
	if t.Has("judge") || !nature.Compared || nature.Gated && spec.CompareTo == nil {
		spec.Judge = threshold
	}
}

// common fills in and checks the keys that all kinds share.
func (l *loader) common(t strict.Table, spec *rules.Spec) {
	if spec.Mode == rules.ModeUnset {
		spec.Mode = l.file.Mode
	}
	if spec.Severity == rules.SeverityUnset {
		spec.Severity = rules.Critical
	}
	if !t.Has("window") {
		spec.Window = l.file.Window
	}
	if t.Has("window") && spec.Window < l.file.Interval {
		t.Fail("window", fmt.Sprintf("window (%s) must hold at least one interval (%s)", spec.Window, l.file.Interval), "")
	}
	if spec.For >= l.file.Bake && spec.For > 0 {
		t.Fail("for", fmt.Sprintf("for (%s) must be shorter than bake (%s), or the rule could never be broken", spec.For, l.file.Bake), "")
	}
}

// warmUp settles from when on looks count: not while they still see the time before
// the deployment, unless the plan says so.
func (l *loader) warmUp(t strict.Table, spec *rules.Spec, options rules.Options) {
	var back rules.Duration
	if r, is := options.(rules.Retrospective); is {
		back = r.ReachesBack(spec.Window)
	}
	switch said := t.Has("warm_up"); {
	case !said && back >= l.file.Bake && back > 0:
		key := "expr"
		if !t.Has(key) {
			key = "rating"
		}
		t.Fail(key, fmt.Sprintf("$window (%s) sees the time before the deployment during all of bake (%s)", back, l.file.Bake), "set a shorter window, or a longer bake")
	case !said:
		spec.WarmUp = max(l.file.WarmUp, back)
	case spec.WarmUp >= l.file.Bake:
		t.Fail("warm_up", fmt.Sprintf("warm_up (%s) must be shorter than bake (%s), or no look would count", spec.WarmUp, l.file.Bake), "")
	case spec.WarmUp < back:
		t.Warn("warm_up", fmt.Sprintf("until %s after the deployment, $window sees the time before it", back), "leave warm_up out: it is then at least the window")
	}
}

// build tries the rule in its setting, so that nothing is found out at 2 a.m.
func (l *loader) build(t strict.Table, spec rules.Spec) {
	if l.catalog.Build == nil || l.unsettled {
		return
	}
	alone := l.plan
	alone.Rules = []rules.Spec{spec}
	if _, err := l.catalog.Build(alone); err != nil {
		t.Blame(err)
	}
}
