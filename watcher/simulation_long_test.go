//go:build long

package watcher_test

// simulatedWatches is how many watches the long simulation opens at least.
const simulatedWatches = 10_000
