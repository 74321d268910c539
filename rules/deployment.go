package rules

import (
	"encoding/json"
	"strings"
	"time"
)

// Strategy is how a deployment brings a version live.
type Strategy string

// The strategies Bakewatch knows.
const (
	Rolling       Strategy = "rolling"
	BlueGreen     Strategy = "blue-green"
	Canary        Strategy = "canary"
	FeatureToggle Strategy = "feature-toggle"
)

// Strategies lists every strategy, in the order of the documentation.
func Strategies() []Strategy { return []Strategy{Rolling, BlueGreen, Canary, FeatureToggle} }

// Words lists the strategies as people write them.
func (Strategy) Words() []string {
	return []string{string(Rolling), string(BlueGreen), string(Canary), string(FeatureToggle)}
}

// Step is what a deployment tool reports about a deployment.
type Step string

// The steps of a deployment. An event without a step is Finished.
const (
	Started    Step = "started"
	Stage      Step = "stage"
	Finished   Step = "finished"
	RolledBack Step = "rolled-back" // Version is then the version gone back to
	Cancelled  Step = "cancelled"
)

// Steps lists every step, in the order in which they happen.
func Steps() []Step { return []Step{Started, Stage, Finished, RolledBack, Cancelled} }

// Deployment is one version of one service put live in one environment. It is
// also the shape of one event about it: the JSON names are those of the native
// event (configs/deployment.schema.json). Every value comes from outside and
// must never become code: not PromQL, shell, URL or HTML.
type Deployment struct {
	ID          string            `json:"id"`
	Service     string            `json:"service"`
	Environment string            `json:"environment"`
	Version     string            `json:"version"`
	Step        Step              `json:"step,omitempty"`
	Strategy    Strategy          `json:"strategy,omitempty"`
	Stage       string            `json:"stage,omitempty"`
	Slot        string            `json:"slot,omitempty"`
	Flag        string            `json:"flag,omitempty"`
	Cohort      string            `json:"cohort,omitempty"`
	Previous    string            `json:"previous,omitempty"`
	At          time.Time         `json:"at,omitzero"`
	By          string            `json:"by,omitempty"`
	Authors     []string          `json:"authors,omitempty"`
	Release     string            `json:"release,omitempty"`
	Reversible  *bool             `json:"reversible,omitempty"`
	Retry       bool              `json:"retry,omitempty"`
	Commit      string            `json:"commit,omitempty"`
	Artifact    string            `json:"artifact,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Links       map[string]string `json:"links,omitempty"`
	Notes       string            `json:"notes,omitempty"`

	// Source names who published the event (a CloudEvent's source, or a subject).
	Source string `json:"source,omitempty"`
	// Extra holds the event's fields that Bakewatch does not know; they are kept
	// and shown, never used.
	Extra map[string]json.RawMessage `json:"extra,omitempty"`
}

// Lane returns the lane that the deployment belongs to.
func (d Deployment) Lane() LaneID {
	id := LaneID{Environment: d.Environment, Service: d.Service}
	if d.Strategy == FeatureToggle {
		id.Flag = d.Flag
	}
	return id
}

// Values returns what the placeholders of a query stand for, without the dollar
// sign. A placeholder whose value is unknown is absent.
func (d Deployment) Values() map[string]string {
	values := map[string]string{
		"service": d.Service, "environment": d.Environment, "version": d.Version,
		"previous": d.Previous, "flag": d.Flag, "cohort": d.Cohort, "slot": d.Slot,
	}
	for name, value := range values {
		if value == "" {
			delete(values, name)
		}
	}
	return values
}

// LaneID names a lane: one service in one environment, plus the flag for toggles.
type LaneID struct {
	Environment string `json:"environment"`
	Service     string `json:"service"`
	Flag        string `json:"flag,omitempty"`
}

// OfService returns the lane of the service as a whole: without the flag.
func (id LaneID) OfService() LaneID {
	id.Flag = ""
	return id
}

// String returns the lane's name for people. Names may contain slashes, so it is
// no key: use the LaneID itself.
func (id LaneID) String() string {
	parts := []string{id.Environment, id.Service}
	if id.Flag != "" {
		parts = append(parts, id.Flag)
	}
	return strings.Join(parts, "/")
}
