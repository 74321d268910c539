// Package compare is the judge of comparisons: bad events as a share of all, or at a rate,
// against the service's own history, a control beside the version, and a limit, by a test
// that may be looked at as often as one likes (package eprocess). The kinds of rules share it.
//
// Where the plan asks for an improvement (improve.go) the question is turned round: is
// it proved that the version is not as much better?
//
// It is pure and knows no PromQL of its own. What is missing is said, and is never
// taken for health or for a breach: a control without data does not count, and with
// none left the rule has no data.
//
// Start reading at Config (rule.go), then evidence.See (evidence.go) and past (past.go).
package compare
