package compare

import (
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// gated is the answer of a test and of a plain limit besides. A broken limit is a breach,
// whatever the test says, and a kept one is an answer where there is nothing to compare with.
func gated(tested, limited rules.Answer) rules.Answer {
	alone := limited.Verdict == rules.Healthy && tested.Verdict == rules.NoData
	switch {
	case limited.Verdict == rules.Breached, alone:
		limited.Test, limited.Compared, limited.Attribution = tested.Test, tested.Compared, tested.Attribution
		limited.Why += "; " + tested.Why
		return limited
	case tested.Test != nil:
		tested.Why += "; " + limited.Why
	}
	return tested
}

// gatedVerification holds the target of a rollback against the plain limit.
type gatedVerification struct {
	gate  rules.Evidence
	asked int // queries about the target, before those about controls
}

// See folds one look.
func (v gatedVerification) See(at time.Time, got []rules.Result) rules.Answer {
	return v.gate.See(at, got[:min(len(got), v.asked)])
}
