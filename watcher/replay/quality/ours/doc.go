// Package ours lets Bakewatch itself judge simulated deployments: the bets of
// rules/eprocess, rules.Combine and the state machine (watcher.Lane), in a plan that
// may roll back without asking. An alarm is what the state machine makes of it: a
// decision to roll back, or a question to people where the evidence allows no more.
//
// Start reading at New (judge.go), then at lane (lane.go).
package ours
