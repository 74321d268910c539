// Command bakewatch watches each deployment while it bakes, and rolls it back
// when its rollback plan says so. The same binary is the daemon and the tool
// that people and pipelines use to speak with it.
//
// This package is wiring only: it reads flags, connects parts of other packages
// and prints what they answer. It never judges, decides or remembers.
//
// Start reading at run (main.go), then newRoot (root.go), the list of commands;
// each command is a file. How a command reaches the daemon is in remote.go.
package main
