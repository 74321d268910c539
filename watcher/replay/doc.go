// Package replay asks what Bakewatch would have done: it runs the real state machine
// (watcher.Lane) and the real judge over recorded counts, from an empty journal, at
// the times at which they were counted.
//
// Package peers has other tools, which can be shown the same looks.
//
// It is pure: it reads no file, no clock and no server, rolls nothing back and writes
// nothing down. Who reads recordings is package incidents of the command.
//
// Start reading at Recording (recording.go), then Run (run.go).
package replay
