package pagerduty

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

// PagerDuty's limits (Events API v2): of the summary, of the key that tells incidents
// apart, and, with room for the rest, of the whole event (512 KB).
const (
	summaryLimit = 1024
	dedupLimit   = 255
	detailsLimit = 100 << 10 // bytes
	shortLimit   = 255       // of the fields that are names
)

// action is what an event does to its incident.
type action string

// The actions.
const (
	trigger     action = "trigger"
	acknowledge action = "acknowledge"
	resolve     action = "resolve"
)

// event is what the Events API takes.
type event struct {
	RoutingKey string   `json:"routing_key"`
	Action     action   `json:"event_action"`
	DedupKey   string   `json:"dedup_key"`
	Payload    *payload `json:"payload,omitempty"` // of a trigger
	Links      []link   `json:"links,omitempty"`
	Client     string   `json:"client,omitempty"`
}

type payload struct {
	Summary   string    `json:"summary"`
	Source    string    `json:"source"`
	Severity  string    `json:"severity"`
	Timestamp time.Time `json:"timestamp,omitzero"`
	Component string    `json:"component,omitempty"`
	Group     string    `json:"group,omitempty"`
	Class     string    `json:"class,omitempty"`
	Details   details   `json:"custom_details"`
}

// details are shown as a table.
type details struct {
	Reasons     string            `json:"reasons,omitempty"`
	Answers     map[string]string `json:"answers,omitempty"` // by choice: the command that gives it
	Needs       map[string]int    `json:"needs,omitempty"`
	Silence     string            `json:"silence,omitempty"`
	Service     string            `json:"service,omitempty"`
	Environment string            `json:"environment,omitempty"`
	Version     string            `json:"version,omitempty"`
	Target      string            `json:"target,omitempty"`
	Owner       string            `json:"owner,omitempty"`
	Watch       string            `json:"watch,omitempty"`
	Key         string            `json:"key"` // the same for every try
}

type link struct {
	Href string `json:"href"`
	Text string `json:"text,omitempty"`
}

// actionOf says what a message does to the incident of its watch.
func actionOf(m actions.Message) action {
	switch m.Attention {
	case actions.Over, actions.Spared:
		return resolve
	case actions.Given:
		return acknowledge
	case actions.Needed:
	}
	if m.Supersedes != nil {
		return resolve
	}
	return trigger
}

// severities are PagerDuty's words for the levels.
var severities = map[actions.Level]string{
	actions.Good: "info", actions.Neutral: "info", actions.Concern: "warning", actions.Urgent: "critical",
}

// compose makes the event of a message.
func compose(key string, m actions.Message) event {
	e := event{Action: actionOf(m), DedupKey: dedupKey(key, m)}
	if e.Action != trigger {
		return e
	}
	e.Client, e.Links = "Bakewatch", links(m)
	e.Payload = &payload{
		Summary: cmp.Or(actions.Shorten(actions.OneLine(m.Title), summaryLimit), "(no title)"), Source: cmp.Or(actions.Shorten(actions.OneLine(m.Service), shortLimit), "bakewatch"),
		Severity: cmp.Or(severities[m.Level], "warning"), Timestamp: m.At,
		Component: actions.Shorten(actions.OneLine(m.Service), shortLimit), Group: actions.Shorten(actions.OneLine(m.Environment), shortLimit), Class: actions.Shorten(actions.OneLine(m.Topic), shortLimit),
		Details: detailsOf(key, m),
	}
	return e
}

// prefix begins the keys of one Bakewatch's incidents.
func prefix(cluster string) string { return "bakewatch/" + cluster + "/" }

// dedupKey tells incidents apart: there is one for a watch; what belongs to none has one
// of its own.
func dedupKey(key string, m actions.Message) string {
	of := cmp.Or(m.Watch, key)
	if m.Supersedes != nil {
		of = m.Supersedes.Watch
	}
	if made := prefix(m.Cluster) + actions.OneLine(of); len(made) <= dedupLimit {
		return made
	}
	sum := sha256.Sum256([]byte(m.Cluster + "\x00" + of))
	return prefix("") + hex.EncodeToString(sum[:])
}

func detailsOf(key string, m actions.Message) details {
	d := details{
		Service: actions.OneLine(m.Service), Environment: actions.OneLine(m.Environment), Version: actions.OneLine(m.Version),
		Target: actions.OneLine(m.Target), Owner: actions.OneLine(m.Owner), Watch: actions.OneLine(m.Watch), Key: key,
	}
	var reasons []string
	for _, line := range m.Lines {
		if line = actions.OneLine(line); line != "" {
			reasons = append(reasons, line)
		}
	}
	d.Reasons = strings.Join(reasons, "\n")
	if len(d.Reasons) > detailsLimit {
		d.Reasons = strings.ToValidUTF8(d.Reasons[:detailsLimit], "") + "…"
	}
	if q := m.Question; q != nil {
		d.Needs, d.Silence, d.Answers = q.Needs, actions.OneLine(q.Silence), map[string]string{}
		for _, answer := range q.Answers {
			d.Answers[actions.OneLine(answer.Choice)] = actions.OneLine(answer.Command)
		}
	}
	return d
}

// maxLinks is more than anyone reads.
const maxLinks = 20

func links(m actions.Message) (found []link) {
	for _, l := range m.WebLinks()[:min(maxLinks, len(m.WebLinks()))] {
		found = append(found, link{Href: l.Address, Text: actions.Shorten(l.Label, shortLimit)})
	}
	return found
}

// marshal writes the event, with the secret in it.
func (e event) marshal(routingKey string) ([]byte, error) {
	e.RoutingKey = routingKey
	return json.Marshal(e)
}
