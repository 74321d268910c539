package securityscan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
	"github.com/bakewatch/bakewatch/rules/threshold"
)

// askNew asks for the findings that are new, for both scans by themselves, and for
// findings without an id. Where no previous version is known it cannot be asked.
func (o *Options) askNew(findings, scanned *promql.Selector, source string) func(rules.Deployment) []rules.Query {
	var scope promql.Scope
	before, scannedBefore := findings.Of("version", "previous"), scanned
	if scanned != nil {
		scannedBefore = scanned.Of("version", "previous")
	}
	return func(d rules.Deployment) []rules.Query {
		now := func(s *promql.Selector) promql.Series { return scope.Series(s, d) }
		then := func(s *promql.Selector) promql.Series { return scope.Series(s, d).Lately() }
		severe, severeBefore := now(o.severe(findings)), then(o.severe(before))
		added := severe.Added(severeBefore, "severity")
		if o.ID != "" {
			added = severe.Unlike(then(before), o.ID) // one that is rated worse by now is not new
		}
		templates := slices.Concat([]string{added}, o.scan(findings, scanned, now), o.scan(before, scannedBefore, then))
		if o.ID != "" {
			templates = append(templates, severe.Nameless(severeBefore, o.ID))
		}
		return scope.Queries(source, d, templates...)
	}
}

// readNew reads the results of askNew. Without a scan of the previous version nobody
// knows what is new, which is not the same as nothing.
func (o *Options) readNew(got []rules.Result) (threshold.Look, error) {
	asked := o.asked()
	fresh, _, errFresh := threshold.CountOf(got[0], "new findings")
	now, errNow := o.readScan(got[1:1+asked], "this version")
	then, errThen := o.readScan(got[1+asked:1+2*asked], "the previous version")
	if err := errors.Join(errNow, errThen, errFresh, o.named(got[1+2*asked:])); err != nil {
		return threshold.Look{}, err
	}
	return threshold.Look{
		Value: fresh, Bad: fresh, Total: now,
		Note: fmt.Sprintf("%v in all, where the previous version has %v", now, then),
	}, nil
}

// named says that findings have no id: all those would be taken for one and the same.
func (o *Options) named(got []rules.Result) error {
	if o.ID == "" {
		return nil
	}
	nameless, _, err := threshold.CountOf(got[0], "findings without an id")
	if err == nil && nameless > 0 {
		err = rules.Failed(rules.WrongType, "%v series of findings have no label %s; name the label that tells findings apart, or leave id out", nameless, o.ID)
	}
	return err
}
