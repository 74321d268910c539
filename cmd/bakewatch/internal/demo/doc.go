// Package demo shows Bakewatch doing its job on a machine that has only Go: a shop
// that really serves HTTP, customers, a good deployment, then a bad one that is
// found, rolled back and verified.
//
// Everything around the shop is the production code: the daemon is started from a
// daemon's file and a plan (files/), events go over NATS, Prometheus scrapes, and
// the rollback is ordered from the webhook executor. Nothing here judges or decides.
// Where a person does (ask.go, person.go), the question comes over a channel that the
// demo alone has, the terminal, and the answer goes to the daemon's Desk.
//
// Start reading at Run (demo.go).
package demo
