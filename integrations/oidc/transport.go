package oidc

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"golang.org/x/time/rate"

	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// errAway says that the provider cannot be asked now, whatever was to be asked.
var errAway = errors.New("the OpenID provider does not answer")

const (
	// replyLimit is more bytes than any provider's metadata or keys have.
	replyLimit = 1 << 20
	// A token that names a key nobody knows makes the keys be fetched again: strangers could
	// have the provider asked as often as they like.
	fetchesPerSecond = 1
	fetchesAtOnce    = 5
)

// transport bounds what is fetched from the provider, and tells the provider that is away
// from one that says no.
type transport struct {
	next    http.RoundTripper
	fetches *rate.Limiter
}

func newTransport(next http.RoundTripper) *transport {
	return &transport{next, rate.NewLimiter(fetchesPerSecond, fetchesAtOnce)}
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := private(r.URL.String()); err != nil {
		return nil, err
	}
	if r.Method == http.MethodGet && !t.fetches.Allow() {
		return nil, fmt.Errorf("%w: it was asked for its keys just now; try again in a moment", errAway)
	}
	response, err := t.next.RoundTrip(r)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errAway, err)
	case response.StatusCode >= http.StatusInternalServerError || response.StatusCode == http.StatusTooManyRequests:
		_ = response.Body.Close() // only read from
		return nil, fmt.Errorf("%w: %s", errAway, response.Status)
	}
	response.Body = limited{io.LimitReader(response.Body, replyLimit), response.Body}
	return response, nil
}

// private refuses an address at which others could listen, or answer in the provider's place.
func private(address string) error {
	to, err := outbound.ParseEndpoint(address)
	if err == nil && !to.Private() {
		err = errors.New("it is not https")
	}
	if err != nil {
		return fmt.Errorf("the provider names an address that is not asked: %w", err)
	}
	return nil
}

// limited is a body of which only the beginning is read.
type limited struct {
	io.Reader
	io.Closer
}
