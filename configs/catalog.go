package configs

import (
	"encoding/json"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// Problem is one thing that is wrong with a file, or (Warning) worth knowing.
type Problem = strict.Problem

// Problems are all that was found, by file and place.
type Problems = strict.Problems

// Catalog is what there is to configure. The caller hands it in, so that this
// package needs to know neither the kinds of rules nor the integrations.
type Catalog struct {
	Rules, Executors, Channels []rules.Kind
	// EveryChannel makes the options that every channel has besides its own; nil: there are none.
	EveryChannel func() rules.Options
	// Schedules are the services that know who is on call, by the name that a group's schedule begins with.
	Schedules []rules.Kind
	// Login makes the options of [http.oidc]; nil: there is no such table.
	Login func() rules.Options
	// Kinds that a later version brings: refused as not yet supported.
	LaterRules, LaterExecutors, LaterChannels []string
	// Build makes the rules of a resolved plan; its error says what does not fit together.
	// nil: the rules are not tried.
	Build func(rules.Plan) ([]rules.Rule, error)
	// Calls says who makes the call in every case that a resolved plan tells apart, one
	// sentence each. nil: that is not explained.
	Calls func(rules.Plan) []string
}

// noOptions are those of a table that has none but its kind's.
type noOptions struct{}

// Check has nothing to say.
func (*noOptions) Check() error { return nil }

// every makes the options that every channel has.
func (c Catalog) every() rules.Options {
	if c.EveryChannel == nil {
		return &noOptions{}
	}
	return c.EveryChannel()
}

// nature says how a rule is judged, by its kind; nothing is known of one that is not
// in the catalog.
func (c Catalog) nature(s rules.Spec) rules.Nature {
	i := slices.IndexFunc(c.Rules, func(k rules.Kind) bool { return k.Name == s.Kind })
	if i < 0 {
		return rules.Nature{}
	}
	options := c.Rules[i].New()
	if len(s.Options) > 0 && json.Unmarshal(s.Options, options) != nil {
		return rules.Nature{}
	}
	return natureOf(options)
}

func natureOf(options rules.Options) rules.Nature {
	if of, is := options.(rules.RuleOptions); is {
		return of.Nature()
	}
	return rules.Nature{}
}

// pick finds the kind that the table's key names. Where there is none, it says so.
func pick(t strict.Table, key string, kinds []rules.Kind, later []string) (rules.Kind, bool) {
	name, text := t.Values()[key].(string)
	names := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		if kind.Name == name && text {
			return kind, true
		}
		names = append(names, kind.Name)
	}
	switch {
	case !t.Has(key):
		t.Fail("", key+" is required", "one of "+strict.Words(names))
	case !text:
		t.Fail(key, key+" must be a string", "one of "+strict.Words(names))
	case slices.Contains(later, name):
		t.NotYet(key, key+" = \""+name+"\"")
	default:
		t.Fail(key, "unknown "+key+" \""+strict.Shorten(name)+"\"", strict.Guess(name, names))
	}
	return rules.Kind{}, false
}
