// Package slack is the channel that posts to a Slack incoming webhook.
//
// The webhook's URL is a secret and is treated as one. All text is escaped, so
// nothing in a message can mention people or hide a link; what is too long for
// Slack is cut, never refused. An incoming webhook can only post single messages:
// there are no threads, no edits and no buttons, and Slack drops no repeats.
//
// Start reading at channel.Notify (channel.go), then blocks (blocks.go).
package slack
