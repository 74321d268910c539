package prometheus

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"time"
	"unicode"

	v1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/rules"
)

// failure is the one table from what went wrong with a request to a Reason. The
// statuses of replies are typed before, in wire.go.
func (s *Source) failure(err error) *rules.SampleError {
	var typed *rules.SampleError
	var api *v1.Error
	var network net.Error
	switch {
	case errors.As(err, &typed):
		return rules.Failed(typed.Reason, "%w", s.hidden(typed.Err))
	case errors.Is(err, context.Canceled):
		return rules.Failed(rules.TimedOut, "the look was given up: %w", context.Canceled)
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return rules.Failed(rules.TimedOut, "no answer within %v", s.cfg.Timeout)
	case errors.As(err, &api) && (api.Type == v1.ErrBadData || api.Type == v1.ErrExec):
		return rules.Failed(rules.BadQuery, "%s", s.hide(api.Msg))
	case errors.As(err, &api) && (api.Type == v1.ErrTimeout || api.Type == v1.ErrCanceled):
		return rules.Failed(rules.TimedOut, "%s", s.hide(api.Msg))
	case errors.As(err, &api) && strings.Contains(api.Msg, "unexpected value type"): // a string; the client has no error for it
		return rules.Failed(rules.WrongType, "the query gives no vector or scalar: %s", s.hide(api.Msg))
	case errors.As(err, &api):
		return rules.Failed(rules.Unreachable, "this is not the answer of a Prometheus: %s", s.hide(api.Msg))
	}
	return rules.Failed(rules.Unreachable, "%s", s.hide(inner(err).Error()))
}

// unusable says why a reply that came through must not be believed, if so.
func (s *Source) unusable(warnings v1.Warnings) *rules.SampleError {
	if skew := s.Skew(); skew.Abs() > maxSkew {
		return rules.Failed(rules.Skewed, "the server's clock is %v off ours", skew.Round(time.Second))
	}
	if len(warnings) > 0 {
		return rules.Failed(rules.Partial, "the server warns: %s", s.hide(strings.Join(warnings, "; ")))
	}
	return nil
}

func wrongType(value model.Value) *rules.SampleError {
	kind := "nothing"
	if value != nil {
		kind = value.Type().String()
	}
	return rules.Failed(rules.WrongType, "the query gives a %s where a vector or scalar is meant", kind)
}

// anotherInstant is the failure of a server that answers for a time at which it
// takes its data to be complete (VictoriaMetrics' latencyOffset), or from a cache.
func anotherInstant(got model.Time, at time.Time) *rules.SampleError {
	return rules.Failed(rules.WrongType, "the reply is of %v, not of %v: if the server shifts what is too new for it, raise settle",
		got.Time().UTC(), at.UTC())
}

func histogramFound(metric model.Metric) *rules.SampleError {
	return rules.Failed(rules.WrongType, "%v is a native histogram where a number is meant: use histogram_count, histogram_fraction …", metric)
}

// isOutage says whether the server, and not the query, is to blame.
func isOutage(reason rules.Reason) bool {
	switch reason {
	case rules.Unreachable, rules.ServerError, rules.Throttled, rules.TimedOut:
		return true
	case rules.BadQuery, rules.Partial, rules.TooLarge, rules.WrongType, rules.Ambiguous,
		rules.Skewed, rules.NotANumber, rules.Empty, rules.Unbound:
		return false
	}
	return false
}

// inner drops the URL that net/http puts before an error.
func inner(err error) error {
	var around *url.Error
	if errors.As(err, &around) {
		return around.Err
	}
	return err
}

// hidden keeps what an error is and changes only what it says.
func (s *Source) hidden(err error) error { return veiled{error: err, text: s.hide(err.Error())} }

type veiled struct {
	error
	text string
}

func (v veiled) Error() string { return v.text }
func (v veiled) Unwrap() error { return v.error }

// hide makes a text from outside fit to be shown.
func (s *Source) hide(text string) string {
	for _, secret := range s.secrets {
		text = strings.ReplaceAll(text, secret, "<secret>")
	}
	return plain(text)
}

// plain bounds a text and takes out what could disturb a log or a terminal.
func plain(text string) string {
	const enough = 300
	text = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
	if runes := []rune(text); len(runes) > enough {
		return string(runes[:enough]) + "…"
	}
	return text
}
