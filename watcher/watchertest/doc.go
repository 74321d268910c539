// Package watchertest checks what a run has left behind against the invariants
// that Bakewatch promises: at most one decision per watch, no effect without an
// earlier intent, no rollback on missing data, and so on.
//
// It reads entries as an auditor would. It folds nothing by the code that it
// checks, except to compare that code's fold with what people are shown. It is
// for tests; nothing of the program imports it.
//
// Start reading at Record (record.go).
package watchertest
