package configs

import (
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

func rollbackDefaults() rules.Rollback {
	return rules.Rollback{Target: rules.LastPassed, Timeout: minutes(5), Verify: minutes(10)}
}

func (l *loader) loadRollbacks() {
	for _, t := range l.root.List("rollback") {
		file := rollbackDefaults()
		t.Decode(&file)
		notEmpty(t, "strategies")
		positive(t, map[string]rules.Duration{"timeout": file.Timeout, "verify": file.Verify})
		if t.Has("takes") && file.Takes <= 0 {
			t.Fail("takes", "takes must be longer than nothing", "")
		}
		if file.Runbook != "" && !webAddress(file.Runbook) {
			t.Fail("runbook", "runbook must be an http or https address", "")
		}
		l.checkUse(t, file.Use)
		l.checkOtherwise(t, file)
		for i, earlier := range l.plan.Rollbacks {
			if covers(earlier.Strategies, file.Strategies) {
				t.Warn("", fmt.Sprintf("never used: rollback %d matches every strategy that this one does", i+1), "put the narrower one first")
				break
			}
		}
		l.plan.Rollbacks = append(l.plan.Rollbacks, file)
	}
}

// checkUse checks the executor, and what the plan tells it.
func (l *loader) checkUse(t strict.Table, use string) {
	if use == "" {
		t.Fail("use", "use is required", "an [executor.NAME] of the daemon's file")
		return
	}
	if l.daemon == nil {
		return
	}
	tool, known := l.daemon.Executors[use]
	if !known {
		t.Fail("use", fmt.Sprintf("use: there is no [executor.%s] in the daemon's file", strict.Shorten(use)),
			strict.Guess(use, slices.Sorted(maps.Keys(l.daemon.Executors))))
		return
	}
	if tool.Kind.With == nil {
		if t.Has("with") {
			t.Fail("with", fmt.Sprintf("with: an executor of kind %q takes none", tool.Kind.Name), "remove it")
		}
		return
	}
	options, with := tool.Kind.With(), t.Table("with")
	with.Decode(options)
	with.Blame(options.Check())
}

// checkOtherwise checks the executor that is offered where there is no way back: it is
// given no options of the plan.
func (l *loader) checkOtherwise(t strict.Table, r rules.Rollback) {
	if l.daemon == nil || !t.Has("otherwise") {
		return
	}
	tool, known := l.daemon.Executors[r.Otherwise]
	switch {
	case !known:
		t.Fail("otherwise", fmt.Sprintf("otherwise: there is no [executor.%s] in the daemon's file", strict.Shorten(r.Otherwise)),
			strict.Guess(r.Otherwise, slices.Sorted(maps.Keys(l.daemon.Executors))))
	case r.Otherwise == r.Use:
		t.Fail("otherwise", "otherwise must be another executor than use", "it is for deployments that use cannot undo")
	case tool.Kind.With != nil && tool.Kind.With().Check() != nil:
		t.Fail("otherwise", fmt.Sprintf("otherwise: an executor of kind %q needs to be told what for: %s", tool.Kind.Name, tool.Kind.With().Check()),
			"a plan cannot: with is for use; take an executor that needs nothing")
	}
}
