// Package rules holds the nouns of Bakewatch (Deployment, Plan, Rule, Evidence,
// Answer, Verdict, Power, Query, Result) and the judging of deployments.
//
// It is pure: it does no IO, reads no clock, and imports nothing else of this
// module. Time is always an argument. Each kind of rule is a folder below this
// one; package kinds lists them.
//
// Start reading at Rule (rule.go): a rule asks queries, its evidence folds the
// results look by look, and every look gives an answer with its arithmetic.
package rules
