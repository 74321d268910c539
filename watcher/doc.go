// Package watcher is the life of a watch. A Lane is the fold of its journal; its
// pure method Next names the one entry to write now, Todo what the outside is
// owed. An Owner is the thin loop around it: it appends, folds only what the
// journal acknowledged, and asks again until the lane is quiet.
//
// Below the loop there is no IO and no clock: time is an argument. Nothing here
// knows NATS, HTTP or Prometheus; the ports Journal and Sampler stand in for them.
//
// Start reading at Entry (entry.go), then Lane (lane.go), Next (next.go) and Owner (owner.go).
package watcher
