package rules

import (
	"errors"
	"fmt"
)

// Query is one question to one Prometheus server. Queries with the same Source
// and Template may be asked as one by the sampler, since only Values differ.
type Query struct {
	Source   string            // [prometheus.NAME] of the daemon's file
	Template string            // PromQL in which $service, $version … stand inside label matchers
	Values   map[string]string // what they stand for; bound in the syntax tree, never in the text
	// Optional says that the rule can judge without it: a failure is handed to the
	// evidence, and is no failure of the look.
	Optional bool
}

// Result is the answer to one query at one instant: an instant vector, or why there is none.
// An empty vector is no error: what it means is for the rule to say.
type Result struct {
	Samples []Sample
	Err     error // a *SampleError
}

// Sample is one element of an instant vector. A scalar has no labels.
type Sample struct {
	Labels map[string]string
	Value  float64
}

// Reason says what was wrong with an answer from Prometheus.
type Reason string

// Why a query has no usable result.
const (
	Unreachable Reason = "unreachable" // no connection, TLS failure, a body that breaks off
	ServerError Reason = "server-error"
	Throttled   Reason = "throttled"
	TimedOut    Reason = "timeout"
	BadQuery    Reason = "bad-query"
	Partial     Reason = "partial" // the server warned that data may be missing
	TooLarge    Reason = "too-large"
	WrongType   Reason = "wrong-type"
	Ambiguous   Reason = "ambiguous" // several series where one is meant
	Skewed      Reason = "skewed"
	NotANumber  Reason = "not-a-number" // NaN, ±Inf, or a negative count
	Empty       Reason = "empty"
	Unbound     Reason = "unbound" // a placeholder without a value
)

// verdictOf is the one table from what Prometheus gave to what a rule says.
var verdictOf = map[Reason]Verdict{
	Unreachable: Blind, ServerError: Blind, Throttled: Blind, TimedOut: Blind, BadQuery: Blind,
	Partial: Blind, TooLarge: Blind, WrongType: Blind, Ambiguous: Blind, Skewed: Blind,
	NotANumber: NoData, Empty: NoData, Unbound: NoData,
}

// Passes says whether the same question about the same instant may have an answer
// later: what failed was the server, not the question.
func (r Reason) Passes() bool {
	switch r {
	case Unreachable, ServerError, Throttled, TimedOut, Skewed:
		return true
	case BadQuery, Partial, TooLarge, WrongType, Ambiguous, NotANumber, Empty, Unbound:
		return false
	}
	return true
}

// SampleError is why a query has no usable result.
type SampleError struct {
	Reason Reason
	Err    error
}

func (e *SampleError) Error() string { return fmt.Sprintf("%s: %v", e.Reason, e.Err) }
func (e *SampleError) Unwrap() error { return e.Err }

// Failed returns a *SampleError with a formatted cause.
func Failed(reason Reason, format string, args ...any) *SampleError {
	return &SampleError{Reason: reason, Err: fmt.Errorf(format, args...)}
}

// VerdictOf says what a failed query means for the rule that asked it: NoData or
// Blind. An error that is no *SampleError is Blind: what is not understood is not known.
func VerdictOf(err error) Verdict {
	var failed *SampleError
	if !errors.As(err, &failed) {
		return Blind
	}
	if verdict, known := verdictOf[failed.Reason]; known {
		return verdict
	}
	return Blind
}
