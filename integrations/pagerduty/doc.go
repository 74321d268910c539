// Package pagerduty wakes people by PagerDuty and hears from it: a channel over the Events
// API v2 that keeps one incident for each watch; a Schedule that asks the REST API who is
// on call; and a Webhook that takes acknowledgements in.
//
// It decides nothing: an acknowledgement is handed on as what a PagerDuty user has said.
// Which of them is a person that may vote is the directory's to say.
//
// Start reading at channel.Notify (channel.go), then event.go; schedule.go and webhook.go
// stand for themselves.
package pagerduty
