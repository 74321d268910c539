package configs

import (
	_ "embed"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

//go:embed presets.toml
var builtinPresets []byte

// laterPresets are known names that a later version brings.
var laterPresets = []string{"otel-grpc", "linkerd", "envoy", "nginx-ingress", "traefik", "haproxy", "grpc-go", "spring-boot"}

// preset is where a well-known instrumentation keeps its series.
type preset struct {
	Doc    string                    `toml:"doc" doc:"what the instrumentation is"`
	Select rules.Select              `toml:"select" doc:"[select] of plans that do not say it themselves"`
	Rule   map[string]map[string]any `toml:"rule" doc:"the selectors of a kind of rule, for rules that name none of them"`
}

// readPresets reads every [preset.NAME] below the table.
func readPresets(root strict.Table, c Catalog) map[string]preset {
	presets := map[string]preset{}
	for name, t := range root.Named("preset") {
		var p preset
		t.Decode(&p)
		selectors := t.Table("rule")
		for _, kindName := range selectors.Keys() {
			keys := selectors.Table(kindName)
			i := slices.IndexFunc(c.Rules, func(k rules.Kind) bool { return k.Name == kindName })
			switch {
			case i >= 0:
				options := c.Rules[i].New()
				keys.Later(c.Rules[i].Later...).Decode(options)
				keys.Own().Blame(options.Check()) // here, and not at each plan that uses it
			case slices.Contains(c.LaterRules, kindName):
				t.NotYet("rule."+kindName, fmt.Sprintf("kind = %q", kindName))
			default:
				t.Fail("rule."+kindName, fmt.Sprintf("unknown kind %q", kindName), strict.Guess(kindName, kindNames(c.Rules)))
			}
		}
		presets[name] = p
	}
	return presets
}

// builtin returns the presets that come with Bakewatch.
func builtin(c Catalog) (map[string]preset, Problems) {
	file, ok := strict.Parse("presets.toml", builtinPresets)
	if !ok {
		return nil, file.Problems
	}
	known := Catalog{Rules: c.Rules, LaterRules: c.LaterRules}
	return readPresets(file.Root(), known), file.Problems
}

// findPreset finds the plan's preset; the zero preset fills in nothing.
func (l *loader) findPreset(name string) preset {
	if name == "" {
		return preset{}
	}
	if p, known := l.presets[name]; known {
		return p
	}
	if slices.Contains(laterPresets, name) {
		l.root.NotYet("preset", fmt.Sprintf("preset = %q", name))
		return preset{}
	}
	hint := strict.Guess(name, slices.Sorted(maps.Keys(l.presets)))
	if l.daemon == nil {
		hint += " or, with the daemon's file, one of its own"
	}
	l.root.Fail("preset", fmt.Sprintf("unknown preset %q", strict.Shorten(name)), hint)
	return preset{}
}

// fill takes the preset's [select] where the plan does not say it.
func (p preset) fill(s rules.Select) rules.Select {
	if len(s.Match) == 0 {
		s.Match = p.Select.Match
	}
	if s.Version == "" && s.Join == nil && len(s.Slots) == 0 {
		s.Version, s.Join, s.Slots = p.Select.Version, p.Select.Join, p.Select.Slots
	}
	return s
}

// lend fills in the rule's selectors, unless the rule names one of them itself:
// a team's own errors over the preset's requests would be a wrong ratio.
func (p preset) lend(t strict.Table, kind, name string) strict.Table {
	keys := slices.Sorted(maps.Keys(p.Rule[kind]))
	if slices.ContainsFunc(keys, t.Has) {
		return t.Hint(fmt.Sprintf("name it too: the preset %q fills in only rules that name none of %s", name, strings.Join(keys, ", ")), keys...)
	}
	return t.Lend(p.Rule[kind], fmt.Sprintf("preset %q", name))
}

func kindNames(kinds []rules.Kind) []string {
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		names = append(names, kind.Name)
	}
	return names
}
