// Package authority says who decides: from what the rules answered and what the
// plan grants it makes a ruling, with every ceiling that lowered it.
//
// It is pure: the same Case gives the same Ruling, whenever and wherever it is
// asked. It never acts, waits or writes.
//
// Start reading at Decide (decide.go); guards.go is the list of ceilings, and
// votes.go says whose answer counts.
package authority
