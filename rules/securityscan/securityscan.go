// Package securityscan is the rule kind security-scan: how many findings a scanner
// reports about the version, through metrics. A missing or an old scan is missing
// data: neither clean nor a reason to roll back.
//
// Start reading at Options.
package securityscan

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/quantity"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// Options are those of a [[rule]] of kind security-scan.
type Options struct {
	Findings      string            `json:"findings" toml:"findings" doc:"the number of findings, as a selector with $version: trivy_image_vulnerabilities{image_tag=\"$version\"}"`
	Severities    []string          `json:"severities" toml:"severities" doc:"values of the label severity that count, in any case; default critical and high"`
	Max           quantity.Quantity `json:"max" toml:"max" doc:"how many findings are allowed; default 0"`
	ScannedWithin rules.Duration    `json:"scanned_within,omitzero" toml:"scanned_within" doc:"an older scan is no-data; needs scanned; default: any age"`
	Scanned       string            `json:"scanned,omitempty" toml:"scanned" doc:"the Unix time of the scan, as a selector; needed for scanned_within"`
}

// Kind returns the kind.
func Kind() rules.Kind {
	return rules.Kind{
		Name: "security-scan",
		New: func() rules.Options {
			return &Options{Severities: []string{"critical", "high"}, Max: quantity.Must("0")}
		},
		Later: threshold.Later("new_only"),
	}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, errFindings := o.findings()
	_, errScanned := o.scanned()
	return errors.Join(errFindings, errScanned, o.checkMax(), o.checkSeverities())
}

func (o *Options) findings() (*promql.Selector, error) {
	findings, err := promql.ReadSelector("findings", o.Findings)
	if err == nil && !findings.Uses("version") {
		return nil, &rules.FieldError{Key: "findings", Hint: `such as image_tag="$version"`, Err: errors.New("does not say which version was scanned")}
	}
	return findings, err
}

// scanned returns the selector of the time of the scan, or nil.
func (o *Options) scanned() (*promql.Selector, error) {
	switch {
	case o.ScannedWithin < 0:
		return nil, &rules.FieldError{Key: "scanned_within", Err: fmt.Errorf("%s is negative", o.ScannedWithin)}
	case o.Scanned == "" && o.ScannedWithin > 0:
		return nil, &rules.FieldError{
			Key: "scanned_within", Hint: "scanned = a metric whose value is the Unix time of the scan",
			Err: errors.New("needs scanned: the time of a sample is that of the scrape, not of the scan"),
		}
	case o.Scanned == "":
		return nil, nil
	case o.ScannedWithin == 0:
		return nil, &rules.FieldError{Key: "scanned", Hint: `scanned_within = "24h"`, Err: errors.New("is of no use without scanned_within")}
	}
	return promql.ReadSelector("scanned", o.Scanned)
}

func (o *Options) checkMax() error {
	if o.Max.IsZero() || o.Max.Unit() != quantity.Plain || o.Max.Value() < 0 || o.Max.Value() != math.Trunc(o.Max.Value()) {
		return &rules.FieldError{Key: "max", Hint: "max = 0", Err: fmt.Errorf("%q is no number of findings", o.Max)}
	}
	return nil
}

func (o *Options) checkSeverities() error {
	for _, severity := range o.Severities {
		if strings.TrimSpace(severity) == "" {
			return &rules.FieldError{Key: "severities", Err: errors.New("an empty severity")}
		}
	}
	return nil
}

// Rule builds the rule. Nothing of [select] is added: a scan is of an image, not
// of a target that serves.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	findings, errFindings := o.findings()
	scanned, errScanned := o.scanned()
	if err := errors.Join(errFindings, errScanned); err != nil {
		return nil, err
	}
	limit, within := o.Max.Value(), time.Duration(o.ScannedWithin)
	return threshold.New(threshold.Config{
		Setting: setting,
		Measure: threshold.Level,
		Limits:  threshold.Limits{Max: &limit},
		Subject: "findings",
		Ask:     o.ask(findings, scanned, setting.Source),
		Read:    func(got []rules.Result) (threshold.Look, error) { return read(got, within) },
	})
}

func (o *Options) ask(findings, scanned *promql.Selector, source string) func(rules.Deployment) []rules.Query {
	var scope promql.Scope
	return func(d rules.Deployment) []rules.Query {
		all, labelled := scope.Series(findings, d), scope.Series(o.labelled(findings), d)
		templates := []string{scope.Series(o.severe(findings), d).Distinct(), all.Present(), labelled.Present()}
		if scanned != nil {
			templates = append(templates, scope.Series(scanned, d).Age())
		}
		return scope.Queries(source, d, templates...)
	}
}

// labelled returns the findings that can be told apart by severity, as far as that
// is wanted: none of them beside others is no count of zero.
func (o *Options) labelled(findings *promql.Selector) *promql.Selector {
	if len(o.Severities) == 0 || findings.Has("severity") {
		return findings
	}
	return findings.Labelled("severity")
}

// severe returns the findings of the severities that count. A selector that
// matches on severity itself is left as it is.
func (o *Options) severe(findings *promql.Selector) *promql.Selector {
	if len(o.Severities) == 0 {
		return findings
	}
	quoted := make([]string, len(o.Severities))
	for i, severity := range o.Severities {
		quoted[i] = promql.EscapeDollars(regexp.QuoteMeta(severity))
	}
	return findings.Matching("severity", "(?i:"+strings.Join(quoted, "|")+")")
}

func read(got []rules.Result, within time.Duration) (threshold.Look, error) {
	findings, _, errFindings := threshold.CountOf(got[0], "findings")
	_, present, errPresent := threshold.CountOf(got[1], "series of findings")
	_, labelled, errLabelled := threshold.CountOf(got[2], "series of findings with a severity")
	err := errors.Join(errFindings, errPresent, errLabelled)
	switch {
	case err != nil:
		return threshold.Look{}, err
	case !present:
		return threshold.Look{}, rules.Failed(rules.Empty, "no scan of this version")
	case !labelled:
		return threshold.Look{}, rules.Failed(rules.WrongType, "the findings have no label severity; set severities = []")
	case len(got) > 3:
		err = fresh(got[3], within)
	}
	return threshold.Look{Value: findings, Bad: findings}, err
}

// fresh says what is wrong with the age of the scan, in seconds.
func fresh(result rules.Result, within time.Duration) error {
	seconds, present, err := threshold.One(result, "age of the scan")
	switch {
	case err != nil:
		return err
	case !present:
		return rules.Failed(rules.Empty, "the time of the scan is not known")
	case seconds > within.Seconds():
		return rules.Failed(rules.Empty, "the scan is %s old, more than %s", quantity.Format(seconds, quantity.Seconds), rules.Duration(within))
	}
	return nil
}
