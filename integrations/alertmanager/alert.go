package alertmanager

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/actions"
)

// How long the texts of an alert may be, in runes. Alertmanager sets no limits, but what
// it hands on to does.
const (
	labelLimit = 200
	titleLimit = 1024
	textLimit  = 16 << 10
)

var labelPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// labelNames are the labels that tell alerts apart.
var labelNames = map[string]bool{
	"alertname": true, "bakewatch": true, "service": true, "environment": true, "version": true, "watch": true, "topic": true, "severity": true,
}

// alert is a postableAlert of Alertmanager's API v2.
type alert struct {
	Labels       model.LabelSet    `json:"labels"`
	Annotations  map[string]string `json:"annotations,omitempty"`
	StartsAt     time.Time         `json:"startsAt,omitzero"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL,omitempty"`
}

// severities are the values of the label severity, the most urgent first.
var severities = []string{"critical", "warning", "info"}

// severity is that of a message that fires.
func severity(m actions.Message) string {
	switch {
	case m.Attention == actions.Spared:
		return "warning" // what is urgent is being done
	case m.Level == actions.Urgent:
		return "critical"
	case m.Level == actions.Good, m.Level == actions.Neutral:
		return "info"
	}
	return "warning"
}

// compose makes the alerts of a message: one that fires, or the ends of all those that
// may be firing for a watch. To end one that never fired does nothing.
func (c *channel) compose(key string, m actions.Message, now time.Time) []alert {
	at := m.At
	if at.IsZero() {
		at = now
	}
	over := m
	switch {
	case m.Supersedes != nil:
		over.Watch, over.Version = m.Supersedes.Watch, m.Supersedes.Version
	case m.Attention != actions.Over:
		return []alert{{
			Labels: c.label(m, severity(m)), Annotations: annotations(key, m),
			StartsAt: at, EndsAt: at.Add(c.lasts), GeneratorURL: firstLink(m),
		}}
	}
	alerts := make([]alert, len(severities))
	for i, severity := range severities {
		alerts[i] = alert{Labels: c.label(over, severity), Annotations: annotations(key, m), EndsAt: at}
	}
	return alerts
}

// label names an alert. What belongs to no watch is told apart by its topic.
func (c *channel) label(m actions.Message, severity string) model.LabelSet {
	labels := model.LabelSet{model.AlertNameLabel: "BakewatchRollback", "severity": model.LabelValue(severity)}
	for name, value := range c.labels {
		labels[model.LabelName(name)] = model.LabelValue(value)
	}
	own := map[model.LabelName]string{
		"bakewatch": m.Cluster, "service": m.Service, "environment": m.Environment, "version": m.Version, "watch": m.Watch,
	}
	if m.Watch == "" {
		own["topic"] = m.Topic
	}
	for name, value := range own {
		if value = actions.Shorten(actions.OneLine(value), labelLimit); value != "" {
			labels[name] = model.LabelValue(value)
		}
	}
	return labels
}

// annotations are what people read.
func annotations(key string, m actions.Message) map[string]string {
	var text []string
	for _, line := range slices.Concat(m.Lines, m.Question.Lines()) {
		if line = actions.OneLine(line); line != "" {
			text = append(text, line)
		}
	}
	said := map[string]string{
		"summary": actions.Shorten(actions.OneLine(m.Title), titleLimit), "description": shorten(text, m.Question.Lines()),
		"target": m.Target, "owner": m.Owner, "topic": m.Topic, "message": key,
	}
	for _, link := range m.WebLinks() {
		if link.Label == "runbook" {
			said["runbook_url"] = link.Address
		}
	}
	for name, value := range said {
		said[name] = strings.ToValidUTF8(value, "")
	}
	maps.DeleteFunc(said, func(_, value string) bool { return value == "" })
	return said
}

// shorten joins the lines; of too many the last, which say how to answer, are kept.
func shorten(lines, last []string) string {
	whole := strings.Join(lines, "\n")
	if len([]rune(whole)) <= textLimit {
		return whole
	}
	end := strings.Join(last, "\n")
	return actions.Shorten(whole, max(1, textLimit-len([]rune(end))-1)) + "\n" + end
}

// firstLink is where the alert leads to; the runbook has its own place.
func firstLink(m actions.Message) string {
	for _, link := range m.WebLinks() {
		if link.Label != "runbook" {
			return link.Address
		}
	}
	return ""
}
