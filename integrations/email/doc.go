// Package email is the channel that sends mail by SMTP: HTML with a text alternative, one
// thread a watch, over STARTTLS or TLS.
//
// All text is escaped by html/template, a subject is one line, and a repeat carries the
// same Message-ID, by which mail programs drop it. It makes one try of one message, reads
// a bounded reply, and shows no password in any error.
//
// Start reading at channel.Notify (channel.go), then compose.go and session.go.
package email
