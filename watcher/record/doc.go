// Package record keeps what each rule is worth: how often it was breached, what it would
// have had the power to do, and whether people agreed. From that follows a proposal for its
// next step on the ladder shadow, notify, enforce; nobody is promoted by it.
//
// It is a pure fold over the journal's entries, of all lanes, in their order.
//
// Start reading at Keeper.See (keeper.go); said.go says what counts as people's word, and
// ladder.go what is proposed.
package record
