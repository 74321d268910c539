package webhook

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// caller makes signed calls for the executor and the channel.
type caller struct {
	client  *outbound.Client
	to      outbound.Endpoint
	secret  outbound.Secret // none: not signed
	token   outbound.Secret // none: no Authorization
	headers map[string]string
	unclear actions.Class
}

// caller reads the secrets and makes a caller.
func (o *ChannelOptions) caller(name string, unclear actions.Class) (*caller, error) {
	fail := func(err error) (*caller, error) { return nil, fmt.Errorf("webhook %s: %w", name, err) }
	address, err := outbound.ReadSecret("url", o.URLFile, o.URLEnv)
	if err != nil {
		return fail(err)
	}
	if address.IsZero() {
		address = outbound.NewSecret(o.URL)
	}
	c := &caller{headers: o.Headers, unclear: unclear}
	if c.to, err = outbound.ParseEndpoint(address.Reveal()); err != nil {
		return fail(fmt.Errorf("url: %w", err))
	}
	if c.secret, err = outbound.ReadSecret("secret", o.SecretFile, o.SecretEnv); err != nil {
		return fail(err)
	}
	if !c.secret.IsZero() {
		if err := CheckSecret(c.secret); err != nil {
			return fail(err)
		}
	}
	if c.token, err = outbound.ReadSecret("token", o.TokenFile, o.TokenEnv); err != nil {
		return fail(err)
	}
	c.client, err = outbound.New(outbound.Config{
		Timeout: time.Duration(o.Timeout), TLS: o.TLS, Proxy: o.ProxyURL, AllowLinkLocal: o.AllowLinkLocal,
		Secrets: append(secretForms(c.secret), c.token),
	})
	if err != nil {
		return fail(err)
	}
	return c, nil
}

// mayHold says whether the token may be sent to all of these: encrypted or within this
// machine, and to the host alone that the token is for.
func (c *caller) mayHold(others ...outbound.Endpoint) error {
	if c.token.IsZero() {
		return nil
	}
	for _, to := range append([]outbound.Endpoint{c.to}, others...) {
		switch {
		case to.IsZero():
		case !to.Private():
			return fmt.Errorf("the token would go to %s unencrypted: use https", to)
		case !to.SameHost(c.to):
			return fmt.Errorf("the token for %s would go to %s as well: %s", c.to, to, oneHostHint)
		}
	}
	return nil
}

// post sends a body under a key that is the same for every try.
func (c *caller) post(ctx context.Context, key string, body []byte) (outbound.Reply, error) {
	return c.call(ctx, http.MethodPost, c.to, key, http.Header{"Content-Type": {"application/json"}, "Idempotency-Key": {key}}, body)
}

// call signs one call and makes it.
func (c *caller) call(ctx context.Context, method string, to outbound.Endpoint, id string, header http.Header, body []byte) (outbound.Reply, error) {
	for name, value := range c.headers {
		header.Set(name, value)
	}
	if !c.token.IsZero() {
		header.Set("Authorization", "Bearer "+c.token.Reveal())
	}
	if !c.secret.IsZero() {
		signed, err := Sign(c.secret, id, time.Now(), body)
		if err != nil {
			return outbound.Reply{}, actions.Permanent(err)
		}
		maps.Copy(header, signed)
	}
	return c.client.Do(ctx, outbound.Call{Method: method, To: to, Header: header, Body: body, Unclear: c.unclear})
}

func validHeader(name, value string) bool {
	return httpguts.ValidHeaderFieldName(name) && httpguts.ValidHeaderFieldValue(value)
}
