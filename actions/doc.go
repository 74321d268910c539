// Package actions does things to the outside world: it rolls back and it tells
// people. Intent is journaled before, outcome after; a rollback needs a Grant,
// and a Grant is made only from an acknowledged `intended` entry.
//
// It never decides whether to act: that is package authority, below. It knows no
// journal, no Prometheus and no NATS; the ports it needs (Executor, Notifier) are
// small interfaces here, filled by folders under integrations/.
//
// Start reading at Grant (grant.go), then Runner (runner.go).
package actions
