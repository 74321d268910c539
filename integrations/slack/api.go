package slack

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// api calls Slack's Web API with one token.
type api struct {
	client *outbound.Client
	base   *url.URL
	token  outbound.Secret
}

// said is as much of a reply of the Web API as is used.
type said struct {
	OK      bool   `json:"ok"`
	Error   string `json:"error"`
	Needed  string `json:"needed"` // the scope that is missing
	Channel string `json:"channel"`
	TS      string `json:"ts"`
	URL     string `json:"url"`
	More    struct {
		Messages []string `json:"messages"`
	} `json:"response_metadata"`
}

// refusal is an error that Slack named.
type refusal struct {
	name string
	err  error
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

// refused says whether Slack refused a call for one of the reasons.
func refused(err error, reasons map[string]bool) bool {
	var r *refusal
	return errors.As(err, &r) && reasons[r.name]
}

// call makes one try of one method. Its error is Retryable or Permanent.
func (a *api) call(ctx context.Context, method string, body any) (said, error) {
	to, err := outbound.ParseEndpoint(a.base.JoinPath(method).String())
	if err != nil {
		return said{}, actions.Permanent(fmt.Errorf("api_url: %w", err))
	}
	text, err := marshal(body)
	if err != nil {
		return said{}, actions.Permanent(fmt.Errorf("%s: the message is no JSON: %w", method, err))
	}
	reply, err := a.client.Do(ctx, outbound.Call{
		Method: http.MethodPost, To: to, Body: text, Unclear: actions.ClassRetryable,
		Header: http.Header{
			"Content-Type": {"application/json; charset=utf-8"}, "Authorization": {"Bearer " + a.token.Reveal()},
		},
	})
	got, parsed := parse(reply.Body)
	switch {
	case got.Error != "":
		return said{}, a.refusal(method, to, got, err)
	case err != nil:
		return said{}, err
	case !got.OK:
		// Something between us and Slack answered: it may be gone the next time.
		return said{}, actions.Retryable(fmt.Errorf("%s: not Slack's answer (%w): %s", to, parsed, a.client.Redact(to, string(reply.Body))))
	}
	return got, nil
}

// refusal classes an error by its name; one that nobody knows may be gone the next
// time. status is the error of the HTTP reply: it says how long to wait.
func (a *api) refusal(method string, to outbound.Endpoint, got said, status error) error {
	name := a.client.Redact(to, got.Error)
	text := fmt.Sprintf("slack says %s to %s", name, method)
	if got.Needed != "" {
		text += " (" + a.client.Redact(to, got.Needed) + ")"
	}
	if more := strings.Join(got.More.Messages, "; "); more != "" {
		text += ": " + a.client.Redact(to, more)
	}
	hint, known := refusals[got.Error]
	switch {
	case known:
		return &refusal{name, actions.Permanent(errors.New(text + ": " + hint))}
	case unthreadable[got.Error] || unamendable[got.Error]:
		return &refusal{name, actions.Permanent(errors.New(text))}
	}
	again := &actions.Error{Class: actions.ClassRetryable, Err: errors.New(text)}
	var classed *actions.Error
	if errors.As(status, &classed) {
		again.After = classed.After
	}
	return &refusal{name, again}
}

// errNotJSON says that a reply is none of the Web API.
var errNotJSON = errors.New("no JSON object with ok")

// parse reads a reply as far as it came: a long one, which repeats the message, is cut.
func parse(body []byte) (got said, err error) {
	fields := map[string]any{
		"ok": &got.OK, "error": &got.Error, "needed": &got.Needed, "channel": &got.Channel, "ts": &got.TS, "url": &got.URL,
		"response_metadata": &got.More,
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return got, errNotJSON
	}
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return got, errNotJSON
		}
		into := fields[fmt.Sprint(name)]
		if into == nil {
			into = &json.RawMessage{}
		}
		if err := decoder.Decode(into); err != nil {
			return got, errNotJSON
		}
	}
	return got, errNotJSON
}

// errElsewhere says that a URL does not lead to Slack.
var errElsewhere = errors.New("the URL does not lead to Slack")

// own takes a URL that came in a message from Slack, if it leads to Slack: to the host
// of the Web API or to one below it, encrypted.
func (a *api) own(raw string) (outbound.Endpoint, error) {
	to, err := outbound.ParseEndpoint(raw)
	if err != nil {
		return outbound.Endpoint{}, err
	}
	parsed, err := url.Parse(raw)
	if err != nil {
		return outbound.Endpoint{}, errElsewhere
	}
	host, ours := strings.ToLower(parsed.Hostname()), strings.ToLower(a.base.Hostname())
	below := host == ours || strings.HasSuffix(host, "."+ours)
	if !below || port(parsed) != port(a.base) || !to.Private() {
		return outbound.Endpoint{}, errElsewhere
	}
	return to, nil
}

func port(u *url.URL) string {
	return cmp.Or(u.Port(), map[string]string{"https": "443", "http": "80"}[u.Scheme])
}
