// Package prometheus asks Prometheus servers, and whatever else speaks their HTTP
// API. A Sampler takes the queries of a whole look at once, asks each distinct one
// of them once, and gives every query its own result or its own typed error.
//
// It never judges: that a result is empty, NaN or old is for the rules to say. It
// never retries within a look; the next look asks again. It puts no value into a
// query's text (rules/promql binds them in the syntax tree), and no secret into an
// error or a log.
//
// Start reading at Sampler (sampler.go), then Source (source.go) and the table
// from what went wrong to a rules.Reason (failure.go).
package prometheus
