package peers

import (
	"slices"
	"time"

	"github.com/bakewatch/bakewatch/watcher/replay"
)

// Judge is a peer that watches one measure.
type Judge interface {
	// See takes one look and says whether the peer would roll back now.
	See(replay.Seen) (stop bool)
}

// Each watches every measure by a judge of its own; one that would roll back is enough.
// A measure without a judge is not watched.
type Each []Judge

// See shows each judge its measure.
func (e Each) See(look []replay.Seen) (stop bool) {
	for i, judge := range e {
		if judge != nil && judge.See(look[i]) {
			stop = true
		}
	}
	return stop
}

// Begin begins to watch a deployment; nil: it cannot be judged, for want of what was before.
type Begin = func(replay.Start) replay.Watchman

// Setting is one way to set a tool: a limit in multiples of the service's own error
// rate (of Mann-Whitney: one minus the level), and how many times or how long.
type Setting struct {
	Times float64
	Count int
}

// Tool is a peer at all its settings.
type Tool struct {
	Name       string
	documented Begin
	at         func(Setting) Begin
}

// Documented is the tool as its documentation has it.
func (t Tool) Documented() replay.Peer { return replay.Peer{Name: t.Name, Begin: t.documented} }

// Tuned is the tool at the setting that was tuned for all services together: the
// quickest that keeps to one false alarm in a thousand with each simulated one.
func (t Tool) Tuned() replay.Peer {
	return replay.Peer{Name: t.Name + ", tuned", Begin: t.At(tuned[t.Name])}
}

// At is the tool at a setting.
func (t Tool) At(s Setting) Begin { return t.at(s) }

// The tools.
var (
	ArgoRollouts = Tool{
		Name: "argo rollouts",
		documented: each(func(s replay.Start, _ replay.Before) Judge {
			return ArgoDocumented.Begin(s.Step)
		}),
		at: func(set Setting) Begin {
			return eachLevel(func(s replay.Start, b replay.Before) Judge {
				return Argo{Max: b.Level * set.Times, Interval: time.Minute, FailureLimit: set.Count, ConsecutiveErrorLimit: 4}.Begin(s.Step)
			})
		},
	}
	FluxFlagger = Tool{
		Name:       "flagger",
		documented: func(s replay.Start) replay.Watchman { return FlaggerDocumented(len(s.Measures)).Begin(s.Step) },
		at:         flaggerAt,
	}
	ConsecutiveChecks = Tool{
		Name: "consecutive checks",
		documented: each(func(s replay.Start, _ replay.Before) Judge {
			return ConsecutiveDocumented.Begin(s.Step)
		}),
		at: func(set Setting) Begin {
			return eachLevel(func(s replay.Start, b replay.Before) Judge {
				return Consecutive{Max: b.Level * set.Times, Window: time.Minute, For: minutes(set.Count)}.Begin(s.Step)
			})
		},
	}
	Kayenta = Tool{
		Name:       "mann-whitney",
		documented: each(MannWhitneyDocumented.begin),
		at: func(set Setting) Begin {
			return each(MannWhitney{Level: 1 - set.Times, Tolerance: 0.25, Interval: minutes(set.Count)}.begin)
		},
	}
	BurnRateAlert = Tool{
		Name: "burn rate",
		documented: eachLevel(func(s replay.Start, b replay.Before) Judge {
			return BurnRateDocumented(b.Level).Begin(s.Step, b.Past)
		}),
		at: func(set Setting) Begin {
			return eachLevel(func(s replay.Start, b replay.Before) Judge {
				return BurnRate{Budget: b.Level * set.Times, Fast: 14.4, Slow: 6 / float64(set.Count)}.Begin(s.Step, b.Past)
			})
		},
	}
)

// Tools are all of them.
func Tools() []Tool {
	return []Tool{ArgoRollouts, FluxFlagger, ConsecutiveChecks, Kayenta, BurnRateAlert}
}

// All are the tools as documented and as tuned.
func All() []replay.Peer {
	var all []replay.Peer
	for _, t := range Tools() {
		all = append(all, t.Documented(), t.Tuned())
	}
	return all
}

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// each watches every measure of which something is known that the judge needs.
func each(begin func(replay.Start, replay.Before) Judge) Begin {
	return func(s replay.Start) replay.Watchman {
		judges, some := make(Each, len(s.Measures)), false
		for i, b := range s.Measures {
			judges[i] = begin(s, b)
			some = some || judges[i] != nil
		}
		if !some {
			return nil
		}
		return judges
	}
}

// eachLevel watches every measure whose usual share of bad events is known.
func eachLevel(begin func(replay.Start, replay.Before) Judge) Begin {
	return each(func(s replay.Start, b replay.Before) Judge {
		if b.Level == 0 {
			return nil
		}
		return begin(s, b)
	})
}

// flaggerAt checks the metrics whose usual share of bad events is known.
func flaggerAt(set Setting) Begin {
	return func(s replay.Start) replay.Watchman {
		f := Flagger{Threshold: set.Count}
		for _, b := range s.Measures {
			f.Max = append(f.Max, b.Level*set.Times)
		}
		if !slices.ContainsFunc(f.Max, func(share float64) bool { return share > 0 }) {
			return nil
		}
		return f.Begin(s.Step)
	}
}

// begin compares with the control there is.
func (m MannWhitney) begin(s replay.Start, b replay.Before) Judge {
	if s.Beside {
		return m.Beside(s.Step)
	}
	return m.After(s.Step, b.Past)
}
