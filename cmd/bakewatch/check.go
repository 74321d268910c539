package main

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

// daemonFile is the daemon's file by its usual name.
const daemonFile = "bakewatch.toml"

// checking are the options of check.
type checking struct {
	config          string
	explain, strict bool
}

func checkCommand(p *program) *cobra.Command {
	var c checking
	cmd := &cobra.Command{
		Use:   "check [PLAN or FOLDER…]",
		Short: "Check plans and the daemon's file: all errors at once, each with its place",
		Long: `Check plans, or all plans in folders, against the daemon's file: by --config, or else for
each plan the bakewatch.toml in its folder or the nearest above. Without plans it checks those
that the daemon's file names. It ends with 1 when anything is wrong; with --strict warnings count.`,
		Example: `  bakewatch check plans/ --strict
  bakewatch check checkout.toml --explain
  bakewatch check --config /etc/bakewatch/bakewatch.toml`,
		RunE: p.begin(func(_ *cobra.Command, args []string) error {
			found, err := c.check(args)
			if err != nil {
				return err
			}
			return p.printChecked(found, c)
		}),
	}
	cmd.Flags().StringVarP(&c.config, "config", "c", "", "the daemon's file")
	cmd.Flags().BoolVar(&c.explain, "explain", false, "print each plan with all its defaults, as sentences")
	cmd.Flags().BoolVar(&c.strict, "strict", false, "warnings are errors")
	return cmd
}

// checked is what check found.
type checked struct {
	plans    []rules.Plan
	problems configs.Problems
}

func (c checking) check(args []string) (checked, error) {
	if len(args) == 0 {
		return c.checkDaemon()
	}
	files, err := planFiles(args)
	if err != nil {
		return checked{}, err
	}
	var found checked
	for daemon, plans := range c.byDaemon(files) {
		found.add(daemon, plans)
	}
	found.problems = found.problems.Sorted()
	slices.SortFunc(found.plans, func(a, b rules.Plan) int { return cmp.Compare(a.File, b.File) })
	return found, nil
}

// checkDaemon checks the daemon's file and the plans that it names.
func (c checking) checkDaemon() (checked, error) {
	file := c.config
	if file == "" {
		file = daemonFile
		if !exists(file) {
			return checked{}, usage("no plans are named, and there is no %s here; name it with --config", file)
		}
	}
	daemon, problems := configs.Load(file, catalog())
	if daemon == nil {
		return checked{problems: problems}, nil
	}
	plans, more := configs.LoadPlans(daemon, catalog())
	return checked{plans: plans, problems: append(problems, more...)}, nil
}

// byDaemon groups plans by the daemon's file that they belong to; empty: none.
func (c checking) byDaemon(files []string) map[string][]string {
	if c.config != "" {
		return map[string][]string{c.config: files}
	}
	groups := map[string][]string{}
	for _, file := range files {
		daemon := nearest(file)
		groups[daemon] = append(groups[daemon], file)
	}
	return groups
}

// add checks plans against a daemon's file.
func (f *checked) add(config string, files []string) {
	var daemon *configs.Daemon
	if config != "" {
		var problems configs.Problems
		daemon, problems = configs.Load(config, catalog())
		f.problems = append(f.problems, problems...)
	}
	plans, problems := configs.CheckPlans(files, daemon, catalog())
	f.plans = append(f.plans, plans...)
	f.problems = append(f.problems, problems...)
}

// planFiles lists the files that are named, and the plans in folders that are.
func planFiles(args []string) ([]string, error) {
	var files []string
	for _, arg := range args {
		info, err := os.Stat(arg)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, usage("there is no file and no folder %s", arg)
		}
		if err != nil {
			return nil, usage("%w", err)
		}
		if !info.IsDir() {
			files = append(files, arg)
			continue
		}
		below, err := plansBelow(arg)
		if err != nil {
			return nil, err
		}
		if len(below) == 0 {
			return nil, usage("%s: there is no plan (*.toml) in this folder", arg)
		}
		files = append(files, below...)
	}
	return files, nil
}

