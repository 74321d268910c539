// Package quality measures how well deployments are decided: seeded simulation of
// healthy and bad versions, judged by Bakewatch (package ours), by other tools (package
// replay/peers) and by an oracle (package oracle), all from the same scrapes (package sim). It prints what it
// finds as Markdown, losing cells as well.
//
// It is pure and reads no clock. `make quality` and `make quality-full` run it, from its
// benchmark; docs/decision-quality.md is its output.
//
// Start reading at Run (run.go), then Figures (figures.go) and Report (report.go).
package quality
