// Package threshold is the judge of plain limits: a value, a count or a share,
// over the sliding window, against max and min. The kinds of rules share it.
//
// It keeps no promise about false alarms: a limit is broken by chance as well. It
// is pure, knows no PromQL, and never judges what it was not told: missing and
// unusable answers are verdicts of their own and break a limit never.
//
// Start reading at Rule (rule.go), then evidence.See (evidence.go).
package threshold