// plansBelow lists all *.toml in a folder but the daemon's own. Names that begin
// with ".." hold a mounted ConfigMap's earlier contents.
func plansBelow(folder string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch name := entry.Name(); {
		case err != nil:
			return err
		case path != folder && strings.HasPrefix(name, ".."):
			if entry.IsDir() {
				return fs.SkipDir
			}
		case !entry.IsDir() && filepath.Ext(name) == ".toml" && name != daemonFile:
			files = append(files, path)
		}
		return nil
	})
	return files, err
}

// nearest finds the daemon's file in a plan's folder or one above it.
func nearest(plan string) string {
	folder, err := filepath.Abs(filepath.Dir(plan))
	if err != nil {
		return ""
	}
	for {
		if file := filepath.Join(folder, daemonFile); exists(file) {
			return nearby(file)
		}
		above := filepath.Dir(folder)
		if above == folder {
			return ""
		}
		folder = above
	}
}

// nearby names a file from here, where that is possible.
func nearby(file string) string {
	here, err := os.Getwd()
	if err != nil {
		return file
	}
	if rel, err := filepath.Rel(here, file); err == nil {
		return rel
	}
	return file
}

// bad says whether the check failed.
func (f checked) bad(strict bool) bool {
	return f.problems.Failed() || strict && len(f.problems) > 0
}

func (p *program) printChecked(found checked, c checking) error {
	if p.output == jsonOut {
		if err := p.json(found.report(c)); err != nil {
			return err
		}
	} else {
		p.printProblems(found, c)
	}
	if !found.bad(c.strict) {
		return nil
	}
	return &exit{code: exitFailed}
}

func (p *program) printProblems(found checked, c checking) {
	out := p.printer()
	for _, problem := range found.problems {
		colour := red
		if problem.Warning {
			colour = yellow
		}
		first, source, _ := strings.Cut(problem.String(), "\n")
		out.line(colour, "%s", first)
		for line := range strings.Lines(source) {
			out.line(plain, "%s", strings.TrimSuffix(line, "\n"))
		}
	}
	if c.explain {
		for _, plan := range found.plans {
			fmt.Fprint(p.stdout, catalog().Explain(plan))
		}
	}
	fmt.Fprintln(p.stderr, found.summary())
}

// summary counts what was found; it is for people and goes to stderr.
func (f checked) summary() string {
	warnings := 0
	for _, problem := range f.problems {
		if problem.Warning {
			warnings++
		}
	}
	return fmt.Sprintf("good plans: %d, errors: %d, warnings: %d", len(f.plans), len(f.problems)-warnings, warnings)
}

// checkReport is what check prints as JSON.
type checkReport struct {
	OK       bool         `json:"ok"`
	Plans    []planReport `json:"plans"`
	Problems []problem    `json:"problems"`
}

type planReport struct {
	Service string      `json:"service"`
	File    string      `json:"file"`
	Plan    *rules.Plan `json:"plan,omitempty"`  // with --explain: resolved
	Calls   []string    `json:"calls,omitempty"` // with --explain: who makes the call in every case
}

type problem struct {
	File    string `json:"file"`
	Line    int    `json:"line,omitempty"`
	Column  int    `json:"column,omitempty"`
	Where   string `json:"where,omitempty"`
	What    string `json:"what"`
	Hint    string `json:"hint,omitempty"`
	Warning bool   `json:"warning,omitempty"`
}

func (f checked) report(c checking) checkReport {
	report := checkReport{OK: !f.bad(c.strict), Plans: []planReport{}, Problems: []problem{}}
	for _, plan := range f.plans {
		one := planReport{Service: plan.Service, File: plan.File}
		if c.explain {
			one.Plan, one.Calls = &plan, authority.Explain(plan)
		}
		report.Plans = append(report.Plans, one)
	}
	for _, found := range f.problems {
		report.Problems = append(report.Problems, problem{
			File: found.File, Line: found.Line, Column: found.Column, Where: found.Where,
			What: found.What, Hint: found.Hint, Warning: found.Warning,
		})
	}
	return report
}
