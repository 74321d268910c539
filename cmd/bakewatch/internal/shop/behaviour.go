package shop

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Behaviour is what is wrong with a version.
type Behaviour string

// The behaviours of a version.
const (
	Good    Behaviour = "none"    // nothing is wrong
	Errors  Behaviour = "errors"  // 8 % of the answers are 500
	Latency Behaviour = "latency" // 30 % of the answers are slow
	Crash   Behaviour = "crash"   // an instance dies at its hundredth request, and is restarted
	Scan    Behaviour = "scan"    // a scanner found two critical vulnerabilities
)

// Behaviours lists every behaviour, the good one first.
func Behaviours() []Behaviour { return []Behaviour{Good, Errors, Latency, Crash, Scan} }

// ParseBehaviour returns the behaviour with this name.
func ParseBehaviour(name string) (Behaviour, error) {
	if b := Behaviour(name); slices.Contains(Behaviours(), b) {
		return b, nil
	}
	var known []string
	for _, b := range Behaviours() {
		known = append(known, string(b))
	}
	return "", fmt.Errorf("unknown behaviour %q; one of %s", name, strings.Join(known, ", "))
}

// crashEvery is how many requests an instance of a crashing version survives.
const crashEvery = 100

// fails says whether the request with this number is answered by an error: 2 of 25.
// Shares are exact, so that a demo and its tests see what is promised.
func (b Behaviour) fails(n uint64) bool { return b == Errors && n%25 < 2 }

// crashes says whether the request with this number is the last of its process.
func (b Behaviour) crashes(n uint64) bool { return b == Crash && n == crashEvery }

// takes returns how long the request with this number takes.
func (b Behaviour) takes(n uint64, slow time.Duration) time.Duration {
	if b == Latency && n%10 < 3 {
		return slow
	}
	return time.Duration(1+n%5) * time.Millisecond
}

// critical returns how many critical vulnerabilities a scanner found.
func (b Behaviour) critical() float64 {
	if b == Scan {
		return 2
	}
	return 0
}
