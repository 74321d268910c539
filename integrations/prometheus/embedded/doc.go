// Package embedded is a small Prometheus in the process: scraper, TSDB, PromQL
// engine and the query API, all from the prometheus/prometheus module. It serves
// one machine that has no Prometheus of its own, the demo, and tests.
//
// It never alerts, evaluates recording rules, or writes to or reads from remote
// storage; and it never answers in another way than over its HTTP API, so that
// whoever asks it runs the same code as against any other server.
//
// Start reading at Open (server.go), then API (api.go).
package embedded
