//go:build !long

package watcher_test

// simulatedWatches is how many watches the everyday simulation opens at least.
const simulatedWatches = 300
