package watcher

import (
	"context"
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// StageVerdict is what a deployment tool may do now with a version.
type StageVerdict string

// The verdicts.
const (
	Promote  StageVerdict = "promote"   // the stage is well, or the watch has passed
	Hold     StageVerdict = "hold"      // not yet, or it cannot be told
	RollBack StageVerdict = "roll-back" // it was decided to roll back
)

// Advice is a verdict in words, and of which watch.
type Advice struct {
	Verdict     StageVerdict `json:"verdict"`
	Why         string       `json:"why"`
	Service     string       `json:"service"`
	Environment string       `json:"environment"`
	Version     string       `json:"version"`
	Stage       string       `json:"stage,omitempty"` // the one that is watched now
	Watch       uint64       `json:"watch"`
	ID          string       `json:"id"` // of the event
	Phase       Phase        `json:"phase"`
	Outcome     Outcome      `json:"outcome,omitempty"`
}

// Enquiry is what a deployment tool wants to know about a service; an empty environment,
// version or stage is the one that there is.
type Enquiry struct {
	Service     string `json:"service"`
	Environment string `json:"environment,omitempty"`
	Version     string `json:"version,omitempty"`
	Stage       string `json:"stage,omitempty"`
}

// Advise says what the tool may do. It fails with ErrNotFound for a service that was
// never watched, and as Desk.Show does.
func Advise(ctx context.Context, desk Desk, about Enquiry) (Advice, error) {
	view, err := desk.Show(ctx, Ref{Name: about.Service, Environment: about.Environment, Unflagged: true})
	if err != nil {
		return Advice{}, err
	}
	if view.Lane.Service != about.Service {
		return Advice{}, fmt.Errorf("no watch of a service %q: %w", about.Service, ErrNotFound)
	}
	return view.Advice(about.Version, about.Stage), nil
}

// Advice says what a tool may do with a version that has reached a stage; empty: with the
// version, and at the stage, that is watched, or was watched last.
func (v WatchView) Advice(version, stage string) Advice {
	advice := Advice{
		Service: v.Lane.Service, Environment: v.Lane.Environment, Version: v.Version, Stage: v.stage(),
		Watch: v.Watch, ID: v.ID, Phase: v.Phase, Outcome: v.Outcome,
	}
	advice.Verdict, advice.Why = v.judged(), v.because()
	switch {
	case version != "" && version != v.Version:
		advice.Verdict, advice.Why = Hold, fmt.Sprintf("the last watch is of version %s, not of %s: was it announced?", v.Version, version)
	case advice.Verdict == Promote && stage != "" && v.Outcome == "" && stage != v.stage():
		advice.Verdict, advice.Why = Hold, fmt.Sprintf("the deployment is at stage %s, not at %s: was it announced?", v.stage(), stage)
	}
	return advice
}

func (v WatchView) stage() string {
	if v.Stage == nil {
		return ""
	}
	return v.Stage.Name
}

// goesBack says whether what was decided is a rollback, and not what is done where there
// is no way back.
func (v WatchView) goesBack() bool {
	switch v.Outcome {
	case RolledBack:
		return true
	case RollbackFailed, Unknown:
		return v.Target != "" // where the rollback was to go to
	default:
		return v.Decision != nil && (v.Ruling == nil || v.Ruling.Otherwise == "")
	}
}

// judged is hold for all that is neither found well nor decided: missing data
// promotes nothing and rolls nothing back.
func (v WatchView) judged() StageVerdict {
	switch v.Outcome {
	case Passed:
		return Promote
	case RolledBack, RollbackFailed, Unknown:
		if !v.goesBack() {
			return Hold
		}
		return RollBack
	case "":
		switch {
		case v.goesBack():
			return RollBack
		case v.Decision != nil:
			return Hold
		case v.Stage != nil && !v.Stage.Passed.IsZero() && v.Question == nil:
			return Promote
		}
	default:
	}
	return Hold
}

// because says how the watch stands and what keeps it from passing.
func (v WatchView) because() string {
	text := string(v.Phase)
	if v.Outcome != "" {
		text = string(v.Outcome)
	}
	if s := v.Stage; s != nil {
		text += ", stage " + s.Name
		if !s.Passed.IsZero() {
			text += " is well"
		}
	}
	if v.Aside != "" {
		text += ": nobody watches it until Bakewatch is started again: " + v.Aside
	}
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	for _, answer := range v.Answers {
		if answer.Verdict != rules.Healthy {
			text += fmt.Sprintf("; %s is %s", answer.Rule, answer.Verdict)
			if why := strings.TrimSpace(answer.Why); why != "" {
				text += " (" + why + ")"
			}
		}
	}
	return text
}
