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
	var rows []row
	for _, f := range found.findings {
		if f.Deployment.Bad || f.Detected() {
			rows = append(rows, deploymentRow(f))
		}
	}
	out := p.printer()
	if len(rows) > 0 {
		out.table("", []string{"RECORDING", "DEPLOYMENT", "IS", "WOULD BE", "AFTER", "BY PEERS", "WHY"}, rows)
	}
	rows = nil
	for _, j := range found.judges() {
		rows = append(rows, row{cells: j.cells()})
	}
	out.table("", []string{"JUDGE", "DETECTED", "HALF WITHIN", "FALSE", "REMARKS"}, rows)
	out.line(bold, "%s", replay.Count(found.findings))
	return nil
}

// deploymentRow is one deployment that was bad, or would have been stopped.
func deploymentRow(f replay.Finding) row {
	is, colour := "good", red
	switch {
	case f.Deployment.Bad && f.Detected():
		is, colour = "bad", green
	case f.Deployment.Bad:
		is, colour = "bad", yellow
	}
	stopped := 0
	for _, peer := range f.Peers {
		if peer.After > 0 {
			stopped++
		}
	}
	peers := fmt.Sprintf("%d of %d", stopped, len(f.Peers))
	return row{colour: colour, cells: []string{f.Recording, f.Deployment.Name, is, fate(f), passed(f.After()), peers, why(f)}}
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

// judge is one way to judge, and what it made of the deployments.
type judge struct {
	name string
	replay.Tally
}

// judges are Bakewatch and the peers.
func (r replayed) judges() []judge {
	judges := []judge{{"bakewatch", replay.Count(r.findings)}}
	for i, peer := range r.peers {
		judges = append(judges, judge{peer.Name, replay.CountPeer(r.findings, i)})
	}
	return judges
}

func (j judge) cells() []string {
	cells := []string{
		j.name, fmt.Sprintf("%d of %d", j.Detected, j.Bad), passed(j.Median), fmt.Sprintf("%d of %d", j.False, j.Healthy),
	}
	if asked, wrongly := j.Detected-j.Alone, j.False-j.FalseAlone; asked+wrongly > 0 {
		cells = append(cells, fmt.Sprintf("asks people about %d and %d of them", asked, wrongly))
	}
	if j.Unable > 0 {
		cells = append(cells, fmt.Sprintf("cannot judge %d: too little is known of the time before", j.Unable))
	}
	return cells
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
	Peers      map[string]string `json:"peers,omitempty"`  // how long after the deployment each that would have stopped it
	Unable     []string          `json:"unable,omitempty"` // peers that could not judge it
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
		Deployments: []replayedDeployment{},
		Bad:         total.Bad, Detected: total.Detected, Healthy: total.Healthy, False: total.False,
	}
	for _, j := range r.judges() {
		report.Judges = append(report.Judges, j.report())
	}
	for _, f := range r.findings {
		one := replayedDeployment{
			Recording: f.Recording, Deployment: f.Deployment.Name, At: f.Deployment.At, Bad: f.Deployment.Bad,
			Detected: f.Detected(), Power: f.Power, Rule: f.Rule, Why: why(f), Outcome: f.Outcome, Peers: map[string]string{},
		}
		if f.After() > 0 {
			one.After = rules.Duration(f.After()).String()
		}
		for i, peer := range r.peers {
			switch found := f.Peers[i]; {
			case found.After > 0:
				one.Peers[peer.Name] = rules.Duration(found.After).String()
			case found.Unable:
				one.Unable = append(one.Unable, peer.Name)
			}
		}
		report.Deployments = append(report.Deployments, one)
	}
	return report
}

func (j judge) report() replayedBy {
	by := replayedBy{Name: j.name, Tally: j.Tally}
	if j.Median > 0 {
		by.Median = rules.Duration(j.Median).String()
	}
	return by
}
