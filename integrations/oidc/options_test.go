package oidc_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/oidc"
	"github.com/bakewatch/bakewatch/rules"
)

func TestTheOptionsAreCheckedAllAtOnce(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*oidc.Options)
		says   string // empty: good
	}{
		"all that is needed":           {func(*oidc.Options) {}, ""},
		"a provider on this machine":   {func(o *oidc.Options) { o.Issuer = "http://127.0.0.1:5556/dex" }, ""},
		"no issuer":                    {func(o *oidc.Options) { o.Issuer = "" }, "missing"},
		"an issuer in the clear":       {func(o *oidc.Options) { o.Issuer = "http://login.example.com" }, "use https"},
		"an issuer that is no address": {func(o *oidc.Options) { o.Issuer = "login" }, "https://"},
		"no client":                    {func(o *oidc.Options) { o.ClientID = "" }, "missing"},
		"two secrets":                  {func(o *oidc.Options) { o.ClientSecretFile, o.ClientSecretEnv = "a", "b" }, "as well"},
		"another claim":                {func(o *oidc.Options) { o.Claim = "preferred_username" }, "neither sub nor email"},
		"an empty audience":            {func(o *oidc.Options) { o.Audiences = []string{""} }, "empty"},
		"a login for a moment":         {func(o *oidc.Options) { o.Session = rules.Duration(time.Second) }, "1m to 1w"},
		"a login for good":             {func(o *oidc.Options) { o.Session = rules.Duration(365 * 24 * time.Hour) }, "1m to 1w"},
		"no time for a call":           {func(o *oidc.Options) { o.Timeout = 0 }, "1s to 1m"},
	} {
		t.Run(name, func(t *testing.T) {
			options := oidc.Defaults()
			options.Issuer, options.ClientID = "https://login.example.com", "bakewatch"
			test.change(options)
			err := options.Check()
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
}
