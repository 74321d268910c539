// Package alertmanager is the channel that tells by alerts: one for each watch and
// severity, which Alertmanager routes, groups and silences as any other, and which is
// resolved when the watch needs nobody any more.
//
// It keeps no state: what to resolve follows from the message that says so. It does not
// send alerts again and again as Prometheus does; each says itself when it ends.
//
// Start reading at channel.Notify (channel.go), then alert.go.
package alertmanager
