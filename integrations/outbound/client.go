package outbound

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/bakewatch/bakewatch/actions"
)

// ReplyLimit is how many bytes of a reply are read.
const ReplyLimit = 64 << 10

// Config is what a client needs. Everything may be left out.
type Config struct {
	Timeout        time.Duration // for one call in all; default 10s
	TLS            *TLS
	Proxy          string   // URL of an HTTP proxy; proxies of the environment are never used
	AllowLinkLocal bool     // allow 169.254.0.0/16 and fe80::/10
	Secrets        []Secret // to be taken out of errors, besides the endpoint itself
}

// Client makes single calls. It is safe for concurrent use.
type Client struct {
	http    *http.Client
	timeout time.Duration
	secrets []Secret
}

// New makes a client; it reads the TLS files.
func New(cfg Config) (*Client, error) {
	tlsConfig, err := cfg.TLS.Config()
	if err != nil {
		return nil, err
	}
	dialer := NewDialer(cfg.AllowLinkLocal)
	transport := &http.Transport{
		DialContext:         dialer.DialContext,
		TLSClientConfig:     tlsConfig,
		TLSHandshakeTimeout: 10 * time.Second,
		// The transport sends a request again when a reused connection breaks and the
		// request has an Idempotency-Key. One call is one try: no connection is reused.
		DisableKeepAlives:      true,
		MaxResponseHeaderBytes: ReplyLimit,
	}
	if cfg.Proxy != "" {
		proxy, err := ParseEndpoint(cfg.Proxy)
		if err != nil {
			return nil, fmt.Errorf("proxy_url: %w", err)
		}
		transport.Proxy = proxyFor(proxy, cfg.AllowLinkLocal)
	}
	refuse := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	return &Client{
		http: &http.Client{Transport: transport, CheckRedirect: refuse}, timeout: cfg.Timeout, secrets: cfg.Secrets,
	}, nil
}

// NewDialer makes connections to where a call may go. Its error says whether the address
// is forbidden: see Forbidden.
func NewDialer(allowLinkLocal bool) *net.Dialer {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if !allowLinkLocal {
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkAddress(address) }
	}
	return dialer
}

// Forbidden says whether a connection failed because its address is forbidden.
func Forbidden(err error) bool { return errors.Is(err, errForbiddenAddress) }

// proxyFor sends everything to the proxy but what must not be reached through it
// either: the dialer sees only the proxy's own address.
func proxyFor(proxy Endpoint, allowLinkLocal bool) func(*http.Request) (*url.URL, error) {
	return func(req *http.Request) (*url.URL, error) {
		if _, err := netip.ParseAddr(req.URL.Hostname()); err == nil && !allowLinkLocal {
			if err := checkAddress(net.JoinHostPort(req.URL.Hostname(), "0")); err != nil {
				return nil, err
			}
		}
		return proxy.url, nil
	}
}

// Call is one call.
type Call struct {
	Method string
	To     Endpoint
	Header http.Header
	Body   []byte
	// Unclear is the class of an error after which the other side may or may not
	// have acted. A rollback leaves it ClassUnknown; a message, which may be told
	// twice, says ClassRetryable.
	Unclear actions.Class
}

// Reply is what came back.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte // at most ReplyLimit bytes
	Cut    bool   // the body was longer
}

// Do makes one try. The error is an *actions.Error for everything but a 2xx
// status, names the endpoint without its path, and holds no secret; the reply is
// filled in as far as it came.
func (c *Client) Do(ctx context.Context, call Call) (Reply, error) {
	redact := NewRedactor(append(call.To.secrets(), c.secrets...)...)
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	var connected atomic.Bool
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, trace), call.Method, call.To.url.String(), bytes.NewReader(call.Body))
	if err != nil {
		return Reply{}, actions.Permanent(safe(call.To, redact, err))
	}
	req.GetBody = nil // never sent again
	for name, values := range call.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	req.Header.Set("User-Agent", "bakewatch")
	resp, err := c.http.Do(req)
	if err != nil {
		class := classOfTransport(err, connected.Load(), call.Unclear)
		return Reply{}, &actions.Error{Class: class, Err: safe(call.To, redact, err)}
	}
	defer resp.Body.Close() //nolint:errcheck // only read from
	reply := Reply{Status: resp.StatusCode, Header: resp.Header}
	readErr := reply.read(resp.Body)
	if err := statusError(call, redact, reply, time.Now()); err != nil {
		return reply, err
	}
	if readErr != nil {
		err := fmt.Errorf("status %d, but the reply broke off: %w", reply.Status, readErr)
		return reply, &actions.Error{Class: call.Unclear, Err: safe(call.To, redact, err)}
	}
	return reply, nil
}

// read takes what fits; the rest is left unread and the connection closed.
func (r *Reply) read(body io.Reader) error {
	content, err := io.ReadAll(io.LimitReader(body, ReplyLimit+1))
	if len(content) > ReplyLimit {
		content, r.Cut = content[:ReplyLimit], true
	}
	r.Body = content
	return err
}

// safeError is an error from the transport without the URL and without secrets.
// It unwraps to what callers ask about, and to nothing that would print more.
type safeError struct {
	text string
	is   error
}

func (e *safeError) Error() string { return e.text }
func (e *safeError) Unwrap() error { return e.is }

func safe(to Endpoint, redact Redactor, err error) error {
	made := &safeError{}
	for _, is := range []error{context.DeadlineExceeded, context.Canceled, errForbiddenAddress} {
		if errors.Is(err, is) {
			made.is = is
		}
	}
	made.text = fmt.Sprintf("%s: %s", to, redact.Excerpt(withoutURL(err).Error(), 500))
	return made
}

// HTTP returns the client for a library that makes its own requests. It has the same
// certificates, proxy and refusals, but neither the timeout of Do nor its redaction.
func (c *Client) HTTP() *http.Client { return c.http }

// Redact makes a text that came back safe to show: on one line, short, without secrets.
func (c *Client) Redact(to Endpoint, text string) string {
	return NewRedactor(append(to.secrets(), c.secrets...)...).Excerpt(text, 200)
}
