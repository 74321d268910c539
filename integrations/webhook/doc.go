// Package webhook holds the executor and the channel that call an HTTP endpoint
// of the operator's. What is sent is signed as standardwebhooks.com says and
// carries an Idempotency-Key; Verify is for whoever receives it.
//
// URLs come from the daemon's file alone. What comes from events goes into the
// JSON body (or, for a question about what is live, into headers), never into a URL.
//
// One call is one try. Only the question how a rollback that the other side
// accepted (202) is getting on is asked again and again, until the context ends.
//
// Start reading at executor.Rollback (executor.go) and channel.Notify (channel.go).
package webhook
