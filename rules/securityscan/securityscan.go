// Package securityscan is the rule kind security-scan: how many findings a scanner
// reports about the version, through metrics. A missing or an old scan is missing
// data: neither clean nor a reason to roll back.
//
// Start reading at Options, then newonly.go.
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
	NewOnly       bool              `json:"new_only,omitempty" toml:"new_only" doc:"only findings that the previous version did not have count; default false"`
	ID            string            `json:"id,omitempty" toml:"id" doc:"the label that names a finding, such as vulnerability_id, for new_only to tell new ones by; default: they are told by how many there are of each severity"`
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
		Later: threshold.Later(),
	}
}

// Check says what is wrong with the options.
func (o *Options) Check() error {
	_, errFindings := o.findings()
	_, errScanned := o.scanned()
	return errors.Join(errFindings, errScanned, o.checkMax(), o.checkSeverities(), o.checkID())
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

func (o *Options) checkID() error {
	wrong := func(hint, format string, args ...any) error {
		return &rules.FieldError{Key: "id", Hint: hint, Err: fmt.Errorf(format, args...)}
	}
	switch {
	case o.ID == "":
		return nil
	case !o.NewOnly:
		return wrong("new_only = true", "is of no use without new_only")
	case o.ID == "instance" || o.ID == "pod":
		return wrong("such as vulnerability_id", "%s names who exports a finding, not the finding", o.ID)
	}
	return promql.CheckLabel("id", o.ID)
}

// Nature says how the rule is judged.
func (o *Options) Nature() rules.Nature { return rules.Nature{Now: true} }

// Rule builds the rule. Nothing of [select] is added: a scan is of an image, not
// of a target that serves.
func (o *Options) Rule(setting rules.Setting) (rules.Rule, error) {
	findings, errFindings := o.findings()
	scanned, errScanned := o.scanned()
	if err := errors.Join(errFindings, errScanned); err != nil {
		return nil, err
	}
	limit := o.Max.Value()
	config := threshold.Config{
		Setting: setting,
		Measure: threshold.Level,
		Limits:  threshold.Limits{Max: &limit},
		Subject: "findings",
		Ask:     o.ask(findings, scanned, setting.Source),
		Read:    o.read,
	}
	if o.NewOnly {
		config.Subject = "findings that the previous version did not have"
		config.OnlyNew = "what a version had before it was rolled back to is not new"
		config.Ask, config.Read = o.askNew(findings, scanned, setting.Source), o.readNew
	}
	return threshold.New(config)
}

func (o *Options) ask(findings, scanned *promql.Selector, source string) func(rules.Deployment) []rules.Query {
	var scope promql.Scope
	return func(d rules.Deployment) []rules.Query {
		return scope.Queries(source, d, o.scan(findings, scanned, func(s *promql.Selector) promql.Series { return scope.Series(s, d) })...)
	}
}

// The answers about one scan, in their order. The last is there only with scanned_within.
const (
	count    = iota
	present  // series of any severity
	severity // those with the label
	age
)

// scan returns what is asked about one scan.
func (o *Options) scan(findings, scanned *promql.Selector, series func(*promql.Selector) promql.Series) []string {
	templates := []string{series(o.severe(findings)).Distinct(), series(findings).Present(), series(o.labelled(findings)).Present()}
	if scanned != nil {
		templates = append(templates, series(scanned).Age())
	}
	return templates
}

// asked returns how many answers there are about one scan.
func (o *Options) asked() int {
	if o.Scanned == "" {
		return age
	}
	return age + 1
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

func (o *Options) read(got []rules.Result) (threshold.Look, error) {
	findings, err := o.readScan(got, "this version")
	return threshold.Look{Value: findings, Bad: findings}, err
}

// readScan reads how many findings a scan had that counts.
func (o *Options) readScan(got []rules.Result, whose string) (float64, error) {
	findings, _, errFindings := threshold.CountOf(got[count], "findings of "+whose)
	_, found, errPresent := threshold.CountOf(got[present], "series of findings of "+whose)
	_, labelled, errLabelled := threshold.CountOf(got[severity], "series of findings of "+whose+" with a severity")
	err := errors.Join(errFindings, errPresent, errLabelled)
	switch {
	case err != nil:
		return 0, err
	case !found:
		return 0, rules.Failed(rules.Empty, "no scan of %s", whose)
	case !labelled:
		return 0, rules.Failed(rules.WrongType, "the findings of %s have no label severity; set severities = []", whose)
	case len(got) > age:
		err = o.fresh(got[age], whose)
	}
	return findings, err
}

// fresh says what is wrong with the age of a scan, in seconds.
func (o *Options) fresh(result rules.Result, whose string) error {
	within := time.Duration(o.ScannedWithin)
	seconds, known, err := threshold.One(result, "age of the scan of "+whose)
	switch {
	case err != nil:
		return err
	case !known:
		return rules.Failed(rules.Empty, "the time of the scan of %s is not known", whose)
	case seconds > within.Seconds():
		return rules.Failed(rules.Empty, "the scan of %s is %s old, more than %s", whose, quantity.Format(seconds, quantity.Seconds), rules.Duration(within))
	}
	return nil
}
