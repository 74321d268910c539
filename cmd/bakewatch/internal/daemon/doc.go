// Package daemon puts the parts of a running Bakewatch together: NATS, Prometheus,
// plans, executors, channels, HTTP, and the one active owner of all lanes. `run`
// and `demo` start the very same one.
//
// It is wiring: it judges nothing and decides nothing. What it starts it stops, in
// the order intake, desk, owner, deliveries, HTTP, NATS.
//
// Start reading at New (daemon.go), then act (active.go): what only the holder of the lease does.
package daemon
