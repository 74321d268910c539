// Package log is the channel that writes messages to the daemon's own log, one
// line each.
//
// It is the channel that needs nothing and is always there. It never drops a
// message for its level: a channel tells, whatever the log is set to. Nobody is
// known to read a log, so a plan should name another channel as well.
//
// Start reading at channel.Notify (channel.go).
package log
