package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/integrations/nats/signing"
	"github.com/bakewatch/bakewatch/watcher"
)

// program is one run of the binary: the world it sees, and the flags that all
// commands share.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	now            func() time.Time
	dial           dialer                                // how a running daemon is reached
	journal        func(watcher.Journal) watcher.Journal // stands before the daemon's; nil: nothing does

	output  output
	reach   reach
	keyFile string       // of the key by which to sign; empty: nothing is signed
	key     *signing.Key // what is in it, once there is a connection
	began   bool         // a command has begun: what fails from here on is no error of usage
}

func newProgram(stdin io.Reader, stdout, stderr io.Writer) *program {
	return &program{
		stdin: stdin, stdout: stdout, stderr: stderr,
		getenv: os.Getenv, now: time.Now, dial: dialNATS, output: text,
	}
}

// newRoot lists the commands.
func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:           "bakewatch",
		Short:         "Watches each deployment while it bakes, and rolls it back when its plan says so",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(p.stdin)
	root.SetOut(p.stdout)
	root.SetErr(p.stderr)
	root.PersistentFlags().VarP(&p.output, "output", "o", "text or json")
	root.AddGroup(
		&cobra.Group{ID: groupDaemon, Title: "The daemon and its plans:"},
		&cobra.Group{ID: groupPipeline, Title: "For pipelines:"},
		&cobra.Group{ID: groupPeople, Title: "For people:"},
	)
	add := func(group string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = group
			root.AddCommand(c)
		}
	}
	add(groupDaemon, runCommand(p), demoCommand(p), checkCommand(p), replayCommand(p), journalCommand(p), healthCommand(p),
		notifyCommand(p))
	add(groupPipeline, announceCommand(p), waitCommand(p))
	add(groupPeople, listCommand(p), showCommand(p), explainCommand(p), tailCommand(p), answerCommand(p),
		cancelCommand(p), rollbackCommand(p), wrongCommand(p), rulesCommand(p), disarmCommand(p), armCommand(p), keyCommand(p))
	root.AddCommand(versionCommand(p))
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.HasSubCommands() {
			holdsCommands(c)
		}
	}
	return root
}

// holdsCommands makes a command that only holds others refuse what is none of them:
// by itself cobra prints the help and calls that a success.
func holdsCommands(c *cobra.Command) {
	c.Args = cobra.NoArgs
	c.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
}

// The groups in the help.
const (
	groupDaemon   = "daemon"
	groupPipeline = "pipeline"
	groupPeople   = "people"
)

// action is what a command does.
type action func(cmd *cobra.Command, args []string) error

// begin marks that the command line was understood.
func (p *program) begin(do action) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		p.began = true
		return do(cmd, args)
	}
}

// output is how a command prints.
type output string

// The outputs.
const (
	text    output = "text"
	jsonOut output = "json"
)

func (o *output) String() string { return string(*o) }
func (o *output) Type() string   { return "text|json" }

// Set takes one of the outputs.
func (o *output) Set(s string) error {
	switch output(s) {
	case text, jsonOut:
		*o = output(s)
		return nil
	}
	return fmt.Errorf("unknown output %q: text or json", s)
}
