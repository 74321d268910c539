package actions

// Outcome is how one try of a rollback ended.
type Outcome struct {
	Key    string `json:"key"`
	Result Result `json:"result"`
	// Live is the version that the executor itself says is live afterwards; empty: it cannot tell.
	Live   string `json:"live,omitempty"`
	Reason string `json:"reason,omitempty"` // why it failed or is unknown
}

// Result is one word for it.
type Result string

// The results of a try.
const (
	ResultDone    Result = "done"    // the executor said so
	ResultFailed  Result = "failed"  // nothing was rolled back
	ResultUnknown Result = "unknown" // it may or may not have been; a person must look
)
