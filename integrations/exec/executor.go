package exec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// The exit codes that mean something (named as in sysexits.h). Any other but 0
// leaves open what the command did.
const (
	exitTryLater = 75 // EX_TEMPFAIL: nothing was done, and the same may work later
	exitRefused  = 78 // EX_CONFIG: nothing was done, and never will be
)

// prefix begins the names of the variables that the command gets.
const prefix = "BAKEWATCH_"

// longestValue bounds a value in the environment, where the kernel sets a limit;
// on standard input it is whole.
const longestValue = 8 << 10

// executor runs the command for one subject.
type executor struct {
	*binder
	args    []string
	subject actions.Subject
}

// Idempotent is the operator's promise.
func (e *executor) Idempotent() bool { return e.options.Idempotent }

// Rollback runs the command once.
func (e *executor) Rollback(ctx context.Context, key string) error {
	if err := ctx.Err(); err != nil {
		return actions.Retryable(fmt.Errorf("%s was not started: %w", e.options.Command[0], err))
	}
	lock, err := e.hold(ctx, key)
	if err != nil {
		return actions.Unknown(fmt.Errorf("%s was not started: %w", e.options.Command[0], err))
	}
	ended, err := e.run(ctx, call{argv: e.options.Command, key: key, killAfter: time.Duration(e.options.KillAfter), lock: lock})
	letGo(lock, ended.left)
	if err != nil {
		return notStarted(e.options.Command[0], err)
	}
	return e.judge(ended)
}

// judge says what the end of the command means.
func (e *executor) judge(ended result) error {
	switch err := e.failure(ended); {
	case ended.stopped:
		// Many programs exit with 0 on SIGTERM, so the code says nothing now.
		return actions.Unknown(fmt.Errorf("out of time: %w", err))
	case ended.code == 0:
		return nil
	case ended.code == exitTryLater:
		return actions.Retryable(err)
	case ended.code == exitRefused:
		return actions.Permanent(err)
	default:
		return actions.Unknown(err)
	}
}

// failure tells how the command ended and what it said last.
func (e *executor) failure(ended result) error {
	what := fmt.Sprintf("%s ended with %s", e.options.Command[0], ended.state)
	if said := ended.output.lastLines(outbound.NewRedactor(e.secrets...)); said != "" {
		what += "; it said: " + said
	}
	return errors.New(what)
}

// notStarted says what it means that there was no process at all: nothing was done.
func notStarted(program string, err error) error {
	err = fmt.Errorf("%s was not started: %w", program, err)
	for _, passing := range []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE, syscall.ETXTBSY, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, passing) {
			return actions.Retryable(err)
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w (does it, its interpreter, and the working directory exist?)", err)
	}
	return actions.Permanent(err)
}

// environment returns what the command gets besides its input, and nothing more.
func (e *executor) environment(key string) ([]string, error) {
	values := map[string]string{}
	for name, value := range e.passed {
		values[name] = value.Reveal()
	}
	maps.Copy(values, e.options.Env)
	s := e.subject
	for name, value := range map[string]string{
		"SERVICE": s.Service, "ENVIRONMENT": s.Environment, "STRATEGY": s.Strategy, "FLAG": s.Flag, "SLOT": s.Slot,
		"FROM": s.From, "TO": s.To, "WATCH": s.Watch, "KEY": key, "REASON": s.Reason,
	} {
		if strings.ContainsRune(value, 0) {
			return nil, fmt.Errorf("the value of %s%s has a NUL byte", prefix, name)
		}
		if len(value) > longestValue {
			value = strings.ToValidUTF8(value[:longestValue], "") + "…"
		}
		values[prefix+name] = value
	}
	env := make([]string, 0, len(values))
	for _, name := range slices.Sorted(maps.Keys(values)) {
		env = append(env, name+"="+values[name])
	}
	return env, nil
}

// input is the JSON object on standard input.
func (e *executor) input(key string) ([]byte, error) {
	text, err := json.Marshal(struct {
		Key string `json:"key,omitempty"`
		actions.Subject
	}{key, e.subject})
	return append(text, '\n'), err
}
