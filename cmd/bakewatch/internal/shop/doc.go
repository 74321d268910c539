// Package shop is what the demo watches: a small shop that really serves HTTP, in
// several instances inside this process, with the metrics that a service in
// production has. A version of it can be good, or bad in one of a few ways.
//
// It listens on 127.0.0.1 only, and stops with its context. It knows nothing of
// Bakewatch: Bakewatch scrapes its metrics, and orders rollbacks at its control
// address as it would at any deployment tool's.
//
// Start reading at Shop (shop.go); an instance is supervised in instance.go, what
// it serves stands in pages.go.
package shop
