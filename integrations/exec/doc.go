// Package exec is the executor that runs a command of the operator's.
//
// The command is an argv array and never goes through a shell. What comes from
// events reaches it as data only: in environment variables and as one JSON object
// on standard input, never in its arguments. It gets none of the daemon's
// environment but the names that the options pass on, runs in a process group of
// its own, and when its time is up nothing of that group is left behind.
//
// It never guesses: but for two exit codes that a script must choose on purpose,
// a failed command leaves open what it did.
//
// Start reading at executor.Rollback (executor.go), then run (process.go).
package exec
