package slack

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// CallbackPath is where Slack posts what was pressed, if it does so: the app's Request URL.
const CallbackPath = "/api/v1/slack/actions"

const (
	// freshness is how old a signed request may be, or how far ahead.
	freshness = 5 * time.Minute
	// requestLimit is how many bytes of a request are read; it repeats the message.
	requestLimit = 512 << 10
)

// ServeHTTP takes a signed request of Slack. It is answered before the vote is given,
// for Slack waits three seconds only; who pressed is told on their own.
func (b *Buttons) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, requestLimit))
	if err != nil {
		http.Error(w, "the request cannot be read, or is too long", http.StatusRequestEntityTooLarge)
		return
	}
	to, err := b.signer(r.Header, body)
	if err != nil {
		b.log.Warn("slack: a request is not believed", "from", r.RemoteAddr, "err", err)
		http.Error(w, err.Error(), http.StatusUnauthorized)
		return
	}
	payload, err := readForm(r.Header, body)
	if err != nil {
		b.log.Warn("slack: a signed request cannot be read", "err", err)
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	if !b.take(r.Context(), to, payload) {
		http.Error(w, "too much at once: press again", http.StatusServiceUnavailable)
	}
}

// Why a request is not believed.
var (
	errUnsigned = errors.New("not signed by Slack: check signing_secret_file")
	errStale    = errors.New("signed too long ago, or in the future: check the clock")
	errEarly    = errors.New("signed before this daemon was active: press again")
	errReplayed = errors.New("this very request was taken before")
)

// signer returns the app that signed the request, now and for the first time.
//
// What was taken is forgotten with the process, so nothing is believed that was signed
// before it began.
func (b *Buttons) signer(header http.Header, body []byte) (*bot, error) {
	stamp, signature := header.Get("X-Slack-Request-Timestamp"), header.Get("X-Slack-Signature")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return nil, errUnsigned
	}
	for _, to := range b.signed {
		if !hmac.Equal([]byte(signature), []byte(signatureOf(to.signing.Reveal(), stamp, body))) {
			continue
		}
		switch at := time.Unix(seconds, 0); {
		case time.Since(at).Abs() > freshness:
			return nil, errStale
		case at.Before(b.since.Truncate(time.Second)):
			return nil, errEarly
		case b.seen.has(signature, time.Now()):
			return nil, errReplayed
		}
		return to, nil
	}
	return nil, errUnsigned
}

// signatureOf signs as Slack documents: version, time and body, joined by colons.
func signatureOf(secret, stamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = fmt.Fprintf(mac, "v0:%s:", stamp)
	_, _ = mac.Write(body)
	return "v0=" + hex.EncodeToString(mac.Sum(nil))
}

// readForm returns the payload of a form.
func readForm(header http.Header, body []byte) ([]byte, error) {
	kind, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errors.New("a form is wanted")
	}
	form, err := url.ParseQuery(string(body))
	if err != nil || form.Get("payload") == "" {
		return nil, errors.New("the form has no payload")
	}
	return []byte(form.Get("payload")), nil
}
