package outbound

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

// longestAfter bounds how long the other side may ask us to wait.
const longestAfter = time.Hour

// classOfTransport says what a call that got no reply means.
//
//	no connection (refused, DNS, TLS, cancelled before)  nothing was sent: retryable
//	a link-local or metadata address                     never sent: permanent
//	our client certificate refused                       nothing was read: retryable
//	anything later                                       unclear
func classOfTransport(err error, connected bool, unclear actions.Class) actions.Class {
	switch {
	case errors.Is(err, errForbiddenAddress):
		return actions.ClassPermanent
	case !connected, refusedCertificate(err):
		return actions.ClassRetryable
	}
	return unclear
}

// handshakeAlerts are the TLS alerts (RFC 8446, 6.2) by which a server refuses a
// client certificate. With TLS 1.3 they come after the request was written, but
// such a server has read none of it.
var handshakeAlerts = []tls.AlertError{42, 43, 44, 45, 46, 48, 116}

// refusedCertificate recognizes them by their text: over TCP package tls says what it
// received by a type that it does not export.
func refusedCertificate(err error) bool {
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "remote error" {
		return false
	}
	return slices.ContainsFunc(handshakeAlerts, func(alert tls.AlertError) bool { return op.Err.Error() == alert.Error() })
}

// classOfStatus says what a status outside 2xx means. asked: the reply says when
// to come back, so the other side chose not to act now.
func classOfStatus(status int, asked bool, unclear actions.Class) actions.Class {
	switch status {
	case http.StatusRequestTimeout, http.StatusMisdirectedRequest, http.StatusTooEarly, http.StatusTooManyRequests:
		return actions.ClassRetryable
	case http.StatusServiceUnavailable:
		if asked {
			return actions.ClassRetryable
		}
		return unclear // a proxy says this, too, when the server broke off half-way
	case http.StatusConflict:
		return unclear // often: a call with this key is under way
	case http.StatusTemporaryRedirect, http.StatusPermanentRedirect, http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return actions.ClassPermanent
	}
	switch {
	case status >= 300 && status < 400:
		// Some answer a POST that they did with a redirect to a page about it.
		if unclear == actions.ClassUnknown {
			return actions.ClassUnknown
		}
		return actions.ClassPermanent
	case status >= 400 && status < 500:
		return actions.ClassPermanent
	}
	return unclear
}

// statusError returns nil for 2xx, else the typed error with the beginning of the reply.
func statusError(call Call, redact Redactor, reply Reply, now time.Time) error {
	if reply.Status >= 200 && reply.Status < 300 {
		return nil
	}
	asked, after := retryAfter(reply.Header.Get("Retry-After"), now)
	class := classOfStatus(reply.Status, asked, call.Unclear)
	if class != actions.ClassRetryable {
		after = 0
	}
	text := fmt.Sprintf("%s: status %d %s", call.To, reply.Status, http.StatusText(reply.Status))
	if reply.Status >= 300 && reply.Status < 400 {
		text += " (redirects are refused: configure the final URL)"
	} else if said := redact.Excerpt(string(reply.Body), 200); said != "" {
		text += ": " + said
	}
	return &actions.Error{Class: class, After: after, Err: errors.New(text)}
}

// retryAfter reads seconds or an HTTP date.
func retryAfter(value string, now time.Time) (asked bool, after time.Duration) {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return true, min(time.Duration(seconds)*time.Second, longestAfter)
	}
	if date, err := http.ParseTime(value); err == nil {
		return true, min(max(date.Sub(now), 0), longestAfter)
	}
	return false, 0
}

// withoutURL takes the URL off a client's error.
func withoutURL(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}
