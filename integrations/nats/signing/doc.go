// Package signing signs messages on NATS and says whose signature one carries: an
// ed25519 signature by an nkey (U…) over the subject, an id, the time and the body,
// in four headers beside the message's own.
//
// It never says what a key may do: whoever verifies asks the directory of people or
// the announcers. It holds no clock: what is fresh is judged at a time that is given.
//
// Start reading at Message.Text (message.go), the bytes that are signed; then Verify
// (verify.go), Key (key.go), and Seen (seen.go), which tells a repeat from a replay.
package signing
