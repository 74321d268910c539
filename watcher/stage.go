package watcher

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// Stage is how far a deployment in stages has come. It is a value: its methods return
// a new one, and nil for none.
type Stage struct {
	Name   string
	Since  time.Time // when its clock started
	Passed time.Time // since when it is well; zero: it is not
	Held   time.Time // when people were told last that it is not well; zero: never
	Holds  int       // and how often
}

func (s *Stage) passed(at time.Time) *Stage { return s.with(func(n *Stage) { n.Passed = at }) }
func (s *Stage) held(at time.Time) *Stage {
	return s.with(func(n *Stage) { n.Passed, n.Held, n.Holds = time.Time{}, at, n.Holds+1 })
}

// asked takes back that it is well: people are to decide, and whatever they say it must
// be seen to be well again before its tool may go on.
func (s *Stage) asked() *Stage { return s.with(func(n *Stage) { n.Passed = time.Time{} }) }

// Whoever is well by turns is called well again ever later: the first time at once, then
// after a minute, and after twice as long each time, at most a day.
const (
	shortestRest = time.Minute
	longestRest  = 24 * time.Hour
)

// restsUntil returns before when the stage is not called well again.
func (s *Stage) restsUntil() time.Time {
	if s.Holds < 2 {
		return s.Held
	}
	return s.Held.Add(min(shortestRest<<min(s.Holds-2, 11), longestRest))
}

func (s *Stage) with(change func(*Stage)) *Stage {
	if s == nil {
		return nil
	}
	next := *s
	change(&next)
	return &next
}

// reach starts a stage's clock. What the rules have seen stays: it is the same version,
// and more of it. A step that comes late says nothing of where the deployment is now.
func (w *Watch) reach(d rules.Deployment, at time.Time) {
	if d.Step != rules.Stage || !w.Finished.IsZero() {
		return
	}
	since := at
	if !d.At.IsZero() && d.At.Before(at) {
		since = d.At
	}
	if since.Before(w.Deployment.At) {
		since = w.Deployment.At
	}
	if s := w.Stage; s != nil && (s.Name == d.Stage && !d.Retry || since.Before(s.Since)) {
		return
	}
	w.Stage, w.Late = &Stage{Name: d.Stage, Since: since}, false
}

// staged says that a stage is being watched.
func (w *Watch) staged() bool { return w.Stage != nil && w.Finished.IsZero() && w.Decision == nil }

// maySince returns since when the stage's tool may go on; zero: it may not. While nothing
// is seen of it, nobody knows whether the stage is well still.
func (w *Watch) maySince() time.Time {
	if w.Blind {
		return time.Time{}
	}
	return w.Stage.Passed
}

// stageEnds returns when the bake of the stage is over.
func (w *Watch) stageEnds() time.Time {
	return w.Stage.Since.Add(time.Duration(w.Plan.BakeAt(w.Stage.Name)))
}

// promote says once of a stage that it is well: by the same measure by which a watch
// passes, also before the end of its bake. A stage that cannot be called well then, or
// no longer, is held, and people are told: the tool waits until it is well, or until
// they take over.
func (l Lane) promote(in Input) (Entry, bool) {
	w := l.Watch
	if !l.judges(in) || in.Look.Partly || w.Question != nil || !w.staged() {
		return Entry{}, false
	}
	over := !in.Now.Before(w.stageEnds())
	breached, open := w.standing(atEnd(in.Look.Answers))
	switch well := breached == "" && open == ""; {
	case !w.Stage.Passed.IsZero():
		if breached == "" {
			return Entry{}, false
		}
		return w.holds("is not well any more: "+breached, in.Now), true
	case in.Now.Before(w.Stage.restsUntil()):
		return Entry{}, false
	case !over:
		return w.promoteEarly(in)
	case well:
		return Entry{Kind: Noted, Topic: StagePassed, Text: fmt.Sprintf("stage %s is well: promote", w.Stage.Name)}, true
	case w.Stage.Held.IsZero() && !w.catchesUp(in, w.stageEnds()):
		return w.holds("is held: "+cmp.Or(breached, open), in.Now), true
	}
	return Entry{}, false
}

func (w *Watch) holds(why string, now time.Time) Entry {
	if rests := w.Stage.held(now).restsUntil(); rests.After(now) {
		why += fmt.Sprintf("; well by turns: it is not called well again before %s", rests.UTC().Format(time.RFC3339))
	}
	return Entry{Kind: Noted, Topic: StageHeld, Text: fmt.Sprintf("stage %s %s", w.Stage.Name, why)}
}

// promoteEarly says that a stage is well once every test has proved it.
func (w *Watch) promoteEarly(in Input) (Entry, bool) {
	least := min(w.Plan.BakeMin, w.Plan.BakeAt(w.Stage.Name))
	if in.Now.Before(w.Stage.Since.Add(time.Duration(least))) {
		return Entry{}, false
	}
	proofs, all := w.proofs(in.Look.Answers)
	if !all || len(proofs) == 0 {
		return Entry{}, false
	}
	text := fmt.Sprintf("stage %s is proved well %s before the end of its bake: promote: %s",
		w.Stage.Name, rules.Duration(w.stageEnds().Sub(in.Now).Round(time.Second)), strings.Join(proofs, "; "))
	return Entry{Kind: Noted, Topic: StagePassed, Text: text}, true
}

// rollingSince returns from when the roll-out's patience is counted: its opening, or
// the end of the bake of the stage that it has reached.
func (w *Watch) rollingSince() time.Time {
	if w.Stage == nil {
		return w.Opened
	}
	return w.stageEnds()
}

// slowly says in words that the roll-out takes long.
func (w *Watch) slowly() string {
	if w.Stage == nil {
		return "started, and still not finished after " + w.Plan.RollOut.String()
	}
	return fmt.Sprintf("at stage %s: %s after its bake no further step was reported", w.Stage.Name, w.Plan.RollOut)
}
