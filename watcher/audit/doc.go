// Package audit reads a journal as an outsider would, and says where a rollback
// lacks the authority that its plan asks for: a quorum counted short, a vote of
// somebody who has none, a silence that came too early, a budget overdrawn.
//
// It states the rules anew, by the entries alone, and uses neither the fold nor
// the counting of votes that it checks. It never changes anything.
//
// Start reading at Check (audit.go).
package audit
