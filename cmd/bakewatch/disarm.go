package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/watcher"
)

// armament is what disarm and arm have in common.
type armament struct {
	service, as, reason string
	local, force        bool
	file                string
}

func disarmCommand(p *program) *cobra.Command {
	var a armament
	cmd := &cobra.Command{
		Use:   "disarm",
		Short: "Forbid rollbacks, everywhere or in one service; watches go on and people are told",
		Long: `Forbid rollbacks, everywhere or in one service. Watches go on and people are told.
Without NATS, --local (or --file) writes a file that the daemon on this machine looks at:
while the file is there nothing is rolled back, and its text is the reason. It is named disarm
and lies in the store of an embedded NATS, or else beside the daemon's file.`,
		Example: `  bakewatch disarm --reason "moving the database"
  bakewatch disarm --service checkout --reason "load test"
  bakewatch disarm --local --reason "NATS is down"`,
		Args: arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			if a.local || a.file != "" {
				return p.disarmLocally(a)
			}
			return p.connected(cmd.Context(), func(daemon *remote) error { return p.disarm(cmd.Context(), daemon, a) })
		}),
	}
	a.flags(p, cmd)
	cmd.Flags().StringVar(&a.reason, "reason", "", "why; everyone who wonders reads it")
	_ = cmd.MarkFlagRequired("reason") // fails only for a flag that does not exist
	return p.reachFlags(cmd)
}

func armCommand(p *program) *cobra.Command {
	var a armament
	cmd := &cobra.Command{
		Use:   "arm",
		Short: "Allow rollbacks again",
		Long: `Allow rollbacks again, everywhere or in one service: it takes back what disarm with the
same flags did. --local (or --file) removes the file on this machine.`,
		Args: arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			if a.local || a.file != "" {
				return p.armLocally(a)
			}
			return p.connected(cmd.Context(), func(daemon *remote) error { return p.arm(cmd.Context(), daemon, a) })
		}),
	}
	a.flags(p, cmd)
	return p.reachFlags(cmd)
}

func (a *armament) flags(p *program, cmd *cobra.Command) {
	cmd.Flags().StringVarP(&a.service, "service", "s", "", "only this service; default: everywhere")
	cmd.Flags().BoolVar(&a.local, "local", false, "by the file that the daemon here looks at, without NATS: disarm in its store, or beside its file")
	cmd.Flags().StringVar(&a.file, "file", "", "the same, with the file named")
	cmd.Flags().BoolVar(&a.force, "force", false, "also a service that no deployment and no plan names")
	p.speakerFlags(cmd, &a.as)
	cmd.MarkFlagsMutuallyExclusive("local", "file")
	cmd.MarkFlagsMutuallyExclusive("service", "local")
	cmd.MarkFlagsMutuallyExclusive("service", "file")
}

func (p *program) disarm(ctx context.Context, daemon *remote, a armament) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	by, err := p.speaks(a.as)
	if err != nil {
		return err
	}
	err = daemon.desk.Disarm(ctx, watcher.Order{Service: a.service, By: by, Reason: a.reason, Force: a.force})
	switch {
	case errors.Is(err, watcher.ErrRefused):
		return refused(err)
	case err != nil:
		return hinted(err, "without NATS: bakewatch disarm --local --reason … on the daemon's machine")
	}
	return p.armed(armState{Armed: false, Service: a.service, Reason: a.reason, By: by.Subject})
}

func (p *program) arm(ctx context.Context, daemon *remote, a armament) error {
	ctx, cancel := bounded(ctx)
	defer cancel()
	by, err := p.speaks(a.as)
	if err != nil {
		return err
	}
	if err := daemon.desk.Arm(ctx, watcher.Order{Service: a.service, By: by, Force: a.force}); err != nil {
		return refused(err)
	}
	if file, err := p.disarmFile(a); err == nil && exists(file) {
		fmt.Fprintf(p.stderr, "still disarmed by the file %s: bakewatch arm --file %s\n", file, file)
	}
	return p.armed(armState{Armed: true, Service: a.service, By: by.Subject})
}

// refused says what helps when the daemon does not know the service.
func refused(err error) error {
	if !errors.Is(err, watcher.ErrRefused) {
		return err
	}
	return unheard(err, "nothing was changed; --force does it also for a service that is not known")
}

// disarmFile is the file whose presence disarms the daemon on this machine.
func (p *program) disarmFile(a armament) (string, error) {
	if a.file != "" {
		return a.file, nil
	}
	to, err := p.resolved()
	switch {
	case err != nil:
		return "", err
	case to.disarm == "":
		return "", hinted(errors.New("which file the daemon looks at is not known"), "name the daemon's file with --config, or the one to write with --file")
	}
	return to.disarm, nil
}

func (p *program) disarmLocally(a armament) error {
	file, err := p.disarmFile(a)
	if err != nil {
		return err
	}
	// Readable by all: the daemon may run as somebody else, and a reason is no secret.
	if err := os.WriteFile(file, []byte(a.reason+"\n"), 0o644); err != nil {
		return hinted(err, "name the daemon's file with --config, its store with --store, or the file to write with --file")
	}
	return p.armed(armState{Armed: false, Reason: a.reason, File: file})
}

func (p *program) armLocally(a armament) error {
	file, err := p.disarmFile(a)
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return p.armed(armState{Armed: true, File: file})
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// armState is what disarm and arm print.
type armState struct {
	Armed   bool   `json:"armed"`
	Service string `json:"service,omitempty"` // empty: everywhere
	Reason  string `json:"reason,omitempty"`
	By      string `json:"by,omitempty"`
	File    string `json:"file,omitempty"`
}

func (p *program) armed(state armState) error {
	if p.output == jsonOut {
		return p.json(state)
	}
	where := "everywhere"
	switch {
	case state.Service != "":
		where = "in " + state.Service
	case state.File != "":
		where = "by the file " + state.File
	}
	if state.Armed {
		p.printer().line(green, "armed %s: plans may roll back again", where)
		return nil
	}
	p.printer().line(yellow, "disarmed %s: nothing is rolled back (%s)", where, state.Reason)
	return nil
}
