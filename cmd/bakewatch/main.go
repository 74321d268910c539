package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	_ "time/tzdata" // calendars name time zones, and a container knows none
)

func main() {
	os.Exit(realMain())
}

func realMain() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// A second signal forces: after the first one, signals have their default effect again.
	context.AfterFunc(ctx, stop)
	return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}

// run is the whole program, so that tests can run it too. It returns the exit code.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	return newProgram(stdin, stdout, stderr).run(ctx, args)
}

func (p *program) run(ctx context.Context, args []string) int {
	root := newRoot(p)
	root.SetArgs(args)
	command, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	if !p.began { // cobra itself refused the arguments
		err = &exit{code: exitUsage, err: plainly(err), hint: fmt.Sprintf("see %s --help", command.CommandPath())}
	}
	return p.fail(err)
}

// together is how cobra says that flags exclude each other.
var together = regexp.MustCompile(`^if any flags in the group \[.*\] are set none of the others can be; \[(.*)\] were all set$`)

// plainly says it in plain words.
func plainly(err error) error {
	found := together.FindStringSubmatch(err.Error())
	if found == nil {
		return err
	}
	return fmt.Errorf("only one of --%s can be given", strings.ReplaceAll(found[1], " ", " and --"))
}

// fail prints an error and what to do next, and returns its exit code.
func (p *program) fail(err error) int {
	code := exitFailed
	var e *exit
	if errors.As(err, &e) {
		code = e.code
	}
	if e == nil || e.err != nil {
		fmt.Fprintln(p.stderr, "bakewatch:", printable(err.Error()))
	}
	if e != nil && e.hint != "" {
		fmt.Fprintln(p.stderr, e.hint)
	}
	return code
}
