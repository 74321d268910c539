// Package kinds lists the kinds of rules there are, and builds a plan's rules from
// them. A kind that is not in the list does not exist.
//
// It judges nothing. Start reading at All.
package kinds

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/adoption"
	"github.com/bakewatch/bakewatch/rules/compare"
	"github.com/bakewatch/bakewatch/rules/crash"
	"github.com/bakewatch/bakewatch/rules/errorrate"
	"github.com/bakewatch/bakewatch/rules/feedback"
	"github.com/bakewatch/bakewatch/rules/latency"
	"github.com/bakewatch/bakewatch/rules/query"
	"github.com/bakewatch/bakewatch/rules/saturation"
	"github.com/bakewatch/bakewatch/rules/securityscan"
	"github.com/bakewatch/bakewatch/rules/traffic"
	"github.com/bakewatch/bakewatch/rules/up"
)

// All lists the kinds, in the order of the documentation.
func All() []rules.Kind {
	return []rules.Kind{
		errorrate.Kind(),
		latency.Kind(),
		securityscan.Kind(),
		crash.Kind(),
		up.Kind(),
		saturation.Kind(),
		traffic.Kind(),
		adoption.Kind(),
		feedback.Kind(),
		query.Kind(),
	}
}

// Later lists the kinds that a later version brings: refused as "not yet
// supported", never as unknown.
func Later() []string { return nil }

// Build makes the rules of a plan, in its order. All errors are joined, each with
// its rule's name.
func Build(plan rules.Plan) ([]rules.Rule, error) {
	built := make([]rules.Rule, 0, len(plan.Rules))
	var wrong []error
	for _, spec := range plan.Rules {
		rule, err := build(plan, spec)
		if err != nil {
			wrong = append(wrong, fmt.Errorf("rule %q: %w", spec.Name, err))
			continue
		}
		built = append(built, rule)
	}
	return built, errors.Join(wrong...)
}

// build makes a rule, with the services that it borrows.
func build(plan rules.Plan, spec rules.Spec) (rules.Rule, error) {
	rule, err := own(plan, spec)
	if err != nil || len(spec.Stations) == 0 {
		return rule, err
	}
	comparing, compares := rule.(*compare.Rule)
	if !compares {
		return nil, errors.New("it compares nothing, and borrows no other service")
	}
	lent := make([]compare.Lent, len(spec.Stations))
	for i, station := range spec.Stations {
		lent[i] = lend(plan, station)
	}
	borrowing, err := comparing.Borrow(lent)
	if err != nil {
		return nil, err
	}
	return borrowing, nil
}

// lend makes another service's own rule, to be asked as the plan's are.
func lend(plan rules.Plan, station rules.Station) compare.Lent {
	lent := compare.Lent{Service: station.Service, Missing: station.Missing}
	switch {
	case lent.Missing != "":
		return lent
	case station.Rule == nil:
		lent.Missing = "no rule of it is known"
		return lent
	}
	plan.Select = station.Select
	rule, err := own(plan, *station.Rule)
	if err != nil {
		lent.Missing = "its rule cannot be built: " + err.Error()
	}
	lent.Rule = rule
	return lent
}

// own makes a rule that borrows nothing.
func own(plan rules.Plan, spec rules.Spec) (rules.Rule, error) {
	options, err := read(spec)
	if err != nil {
		return nil, err
	}
	if err := options.Check(); err != nil {
		return nil, err
	}
	setting := rules.Setting{
		Spec: spec, Interval: plan.Interval, Source: plan.Source, Select: plan.Select, Bake: plan.Bake,
		FalseAlarms: plan.FalseAlarms,
	}
	if spec.Selecting == rules.SelectNone {
		setting.Select = rules.Select{}
	}
	return options.Rule(setting)
}

// read decodes a rule's options. A key that the kind does not know is an error: a
// plan written by a newer version is not half understood.
func read(spec rules.Spec) (rules.RuleOptions, error) {
	for _, kind := range All() {
		if kind.Name != spec.Kind {
			continue
		}
		options, ok := kind.New().(rules.RuleOptions)
		if !ok {
			return nil, fmt.Errorf("kind %q makes no rules", kind.Name)
		}
		if len(spec.Options) == 0 {
			return options, nil
		}
		decoder := json.NewDecoder(bytes.NewReader(spec.Options))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(options); err != nil {
			return nil, fmt.Errorf("options of kind %q: %w", spec.Kind, err)
		}
		return options, nil
	}
	return nil, fmt.Errorf("unknown kind %q", spec.Kind)
}
