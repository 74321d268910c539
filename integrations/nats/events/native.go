package events

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// The most entries of a list or an object.
const (
	maxAuthors = 64
	maxLabels  = 32
	maxLinks   = 32
)

// fromNative reads an event in Bakewatch's own form: configs/deployment.schema.json.
func fromNative(f fields) (rules.Deployment, error) {
	d := rules.Deployment{ID: f.text("id", anyName), At: f.time("at"), Source: f.text("source", longLine)}
	about(f, &d)
	d.Step = cmp.Or(d.Step, rules.Finished)
	if len(f.rest) > 0 {
		d.Extra = f.rest
	}
	return d, f.err()
}

// about reads the fields that a native event and the customData of a CDEvent share.
func about(f fields, d *rules.Deployment) {
	d.Service = f.text("service", anyName)
	d.Environment = f.text("environment", anyName)
	d.Version = f.text("version", anyName)
	d.Step = oneOf(f, "step", rules.Steps())
	d.Strategy = oneOf(f, "strategy", rules.Strategies())
	d.Stage = f.text("stage", stageName)
	d.Slot = f.text("slot", anyName)
	d.Flag = f.text("flag", anyName)
	d.Cohort = f.text("cohort", anyName)
	d.Previous = f.text("previous", anyName)
	d.By = f.person("by")
	d.Authors = f.people("authors", maxAuthors)
	d.Release = f.text("release", shortLine)
	d.Reversible = f.yes("reversible")
	if retry := f.yes("retry"); retry != nil {
		d.Retry = *retry
	}
	d.Commit = f.text("commit", shortLine)
	d.Artifact = f.text("artifact", longLine)
	d.Labels = f.pairs("labels", maxLabels, line)
	d.Links = f.pairs("links", maxLinks, webLink)
	d.Notes = f.text("notes", prose)
}

// complete refuses a deployment that lacks what every watch needs.
func complete(d rules.Deployment) error {
	needed := []struct{ field, value, hint string }{
		{"id", d.ID, "give every event its own id: bakewatch announce makes one"},
		{"service", d.Service, "give it in the body, or publish to deployments.<environment>.<service>"},
		{"environment", d.Environment, "give it in the body, or publish to deployments.<environment>.<service>"},
		{"version", d.Version, ""},
	}
	for _, need := range needed {
		if need.value == "" {
			return refuse(need.field, meant(need.field, d.Extra, need.hint), "is missing")
		}
	}
	if d.Strategy == rules.FeatureToggle && d.Flag == "" {
		return refuse("flag", "a feature-toggle names its flag", "is missing")
	}
	if d.Step == rules.Stage && d.Stage == "" {
		return refuse("stage", `a step "stage" names the stage it reached, such as "25%"`, "is missing")
	}
	return nil
}

// meant returns the hint, or a better one if an unknown field differs from the
// missing one by case only.
func meant(field string, extra map[string]json.RawMessage, hint string) string {
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		if strings.EqualFold(key, field) {
			return "the event has " + quote(key) + ": names are lower case"
		}
	}
	return hint
}
