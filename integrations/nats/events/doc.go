// Package events reads what deployment tools tell Bakewatch, and writes what
// `bakewatch announce` tells it: one message becomes one rules.Deployment, a
// *Nothing (understood, but there is nothing to watch) or a *Reason (not
// understood; it goes to the dead-letter stream with that reason).
//
// It is pure: it holds no connection, reads no clock and keeps no state. It never
// trusts a message: size, nesting, encoding, names and times are checked here, so
// that every value past this package is short, printable and of the right kind.
// Values are still only values: they never become PromQL, shell, URLs or HTML.
//
// Start reading at Parse (message.go), which finds out the shape of a message;
// then native.go, cdevent.go and cloudevent.go, one for each shape.
package events
