package prometheus

import (
	"context"
	"errors"

	"github.com/bakewatch/bakewatch/rules"
)

// maxCulprits bounds the search: it takes about 2·log₂(n) requests to find one
// culprit among n instants. After so many, a request that fails fails for all its
// instants.
const maxCulprits = 20

// search is the way of one question over a range. A request that fails is halved
// until the culprit stands alone, so that one instant that never has an answer
// leaves its neighbours theirs.
type search struct {
	question
	longest  int                // how many instants a request asks for at most
	shifted  bool               // the server rounds the instants of a range
	tried    bool               // whether the query works at all was asked
	culprits int                // instants that failed alone
	ended    *rules.SampleError // why nothing more is asked
}

// cut asks for the instants in pieces that are not too long.
func (s *search) cut(ctx context.Context, over instants, results []rules.Result) {
	for i := 0; i < over.count; {
		count := min(s.longest, over.count-i)
		s.fill(ctx, over.part(i, count), results[i:i+count])
		i += count
	}
}

func (s *search) fill(ctx context.Context, over instants, results []rules.Result) {
	if s.ended != nil {
		fail(results, s.ended)
		return
	}
	failed := s.request(ctx, over, results)
	switch {
	case failed == nil:
	case over.count > 1 && failed.Reason == rules.TimedOut && ctx.Err() == nil:
		s.longest = (over.count + 1) / 2 // no later request need wait for that again
		s.cut(ctx, over, results)
	case endsSearch(failed):
		s.end(failed, results)
	case over.count == 1:
		s.culprits++
		fail(results, failed)
	case s.culprits >= maxCulprits || s.hopeless(ctx, over, failed):
		fail(results, failed)
	default:
		half := over.count / 2
		s.cut(ctx, over.part(0, half), results[:half])
		s.cut(ctx, over.part(half, over.count-half), results[half:])
	}
}

// hopeless says whether the query fails whatever the instant, as a wrong one does.
// The last, the first and one between are asked alone, once for a question; to a
// short range it is not worth it.
func (s *search) hopeless(ctx context.Context, over instants, failed *rules.SampleError) bool {
	if s.tried || over.count <= 4 || errors.Is(failed, errBodyTooLarge) {
		return false
	}
	s.tried = true
	for _, i := range []int{over.count - 1, 0, over.count / 2} {
		alone := s.request(ctx, over.part(i, 1), make([]rules.Result, 1))
		if alone == nil || alone.Reason != failed.Reason {
			return false
		}
	}
	return true
}

// end keeps the answers that are there, and asks for no more.
func (s *search) end(failed *rules.SampleError, left []rules.Result) {
	s.ended = failed
	fail(left, failed)
}

// endsSearch says whether a failure is the server's: it would befall every instant.
func endsSearch(failed *rules.SampleError) bool {
	return isOutage(failed.Reason) || failed.Reason == rules.Skewed
}

func fail(results []rules.Result, failed *rules.SampleError) {
	for i := range results {
		results[i] = rules.Result{Err: failed}
	}
}
