package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/watcher"
)

// waiting are the options of wait.
type waiting struct {
	ref       watcher.Ref
	timeout   time.Duration
	grace     time.Duration
	every     time.Duration
	untilAsks bool
	stage     string
}

func waitCommand(p *program) *cobra.Command {
	var w waiting
	cmd := &cobra.Command{
		Use:   "wait ID|SERVICE",
		Short: "Wait until a watch ends; the exit code is its outcome",
		Long: `Wait until a watch ends; the exit code is its outcome:

   0  passed            5  rollback-failed    9  superseded
   1  rolled-back       6  unknown           10  cancelled
   3  undecided         7  kept
   4  a person is being waited for           8  left              11  nothing is watched
   2  the command line is wrong, or the daemon could not be asked

Nothing is watched when the version was live already or has no plan; wait sees that for an id
that announce made up, and for a service. With --timeout, a watch that is still open then gives 4 while people are asked, else 3.

With --stage it is 0 as well as soon as that stage of the roll-out is well: the next one may come.`,
		Example: `  id=$(bakewatch announce --service checkout --version 2.4.0)
  bakewatch wait "$id" --timeout 1h
  bakewatch announce --id "$id" --service checkout --version 2.4.0 --step stage --stage 25%
  bakewatch wait "$id" --stage 25% --timeout 30m`,
		Args: arguments("ID or SERVICE"),
		RunE: p.begin(func(cmd *cobra.Command, args []string) error {
			if w.every <= 0 {
				return usage("--every must be above zero")
			}
			if w.timeout < 0 || w.grace < 0 {
				return usage("--timeout and --grace cannot be below zero")
			}
			w.ref.Name = args[0]
			return p.wait(cmd.Context(), w)
		}),
	}
	refFlag(cmd, &w.ref)
	flags := cmd.Flags()
	flags.DurationVar(&w.timeout, "timeout", 0, "wait no longer than this; default: as long as it takes")
	flags.DurationVar(&w.grace, "grace", time.Minute, "how long the watch may be unknown, or the daemon away")
	flags.DurationVar(&w.every, "every", 2*time.Second, "how often to ask")
	flags.StringVar(&w.stage, "stage", "", "end with 0 as soon as this stage may be left")
	flags.BoolVar(&w.untilAsks, "until-asked", false, "end with 4 as soon as a person is asked")
	return p.reachFlags(cmd)
}

// wait ends with the exit code of the outcome, or of why there is none.
func (p *program) wait(ctx context.Context, w waiting) error {
	end := ctx
	if w.timeout > 0 {
		var cancel context.CancelFunc
		end, cancel = context.WithTimeout(ctx, w.timeout)
		defer cancel()
	}
	waiter := waiter{program: p, waiting: w}
	defer waiter.hangUp()
	view, err := waiter.until(end)
	switch {
	case err == nil && w.stageIsWell(view):
		return p.promoted(view)
	case err == nil:
		return p.ended(view)
	case ctx.Err() == nil && end.Err() != nil && waiter.seen:
		return p.timedOut(view, w.timeout)
	}
	var e *exit
	if final(err) {
		return err
	}
	hint := "is the id right, was the version not live already, and is there a plan for the service? See bakewatch list, and bakewatch tail --since 15m"
	if errors.As(err, &e) {
		err, hint = e.err, e.hint
	}
	return &exit{code: exitUsage, err: fmt.Errorf("wait %s: %w", w.ref.Name, err), hint: hint}
}

// stageIsWell says that the stage that is waited for may be left.
func (w waiting) stageIsWell(view watcher.WatchView) bool {
	return w.stage != "" && view.Outcome == "" && view.Advice("", w.stage).Verdict == watcher.Promote
}

func (p *program) promoted(view watcher.WatchView) error {
	if p.output == jsonOut {
		return p.json(view)
	}
	p.printer().line(green, "%s %s: %s", view.Lane.Service, view.Version, view.Advice("", "").Why)
	return nil
}

// ended tells the outcome, by words and exit code.
func (p *program) ended(view watcher.WatchView) error {
	if err := p.printEnd(view); err != nil {
		return err
	}
	code := exitAsking
	if view.Outcome != "" {
		code = exitOf(view.Outcome)
	}
	if code == 0 {
		return nil
	}
	return &exit{code: code}
}

func (p *program) timedOut(view watcher.WatchView, after time.Duration) error {
	if err := p.printEnd(view); err != nil {
		return err
	}
	code := exitOf(watcher.Undecided)
	if waitsForPeople(view) {
		code = exitAsking
	}
	return &exit{code: code, err: fmt.Errorf("still %s after %s", view.Phase, short(after)), hint: "see bakewatch show " + view.ID}
}

func (p *program) printEnd(view watcher.WatchView) error {
	if p.output == jsonOut {
		return p.json(view)
	}
	colour := phaseColour(view)
	p.printer().line(colour, "%s %s: %s", view.Lane.Service, view.Version,
		joined(", ", stateOf(view), prefixed("because of ", view.Rule), because(view)))
	return nil
}

// waiter asks again and again, and dials anew when the daemon went away.
type waiter struct {
	*program
	waiting
	daemon *remote
	seen   bool              // the watch was found
	last   watcher.WatchView // as it was last seen
}

// until returns the watch when it is over, or asks people where that is enough.
func (w *waiter) until(ctx context.Context) (watcher.WatchView, error) {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	answered, troubled := time.Now(), false
	for {
		err := w.look(ctx)
		if errors.Is(err, watcher.ErrNotFound) && !w.seen && time.Since(answered) >= settled {
			err = w.unwatched(ctx, err)
		}
		switch {
		case err == nil && w.over():
			return w.last, nil
		case err == nil:
			answered, troubled = time.Now(), false
		case final(err):
			return w.last, err
		case ctx.Err() == nil && time.Since(answered) >= w.grace:
			return w.last, err
		case !troubled:
			troubled = true
			fmt.Fprintf(w.stderr, "no answer yet (%s); asking on for %s\n", printable(err.Error()), short(w.grace))
		}
		select {
		case <-ctx.Done():
			return w.last, errors.Join(ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

func (w *waiter) over() bool {
	return w.last.Outcome != "" || w.stageIsWell(w.last) || w.untilAsks && waitsForPeople(w.last)
}

// waitsForPeople says that people are asked, or may object.
func waitsForPeople(view watcher.WatchView) bool {
	return view.Phase == watcher.Asking || view.Phase == watcher.Vetoing
}

// look asks once. From the first answer on it asks for that very watch, since a
// service's name would mean another one after the next deployment.
func (w *waiter) look(ctx context.Context) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	if w.daemon == nil {
		to, err := w.resolved()
		if err != nil {
			return err
		}
		daemon, err := w.dial(ctx, to)
		if err != nil {
			return &exit{code: exitUsage, err: err, hint: to.advice()}
		}
		w.daemon = daemon
	}
	view, err := w.daemon.desk.Show(ctx, w.ref)
	if err != nil {
		if !errors.Is(err, watcher.ErrNotFound) {
			w.hangUp() // the daemon may come back elsewhere
		}
		return err
	}
	w.seen, w.last = true, view
	w.ref.Name = strconv.FormatUint(view.Watch, 10)
	return nil
}

func (w *waiter) hangUp() {
	if w.daemon != nil {
		w.daemon.close()
		w.daemon = nil
	}
}
