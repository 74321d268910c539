package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/demo"
	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/shop"
)

func demoCommand(p *program) *cobra.Command {
	bad, outage, once, verbose := string(shop.Errors), false, false, false
	ask, answer := false, ""
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show all of it on this machine: a shop, a good deployment, a bad one, a rollback",
		Long: `Show all of it on this machine, with nothing else installed: a small shop that really serves
HTTP, customers, a good deployment that passes, and a bad one that is found, rolled back and verified.
It takes about half a minute, keeps running until Ctrl-C, and leaves nothing behind. Ctrl-C ends it
with 0; with --once, which --output json implies, it ends with 1 unless all went as it should.

With --ask the plan lets people decide, and you are asked whether to roll back: type r (roll-back),
k (keep) or l (looking, for ten minutes more), and Enter. Standard input may be a pipe; its end is no
answer, and a minute of silence keeps the version. --answer answers by itself. It went as it should
if it was done as you said.`,
		Example: "  bakewatch demo --bad latency\n  bakewatch demo --ask\n  bakewatch demo --bad none --outage\n" +
			"  bakewatch demo --once --output json\n  bakewatch demo --once --ask --answer keep",
		Args: arguments(),
		RunE: p.begin(func(cmd *cobra.Command, _ []string) error {
			behaviour, err := shop.ParseBehaviour(bad)
			if err != nil {
				return &exit{code: exitUsage, err: err}
			}
			if outage && behaviour != shop.Good {
				return &exit{code: exitUsage, err: errors.New("--outage shows that a good version is spared"), hint: "use it with --bad none"}
			}
			asks, err := p.asks(ask, authority.Choice(answer), behaviour)
			if err != nil {
				return err
			}
			cfg := demo.Config{Bad: behaviour, Outage: outage, Ask: asks, Once: once || p.output == jsonOut, Story: p.stdout, Catalog: catalog(), Version: thisBuild().Version, Log: slog.New(slog.DiscardHandler)}
			if p.output == jsonOut {
				cfg.Story = p.aside(asks)
			}
			if verbose {
				cfg.Log = slog.New(slog.NewTextHandler(p.stderr, nil))
			}
			report, err := demo.Run(cmd.Context(), cfg)
			if cmd.Context().Err() != nil && !cfg.Once {
				return nil // Ctrl-C is how it ends, early or late
			}
			if err != nil {
				return err
			}
			return p.demonstrated(report)
		}),
	}
	cmd.Flags().StringVar(&bad, "bad", bad, "what is wrong with the second deployment: "+behaviours())
	cmd.Flags().BoolVar(&outage, "outage", false, "let all versions suffer during the second deployment; with --bad none")
	cmd.Flags().BoolVar(&ask, "ask", false, "be asked whether to roll the second deployment back")
	cmd.Flags().StringVar(&answer, "answer", "", "answer by itself, with --ask: "+answers())
	cmd.Flags().BoolVar(&once, "once", false, "end when both deployments have been judged")
	cmd.Flags().BoolVar(&verbose, "verbose", false, "write the daemon's log to stderr")
	return cmd
}

// asks says whether a person decides, and who that is; nil: nobody does.
func (p *program) asks(ask bool, answer authority.Choice, bad shop.Behaviour) (*demo.Ask, error) {
	switch {
	case !ask && answer != "":
		return nil, &exit{code: exitUsage, err: errors.New("--answer answers what --ask asks"), hint: "use it with --ask"}
	case !ask:
		return nil, nil
	case answer != "" && !slices.Contains(demo.Answers(), answer):
		return nil, &exit{code: exitUsage, err: fmt.Errorf("unknown answer %q: one of %s", answer, answers())}
	case bad == shop.Good:
		return nil, &exit{code: exitUsage, err: errors.New("--ask asks about a bad version"), hint: "use it without --bad none"}
	}
	return &demo.Ask{Answer: answer, In: p.stdin}, nil
}

// aside is where the story goes when stdout is for the report: nowhere, unless somebody
// has to read a question.
func (p *program) aside(asks *demo.Ask) io.Writer {
	if asks != nil && asks.Answer == "" {
		return p.stderr
	}
	return io.Discard
}

func answers() string {
	var names []string
	for _, a := range demo.Answers() {
		names = append(names, string(a))
	}
	return strings.Join(names, ", ")
}

func behaviours() string {
	var names []string
	for _, b := range shop.Behaviours() {
		names = append(names, string(b))
	}
	return strings.Join(names, ", ")
}

// demonstrated prints how it went; it is an error if it did not go as it should.
func (p *program) demonstrated(report demo.Report) error {
	if p.output == jsonOut {
		if err := p.json(report); err != nil {
			return err
		}
	}
	if !report.OK {
		return &exit{code: exitFailed, err: fmt.Errorf("it did not go as it should: %+v", report.Deployments)}
	}
	if p.output == text {
		p.printer().line(green, "All went as it should.")
	}
	return nil
}
