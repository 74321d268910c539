package prometheus

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// maxSkew is how far a server's clock may be from ours.
const maxSkew = 5 * time.Second

// wire is the outermost RoundTripper. It looks at a reply before the API client
// does: the status, the length, and the server's clock.
type wire struct {
	next    http.RoundTripper
	maxBody int64
	skew    atomic.Int64 // as a time.Duration, of the last reply
}

// RoundTrip returns a response whose body is bounded, of a status below 400 or of
// one that makes the API client ask again by GET, or else a *rules.SampleError.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := time.Now()
	response, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	w.noteClock(response.Header, sent, time.Now())
	if response.StatusCode >= http.StatusBadRequest && !asksForGET(r, response) {
		defer func() { _ = response.Body.Close() }()
		return nil, refused(response)
	}
	if response.ContentLength > w.maxBody {
		_ = response.Body.Close()
		return nil, bodyTooLarge(w.maxBody)
	}
	response.Body = &boundedBody{body: response.Body, left: w.maxBody, limit: w.maxBody}
	return response, nil
}

// asksForGET says whether a server takes no POST.
func asksForGET(r *http.Request, response *http.Response) bool {
	status := response.StatusCode
	return r.Method == http.MethodPost && (status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented)
}

// CloseIdleConnections lets http.Client reach the transport below.
func (w *wire) CloseIdleConnections() {
	if closer, ok := w.next.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}

// noteClock compares the Date header, which has whole seconds, with the time
// between request and reply. A reply from a cache says nothing about a clock.
func (w *wire) noteClock(header http.Header, sent, received time.Time) {
	date, err := http.ParseTime(header.Get("Date"))
	if err != nil || header.Get("Age") != "" {
		return
	}
	var skew time.Duration
	if behind := date.Add(time.Second); behind.Before(sent) {
		skew = behind.Sub(sent)
	}
	if date.After(received) {
		skew = date.Sub(received)
	}
	w.skew.Store(int64(skew))
}

// refused types the failure that a status above 399 is. Only an error text in the
// envelope of the Prometheus API is shown: a page from a proxy may hold anything.
func refused(response *http.Response) *rules.SampleError {
	var reply struct {
		Type string `json:"errorType"`
		Text string `json:"error"`
	}
	head, _ := io.ReadAll(io.LimitReader(response.Body, 16<<10))
	isAPI := json.Unmarshal(head, &reply) == nil && reply.Type != ""
	text := "no reason given"
	if isAPI {
		text = reply.Type + ": " + reply.Text // Source.hide cuts it, but not before the secrets are gone
	}
	return rules.Failed(reasonOf(response.StatusCode, reply.Type, isAPI), "server answered %d: %s", response.StatusCode, text)
}

func reasonOf(status int, kind string, isAPI bool) rules.Reason {
	switch {
	case kind == "timeout", kind == "canceled", status == http.StatusRequestTimeout:
		return rules.TimedOut
	case status == http.StatusTooManyRequests:
		return rules.Throttled
	case status == http.StatusRequestEntityTooLarge:
		return rules.TooLarge
	case status >= http.StatusInternalServerError:
		return rules.ServerError
	case isAPI && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity):
		return rules.BadQuery
	}
	return rules.Unreachable // wrong credentials, wrong path, no Prometheus at all
}

// errBodyTooLarge marks replies that a shorter range would make smaller.
var errBodyTooLarge = errors.New("reply too large")

func bodyTooLarge(limit int64) *rules.SampleError {
	return rules.Failed(rules.TooLarge, "%w: more than %d bytes", errBodyTooLarge, limit)
}

// boundedBody fails where a body is longer than it may be, rather than cutting it.
type boundedBody struct {
	body        io.ReadCloser
	left, limit int64
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.body.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, bodyTooLarge(b.limit)
	}
	return n, err
}

func (b *boundedBody) Close() error { return b.body.Close() }
