// Package outbound is the one HTTP client that executors and channels share, and
// the small types that keep secrets out of errors and logs.
//
// It makes one try of one call: a bounded time, a bounded reply, no redirects, no
// proxy but the one in the options, no link-local address. A failed call comes
// back as an actions.Error that says what the caller may do next.
//
// It never retries, never logs, and never takes a URL from an event: every
// Endpoint is parsed from the daemon's file or from a file that it names. (Slack
// says in signed requests where to answer; package slack takes that only if it
// leads to Slack.)
//
// Start reading at Client.Do (client.go); class.go is the table from what
// happened to what may be done next.
package outbound
