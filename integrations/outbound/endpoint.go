package outbound

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

// placeholder finds what stands for an event's value in PromQL. It means nothing
// here, so whoever wrote it is told.
var placeholder = regexp.MustCompile(`\$\{?(service|environment|version|previous|flag|cohort|slot)\b`)

// CheckNoPlaceholder refuses a value in which someone expects an event's value to
// be put; hint says where the value is found instead.
func CheckNoPlaceholder(key, value, hint string) error {
	if found := placeholder.FindString(value); found != "" {
		return &rules.FieldError{Key: key, Err: fmt.Errorf("%s is not put in here", found), Hint: hint}
	}
	return nil
}

// Endpoint is where calls go. Its path and query may be secret (those of a Slack
// webhook are), so it prints as "https://hooks.slack.com/…".
type Endpoint struct{ url *url.URL }

// ParseEndpoint checks a URL: absolute, http or https, no user, no fragment, no
// placeholder. Its errors do not repeat the URL.
func ParseEndpoint(raw string) (Endpoint, error) {
	parsed, err := url.Parse(raw)
	if err != nil {
		return Endpoint{}, errors.New("not a URL") // the parser's error repeats it
	}
	switch {
	case parsed.Scheme != "http" && parsed.Scheme != "https":
		return Endpoint{}, errors.New("the URL must begin with https:// or http://")
	case parsed.Hostname() == "":
		return Endpoint{}, errors.New("the URL has no host")
	case parsed.User != nil:
		return Endpoint{}, errors.New("the URL holds a user or password: use token_file or token_env")
	case parsed.Fragment != "":
		return Endpoint{}, errors.New("the URL has a fragment (#…), which no server would see")
	case placeholder.MatchString(raw):
		return Endpoint{}, errors.New("the URL has a placeholder: values are in the request, never in its URL")
	}
	return Endpoint{url: parsed}, nil
}

// CheckURL checks an optional URL of the options.
func CheckURL(key, raw string) error {
	if raw == "" {
		return nil
	}
	if _, err := ParseEndpoint(raw); err != nil {
		return &rules.FieldError{Key: key, Err: err}
	}
	return nil
}

// CheckProxy checks the optional proxy_url of the options.
func CheckProxy(raw string) error {
	if parsed, err := url.Parse(raw); err == nil && parsed.User != nil {
		return &rules.FieldError{
			Key: "proxy_url", Err: errors.New("the URL holds a user or password, and a proxy with a login is not supported"),
			Hint: "name one that lets this machine through by its address",
		}
	}
	return CheckURL("proxy_url", raw)
}

// IsZero says that there is no endpoint.
func (e Endpoint) IsZero() bool { return e.url == nil }

// String returns scheme and host, never the path.
func (e Endpoint) String() string {
	if e.IsZero() {
		return ""
	}
	shown := e.url.Scheme + "://" + e.url.Host
	if e.url.Path != "" && e.url.Path != "/" || e.url.RawQuery != "" {
		shown += "/…"
	}
	return shown
}

// GoString hides the path from %#v.
func (e Endpoint) GoString() string { return fmt.Sprintf("outbound.Endpoint(%q)", e.String()) }

// Private says that the call is encrypted or stays on this machine.
func (e Endpoint) Private() bool {
	if e.url.Scheme == "https" || e.url.Hostname() == "localhost" {
		return true
	}
	addr, err := netip.ParseAddr(e.url.Hostname())
	return err == nil && addr.IsLoopback()
}

// SameHost says that both are on one host, whatever their ports.
func (e Endpoint) SameHost(other Endpoint) bool {
	return strings.EqualFold(e.url.Hostname(), other.url.Hostname())
}

// secrets returns the parts of the URL that an echo of it would hold.
func (e Endpoint) secrets() []Secret {
	found := []Secret{NewSecret(e.url.String())}
	if uri := e.url.RequestURI(); len(uri) > len("/x") {
		found = append(found, NewSecret(uri))
	}
	// A token is long; a word such as "rollback" is none.
	if last := path.Base(e.url.Path); len(last) >= 16 {
		found = append(found, NewSecret(last))
	}
	for _, values := range e.url.Query() {
		for _, value := range values {
			found = append(found, NewSecret(value))
		}
	}
	return found
}
