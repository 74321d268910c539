// Package traffic is the rule kind traffic: whether the new version takes its share
// of the service's requests, by exact counts over the sliding window. It says nothing
// about how well they are served, and never takes a service without requests for a
// version without them.
//
// Start reading at Options.
package traffic

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind traffic.
type Options struct {
	Requests    string            `json:"requests" toml:"requests" doc:"the counter of all requests of the service, as a selector"`
	Planned     quantity.Quantity `json:"planned" toml:"planned" doc:"the share of the requests that the version is meant to take: 100% or, for a canary, 5%; default 100%"`
	Min         quantity.Quantity `json:"min" toml:"min" doc:"the least of the planned share that it must take: 90% or 0.9; default 90%"`
	Within      rules.Duration    `json:"within" toml:"within" doc:"so long after the deployment it may still take less; default 20m"`
	MinRequests int               `json:"min_requests,omitempty" toml:"min_requests" doc:"fewer of the service in the window: low-traffic; default: 20, or as many that chance alone never takes the share below min (30400 for 90% of 5%)"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{
		Name: "traffic",
		New: func() rules.Options {
			return &Options{Planned: quantity.Must("100%"), Min: quantity.Must("90%"), Within: rules.Duration(20 * time.Minute)}
		},
		Later: threshold.Later(),
	}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, errRequests := o.requests()
	return errors.Join(errRequests, checkPart("planned", o.Planned), checkPart("min", o.Min), o.checkRoom(), o.checkWithin(), threshold.CheckMinRequests(o.MinRequests))
}

func (o *Options) requests() (*promql.Selector, error) {
	requests, err := promql.ReadSelector("requests", o.Requests)
	if err == nil && (requests.Uses("version") || requests.Uses("slot")) {
		return nil, &rules.FieldError{
			Key: "requests", Hint: "leave the version to [select]: requests are counted with it and without it",
			Err: errors.New("counts one version, where the requests of the whole service are needed"),
		}
	}
	return requests, err
}

func checkPart(key string, part quantity.Quantity) error {
	known := part.Unit() == quantity.Ratio || part.Unit() == quantity.Plain
	if part.IsZero() || !known || part.Value() <= 0 || part.Value() > 1 {
		return &rules.FieldError{Key: key, Hint: `such as "90%" or 0.9`, Err: fmt.Errorf("%q is no part above 0 and up to 100 %%", part)}
	}
	return nil
}

// checkRoom refuses a min that chance alone breaks.
func (o *Options) checkRoom() error {
	if o.Min.Value() == 1 && o.Planned.Value() < 1 {
		return &rules.FieldError{Key: "min", Hint: `min = "90%"`, Err: fmt.Errorf("leaves no room: by chance a version takes less than %s every other time", o.Planned)}
	}
	return nil
}

func (o *Options) checkWithin() error {
	if o.Within < 0 {
		return &rules.FieldError{Key: "within", Err: fmt.Errorf("%s is negative", o.Within)}
	}
	return nil
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature {
	return rules.Nature{FewestKey: "min_requests", Fewest: threshold.MinOfShare(o.MinRequests, o.Planned.Value(), o.Min.Value())}
}

// Rule builds the rule. It refuses a setting in which the version's requests are not
// told from the service's, and a bake that is over before anything is judged.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	requests, errRequests := o.requests()
	scope, errScope := promql.NewScope(setting.Select)
	if err := errors.Join(errRequests, errScope); err != nil {
		return nil, err
	}
	if err := errors.Join(o.fits(setting), parts(scope, requests, setting.Select)); err != nil {
		return nil, err
	}
	limit := math.Round(o.Planned.Value()*o.Min.Value()*1e12) / 1e12 // 4.5 %, and not a little more
	return threshold.New(threshold.Config{
		Setting:  setting,
		Measure:  threshold.Per,
		Limits:   threshold.Limits{Min: &limit, Unit: quantity.Ratio},
		Subject:  "share of the requests",
		Of:       "requests",
		MinTotal: threshold.MinOfShare(o.MinRequests, o.Planned.Value(), o.Min.Value()),
		Within:   o.Within,
		Ask:      ask(scope, requests, setting),
		Read:     o.read,
	})
}

func (o *Options) fits(setting rules.Setting) error {
	if setting.Bake > 0 && o.Within+setting.For >= setting.Bake {
		return &rules.FieldError{
			Key: "within", Hint: "set a shorter within, or a longer bake",
			Err: fmt.Errorf("within (%s) and for (%s) must be over before bake (%s) is, or the rule could never be broken", o.Within, setting.For, setting.Bake),
		}
	}
	return nil
}

// parts says what is wrong where a version's requests are not told from all requests.
func parts(scope promql.Scope, requests *promql.Selector, s rules.Select) error {
	switch {
	case scope.Parts(requests):
		return nil
	case s.Version == "" && s.Join == nil && len(s.Slots) == 0:
		return &rules.FieldError{
			Key: "select", Hint: "set version, join or slots in [select], and leave select = \"none\" out of the rule",
			Err: errors.New("versions cannot be told apart, so nobody knows which requests are the new version's"),
		}
	}
	return &rules.FieldError{
		Key: "requests", Hint: "leave out the label that tells versions apart",
		Err: errors.New("settles, alone or with match of [select], which version is counted: its share would be all of the requests"),
	}
}

func ask(scope promql.Scope, requests *promql.Selector, setting rules.Setting) func(rules.Deployment) []rules.Query {
	return func(d rules.Deployment) []rules.Query {
		all := scope.Of(requests, promql.Arm{Deployment: d, Whole: true})
		return scope.Queries(setting.Source, d,
			scope.Series(requests, d).Count(setting.Interval),
			all.Count(setting.Interval),
			all.Present(),
		)
	}
}

func (o *Options) read(got []rules.Result) (threshold.Look, error) {
	taken, all, missing, err := threshold.Beside(got, "requests of the version", "requests")
	look := threshold.Look{Part: taken, Total: all, Missing: missing}
	switch {
	case missing:
		look.Note = "no series of requests of this version: is the label right?"
	case o.Planned.Value() < 1:
		look.Note = o.Planned.String() + " is planned"
	}
	return look, err
}
