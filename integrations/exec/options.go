package exec

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

// Kind is the executor "exec".
func Kind() rules.Kind {
	return rules.Kind{
		Name: "exec",
		New: func() rules.Options {
			return &Options{Pass: []string{"PATH", "HOME"}, KillAfter: rules.Duration(10 * time.Second)}
		},
		With: func() rules.Options { return &With{} },
	}
}

// Options are those of an [executor.NAME] of kind exec.
type Options struct {
	Command    []string          `toml:"command" json:"command" doc:"program and arguments, run without a shell; the program by its absolute path"`
	Live       []string          `toml:"live" json:"live,omitempty" doc:"prints the version that is live, and nothing else; default: cannot tell"`
	Dir        string            `toml:"dir" json:"dir,omitempty" doc:"absolute path of the working directory; default: /"`
	Env        map[string]string `toml:"env" json:"env,omitempty" doc:"environment variables with fixed values; no secrets"`
	Pass       []string          `toml:"pass" json:"pass,omitempty" doc:"names of the daemon's environment variables to hand on; default PATH and HOME"`
	Idempotent bool              `toml:"idempotent" json:"idempotent,omitempty" doc:"your promise that running it again with the same BAKEWATCH_KEY does no harm; default false"`
	KillAfter  rules.Duration    `toml:"kill_after" json:"kill_after,omitempty" doc:"how long after SIGTERM its process group gets SIGKILL; default 10s"`
}

// With is what a plan adds.
type With struct {
	Args []string `toml:"args" json:"args,omitempty" doc:"arguments added to both commands"`
}

var (
	envName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	secretName = regexp.MustCompile(`(?i)(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|API_?KEY)$`)
)

const valuesHint = "values of the deployment are in BAKEWATCH_… variables and on standard input"

// Check says what is wrong with the options.
func (o *Options) Check() error {
	errs := []error{checkCommand("command", o.Command)}
	if len(o.Command) == 0 {
		errs = append(errs, &rules.FieldError{
			Key: "command", Err: errors.New("missing"), Hint: `such as ["/usr/local/bin/rollback"]`,
		})
	}
	errs = append(errs, checkCommand("live", o.Live))
	if o.Dir != "" && !filepath.IsAbs(o.Dir) {
		errs = append(errs, &rules.FieldError{Key: "dir", Err: fmt.Errorf("%q is not an absolute path", o.Dir)})
	}
	for name, value := range o.Env {
		errs = append(errs, checkEnv(name, value))
	}
	for _, name := range o.Pass {
		errs = append(errs, checkName("pass", name))
	}
	return errors.Join(append(errs, checkKillAfter(o.KillAfter))...)
}

func checkKillAfter(d rules.Duration) error {
	switch {
	case d <= 0:
		return &rules.FieldError{Key: "kill_after", Err: errors.New("must be more than nothing")}
	case d > rules.Duration(longestKillAfter):
		return &rules.FieldError{
			Key: "kill_after", Err: fmt.Errorf("must be at most %s", rules.Duration(longestKillAfter)),
			Hint: "if the command needs longer, give it a longer timeout in the plan: after that nobody waits for it",
		}
	}
	return nil
}

// Check says what is wrong with a plan's `with`.
func (w *With) Check() error { return checkArgs("args", w.Args) }

func checkCommand(key string, argv []string) error {
	if len(argv) == 0 {
		return nil
	}
	if !filepath.IsAbs(argv[0]) {
		return &rules.FieldError{
			Key: key, Err: fmt.Errorf("%q is not an absolute path", argv[0]),
			Hint: "PATH is not searched, and no shell is used: name the file",
		}
	}
	return checkArgs(key, argv)
}

func checkArgs(key string, args []string) error {
	for _, arg := range args {
		if strings.ContainsRune(arg, 0) {
			return &rules.FieldError{Key: key, Err: fmt.Errorf("%q has a NUL byte", arg)}
		}
		if err := outbound.CheckNoPlaceholder(key, arg, valuesHint); err != nil {
			return err
		}
	}
	return nil
}

func checkEnv(name, value string) error {
	key := "env." + name
	if secretName.MatchString(name) {
		return &rules.FieldError{
			Key: key, Err: errors.New("looks like a secret written in place"),
			Hint: fmt.Sprintf("set it in the daemon's environment and say pass = [%q], or name a file that the command reads", name),
		}
	}
	if strings.ContainsRune(value, 0) {
		return &rules.FieldError{Key: key, Err: errors.New("has a NUL byte")}
	}
	return errors.Join(checkName(key, name), outbound.CheckNoPlaceholder(key, value, valuesHint))
}

func checkName(key, name string) error {
	if !envName.MatchString(name) {
		return &rules.FieldError{Key: key, Err: fmt.Errorf("%q is no name of an environment variable", name)}
	}
	if strings.HasPrefix(name, prefix) {
		return &rules.FieldError{Key: key, Err: fmt.Errorf("%s: names that begin with %s are set by Bakewatch", name, prefix)}
	}
	return nil
}

// Binder makes the executor; it takes the variables to pass on from the environment.
func (o *Options) Binder(name string, log *slog.Logger) (actions.Binder, error) {
	b := &binder{options: *o, log: log.With("executor", name), passed: map[string]outbound.Secret{}, liveTimeout: liveTimeout}
	for _, variable := range o.Pass {
		value, set := os.LookupEnv(variable)
		if !set {
			continue
		}
		b.passed[variable] = outbound.NewSecret(value)
		if !isPublic(variable) {
			b.secrets = append(b.secrets, b.passed[variable])
		}
	}
	return b, nil
}

// isPublic says that a variable's value may be shown: it would only make an error unreadable.
func isPublic(name string) bool {
	return strings.HasPrefix(name, "LC_") ||
		slices.Contains([]string{"PATH", "HOME", "LANG", "TZ", "TMPDIR", "USER", "LOGNAME", "SHELL", "PWD", "TERM"}, name)
}

// binder binds the executor to one plan and one subject.
type binder struct {
	options Options
	passed  map[string]outbound.Secret // from the daemon's environment, by name
	secrets []outbound.Secret          // those of them that must not show
	log     *slog.Logger

	liveTimeout time.Duration // of the live command
}

// Bind makes the executor for one subject.
func (b *binder) Bind(with map[string]any, subject actions.Subject) (actions.Executor, error) {
	var w With
	if err := outbound.ReadWith(with, &w); err != nil {
		return nil, err
	}
	return &executor{binder: b, args: w.Args, subject: subject}, nil
}

// Describe says in a line what a rollback does.
func (b *binder) Describe() string { return "runs " + b.options.Command[0] }
