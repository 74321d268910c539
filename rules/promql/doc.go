// Package promql reads the PromQL of a plan and builds the queries of the rules.
//
// A template is PromQL in which placeholders ($version, $service …) stand inside
// label matchers' values. They are bound in the syntax tree, so a value is only
// ever a label's value, whatever it says. A selector names counters; its exact
// count is the increase since the last look, with resets and newborn series
// counted from zero, which rate() and increase() do not give.
//
// The package asks nothing: it knows no server, no clock and no verdict.
//
// Start reading at Parse and Bind (template.go), then Scope (scope.go), then
// Counter (exact.go).
package promql
