package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
	"github.com/bakewatch/bakewatch/watcher/replay"
)

// replayed is what replay found.
type replayed struct {
	peers    []replay.Peer
	findings []replay.Finding
}

func (p *program) printReplayed(found replayed) error {
	if p.output == jsonOut {
		return p.json(found.report())
	}
	header := []string{"RECORDING", "DEPLOYMENT", "IS", "WOULD BE", "AFTER"}
	for _, peer := range found.peers {
		header = append(header, "BY "+peer.Name)
	}
	var rows []row
	for _, f := range found.findings {
		if f.Deployment.Bad || f.Detected() {
			rows = append(rows, found.row(f))
		}
	}
	out := p.printer()
	if len(rows) > 0 {
		out.table("", append(header, "WHY"), rows)
	}
	total := replay.Count(found.findings)
	out.line(plain, "%s", sentence("bakewatch", total))
	for i, peer := range found.peers {
		out.line(plain, "%s", sentence(peer.Name, replay.CountPeer(found.findings, i)))
	}
	out.line(bold, "%s", total)
	return nil
}

// row is one deployment that was bad, or would have been stopped.
func (r replayed) row(f replay.Finding) row {
	is, colour := "good", red
	switch {
	case f.Deployment.Bad && f.Detected():
		is, colour = "bad", green
	case f.Deployment.Bad:
		is, colour = "bad", yellow
	}
	cells := []string{f.Recording, f.Deployment.Name, is, fate(f), passed(f.After())}
	for i := range r.peers {
		cells = append(cells, passed(f.Peers[i]))
	}
	return row{colour: colour, cells: append(cells, why(f))}
}

// fate says in a word what would have become of a deployment.
func fate(f replay.Finding) string {
	switch {
	case f.Power >= rules.Auto:
		return string(watcher.RolledBack)
	case f.Power == rules.Ask:
		return "asked about"
	case f.Power == rules.Notify:
		return "told about"
	case f.Outcome != "":
		return string(f.Outcome)
	}
	return string(watcher.Undecided)
}

// why is the arithmetic: of the rule that spoke, or else of the most evidence that there
// was, or else what all rules said last.
func why(f replay.Finding) string {
	switch {
	case f.Power > rules.None:
		return f.Why
	case f.Most.Test != nil:
		return f.Most.Rule + ": " + f.Most.Why
	}
	said := make([]string, len(f.Said))
	for i, answer := range f.Said {
		said[i] = answer.Rule + ": " + answer.Why
	}
	return strings.Join(said, "; ")
}

func passed(d time.Duration) string {
	if d == 0 {
		return "-"
	}
	return short(d)
}

// sentence says what one way to judge made of the deployments.
func sentence(judge string, t replay.Tally) string {
	text := fmt.Sprintf("%s: stopped %d of %d bad deployments", judge, t.Detected, t.Bad)
	if t.Detected > 0 {
		text += fmt.Sprintf(", half of them within %s", short(t.Median))
	}
	if asked := t.Detected - t.Alone; asked > 0 {
		text += fmt.Sprintf(", asking people about %d", asked)
	}
	text += fmt.Sprintf("; and %d of %d good ones", t.False, t.Healthy)
	if asked := t.False - t.FalseAlone; asked > 0 {
		text += fmt.Sprintf(", asking about %d", asked)
	}
	return text
}

// replayReport is what replay prints as JSON.
type replayReport struct {
	Deployments []replayedDeployment `json:"deployments"`
	Judges      []replayedBy         `json:"judges"`
	// The counts of the last line of text.
	Bad      int `json:"bad"`
	Detected int `json:"detected"`
	Healthy  int `json:"healthy"`
	False    int `json:"false"`
}

type replayedDeployment struct {
	Recording  string            `json:"recording"`
	Deployment string            `json:"deployment"`
	At         time.Time         `json:"at"`
	Bad        bool              `json:"bad"`
	Detected   bool              `json:"detected"`
	Power      rules.Power       `json:"power"`
	After      string            `json:"after,omitempty"`
	Rule       string            `json:"rule,omitempty"`
	Why        string            `json:"why,omitempty"`
	Outcome    watcher.Outcome   `json:"outcome,omitempty"`
	Peers      map[string]string `json:"peers,omitempty"` // how long after the deployment each would have stopped it
}

// replayedBy is what one way to judge made of the deployments.
type replayedBy struct {
	Name string `json:"name"`
	replay.Tally
	Median string `json:"median,omitempty"` // of the detected: how long after the deployment
}

func (r replayed) report() replayReport {
	total := replay.Count(r.findings)
	report := replayReport{
		Deployments: []replayedDeployment{}, Judges: []replayedBy{judged("bakewatch", total)},
		Bad: total.Bad, Detected: total.Detected, Healthy: total.Healthy, False: total.False,
	}
	for i, peer := range r.peers {
		report.Judges = append(report.Judges, judged(peer.Name, replay.CountPeer(r.findings, i)))
	}
	for _, f := range r.findings {
		one := replayedDeployment{
			Recording: f.Recording, Deployment: f.Deployment.Name, At: f.Deployment.At, Bad: f.Deployment.Bad,
			Detected: f.Detected(), Power: f.Power, Rule: f.Rule, Why: why(f), Outcome: f.Outcome,
		}
		if f.After() > 0 {
			one.After = rules.Duration(f.After()).String()
		}
		for i, peer := range r.peers {
			if f.Peers[i] > 0 {
				if one.Peers == nil {
					one.Peers = map[string]string{}
				}
				one.Peers[peer.Name] = rules.Duration(f.Peers[i]).String()
			}
		}
		report.Deployments = append(report.Deployments, one)
	}
	return report
}

func judged(name string, t replay.Tally) replayedBy {
	by := replayedBy{Name: name, Tally: t}
	if t.Median > 0 {
		by.Median = rules.Duration(t.Median).String()
	}
	return by
}
