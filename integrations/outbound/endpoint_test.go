package outbound_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/rules"
)

func TestAURLIsChecked(t *testing.T) {
	for name, c := range map[string]struct{ url, want string }{
		"fine":             {"https://deploy.example.com:8443/rollback?team=a", ""},
		"no scheme":        {"deploy.example.com/secret", "must begin with https://"},
		"another scheme":   {"file:///etc/secret", "must begin with https://"},
		"no host":          {"https:///secret", "no host"},
		"a password":       {"https://me:secret@example.com/", "token_file"},
		"a fragment":       {"https://example.com/#secret", "fragment"},
		"a placeholder":    {"https://example.com/secret/$service", "placeholder"},
		"another":          {"https://example.com/secret/${version}", "placeholder"},
		"not a URL at all": {"https://exa mple.com/secret%zz", "not a URL"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := outbound.ParseEndpoint(c.url)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v; want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("repeats the URL: %v", err)
			}
			var blamed *rules.FieldError
			if err := outbound.CheckURL("url", c.url); c.want != "" && (!errors.As(err, &blamed) || blamed.Key != "url") {
				t.Errorf("blames %+v", blamed)
			}
		})
	}
}

func TestLinkLocalAddressesAreRefusedAtTheDial(t *testing.T) {
	for _, host := range []string{
		"169.254.169.254", "[fe80::1]", "[::ffff:169.254.169.254]", "[fd00:ec2::254]", "224.0.0.1",
		"[fd20:ce::254]", "100.100.100.200", "168.63.129.16", "192.0.0.192", "[::ffff:100.100.100.200]",
		"[64:ff9b::a9fe:a9fe]", "[64:ff9b::100.100.100.200]", "[64:ff9b:1::a9fe:a9fe]", "[2002:a9fe:a9fe::1]", "[::a9fe:a9fe]",
	} {
		t.Run(host, func(t *testing.T) {
			_, err := post(t.Context(), t, outbound.Config{}, "http://"+host+"/latest/meta-data", actions.ClassUnknown)
			if actions.Classify(err) != actions.ClassPermanent || !strings.Contains(err.Error(), "refused") {
				t.Errorf("class %d: %v", actions.Classify(err), err)
			}
		})
	}
	t.Run("through a proxy's address, too", func(t *testing.T) {
		_, err := post(t.Context(), t, outbound.Config{Proxy: "http://169.254.1.1:3128"}, "http://example.invalid/", actions.ClassUnknown)
		if actions.Classify(err) != actions.ClassPermanent {
			t.Errorf("class %d: %v", actions.Classify(err), err)
		}
	})
	t.Run("and when a proxy would go there", func(t *testing.T) {
		proxy := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the proxy was asked") })
		_, err := post(t.Context(), t, outbound.Config{Proxy: proxy}, "http://169.254.169.254/", actions.ClassUnknown)
		if actions.Classify(err) != actions.ClassPermanent {
			t.Errorf("class %d: %v", actions.Classify(err), err)
		}
	})
	t.Run("but this machine is allowed", func(t *testing.T) {
		if _, err := post(t.Context(), t, outbound.Config{}, serve(t, func(http.ResponseWriter, *http.Request) {}), actions.ClassUnknown); err != nil {
			t.Error(err)
		}
	})
}

func TestAProxyWithALoginIsRefusedWithAHintThatHelps(t *testing.T) {
	var blamed *rules.FieldError
	err := outbound.CheckProxy("http://me:secret@proxy.example.com:3128/")
	if !errors.As(err, &blamed) || blamed.Key != "proxy_url" || strings.Contains(err.Error()+blamed.Hint, "token_file") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v (%+v)", err, blamed)
	}
	if err := outbound.CheckProxy("ftp://proxy.example.com/"); !errors.As(err, &blamed) || blamed.Key != "proxy_url" {
		t.Error(err)
	}
	for _, fine := range []string{"", "http://proxy.example.com:3128"} {
		if err := outbound.CheckProxy(fine); err != nil {
			t.Errorf("%q: %v", fine, err)
		}
	}
}

type odd struct {
	Name string `json:"name"`
}

func (o *odd) Check() error {
	if o.Name == "bad" {
		return errors.New("bad name")
	}
	return nil
}

func TestAPlansWithIsReadStrictly(t *testing.T) {
	for name, c := range map[string]struct {
		with map[string]any
		ok   bool
	}{
		"nothing":        {nil, true},
		"what is known":  {map[string]any{"name": "x"}, true},
		"an unknown key": {map[string]any{"nmae": "x"}, false},
		"a wrong type":   {map[string]any{"name": 1}, false},
		"a wrong value":  {map[string]any{"name": "bad"}, false},
		"not JSON":       {map[string]any{"name": make(chan int)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := outbound.ReadWith(c.with, &odd{}); (err == nil) != c.ok {
				t.Error(err)
			}
		})
	}
}
