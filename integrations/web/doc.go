// Package web is the daemon's HTTP server: its own metrics, whether it is healthy
// and ready, and the order to reload, at the paths that Prometheus made usual.
//
// It never judges and never decides; what it serves is handed to it. TLS and basic
// auth are exporter-toolkit's.
//
// Start reading at New (web.go).
package web
