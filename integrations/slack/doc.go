// Package slack is the channel to Slack: by an incoming webhook, which can only post
// single messages, or as an app with a bot token, which keeps a thread for each watch,
// edits what it said, and puts buttons under questions.
//
// All text is escaped, so nothing in a message can mention people or hide a link; what
// is too long for Slack is cut, never refused. URL, tokens and signing secret are
// treated as secrets. A URL that comes in a request is called only if it leads to
// Slack. The channel keeps no state: its receipts, "channel:ts", stand in the journal.
// Slack drops no repeats.
//
// What people press comes by Socket Mode (socket.go) or signed request (signed.go).
// Both end in Buttons.take (buttons.go), which hands the vote to the port Answers and
// tells the one who pressed, alone, what became of it (tell.go). It decides nothing.
//
// Start reading at bot.Reply and bot.Amend (bot.go), then sheet (blocks.go).
package slack
