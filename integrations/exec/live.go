package exec

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// liveTimeout is how long the live command may take, as long as the runner waits for it.
const liveTimeout = 15 * time.Second

// version is what a version may look like: the same as in an event.
var version = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,127}$`)

// Live runs the live command and returns what it printed.
func (e *executor) Live(ctx context.Context) (string, error) {
	if len(e.options.Live) == 0 {
		return "", fmt.Errorf("%w: the executor has no live command", actions.ErrCannotTell)
	}
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("%s was not started: %w", e.options.Live[0], err)
	}
	ctx, cancel := context.WithTimeout(ctx, e.liveTimeout)
	defer cancel()
	var stdout head
	ended, err := e.run(ctx, call{argv: e.options.Live, stdout: &stdout, killAfter: min(liveKillAfter, time.Duration(e.options.KillAfter))})
	if err != nil {
		return "", liveNotStarted(e.options.Live[0], err)
	}
	return e.printed(ended, &stdout)
}

// liveNotStarted says whether it may start the next time.
func liveNotStarted(program string, err error) error {
	if err = notStarted(program, err); actions.Classify(err) == actions.ClassPermanent {
		return fmt.Errorf("%w: %w", actions.ErrCannotTell, err)
	}
	return err
}

// printed reads what the live command said. One that failed may work the next time;
// one that ended well without a version, or with exitRefused, cannot tell.
func (e *executor) printed(ended result, stdout *head) (string, error) {
	redact := outbound.NewRedactor(e.secrets...)
	failed := func() error {
		return fmt.Errorf("%s ended with %s; it said: %s", e.options.Live[0], ended.state, ended.output.lastLines(redact))
	}
	switch printed := strings.TrimSpace(stdout.String()); {
	case ended.stopped:
		return "", fmt.Errorf("out of time: %w", failed())
	case ended.code == exitRefused:
		return "", fmt.Errorf("%w: %w", actions.ErrCannotTell, failed())
	case ended.code != 0:
		return "", failed()
	case !version.MatchString(printed):
		return "", fmt.Errorf("%w: %s printed no version: %q", actions.ErrCannotTell, e.options.Live[0], redact.Excerpt(printed, 200))
	default:
		return printed, nil
	}
}
