// Package contract holds what every executor and every channel promises, as two
// test suites: one folder, one call of Executor or Channel in its tests.
//
// A folder brings a real fake of the outside (an HTTP server, a process) that can
// misbehave in the ways of Conduct; the suite asserts the class of every error, that
// one call is one try, that a key stays the same, that nothing waits forever or
// reads without bound, that no secret shows, and that README and example are true.
//
// It is for tests only: nothing that ships imports it.
//
// Start reading at Executor (executor.go).
package contract
