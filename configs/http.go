package configs

import (
	"fmt"
	"net"
	"net/url"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
)

func (d *Daemon) loadHTTP(t strict.Table, c Catalog) {
	checkListen(t, d.HTTP.Listen)
	if t.Has("external_url") {
		parsed, err := url.Parse(d.HTTP.ExternalURL)
		if err != nil || parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Host == "" || parsed.User != nil || parsed.RawQuery != "" || parsed.Fragment != "" {
			t.Fail("external_url", fmt.Sprintf("external_url: %q is no address of a server", strict.Shorten(d.HTTP.ExternalURL)), `such as "https://bakewatch.example.com"`)
		}
	}
	if d.HTTP.BelieveLocal && d.HTTP.WebConfigFile != "" {
		t.Warn("believe_local", "believe_local: nobody is believed without a password where the web_config_file has users", "remove it, unless that file has none")
	}
	if t.Has("oidc") {
		d.loadLogin(t, c)
	}
}

// loadLogin reads how people log in at an OpenID provider.
func (d *Daemon) loadLogin(t strict.Table, c Catalog) {
	if c.Login == nil {
		t.NotYet("oidc", "key \"oidc\"")
		return
	}
	d.Login = c.Login()
	own := t.Table("oidc").In("http.oidc")
	own.Decode(d.Login)
	own.Blame(d.Login.Check())
	if d.HTTP.BelieveLocal {
		t.Warn("believe_local", "believe_local: nobody is believed without a login where there is [http.oidc]", "remove it")
	}
	const hint = `such as external_url = "https://bakewatch.example.com": its /callback is the redirect address to register at the provider`
	switch parsed, err := url.Parse(d.HTTP.ExternalURL); {
	case d.HTTP.ExternalURL == "":
		own.Fail("", "whoever logs in in a browser could not be led back: there is no external_url in [http]", hint)
	case err == nil && parsed.Scheme == "http" && parsed.Hostname() != "localhost" && !net.ParseIP(parsed.Hostname()).IsLoopback():
		t.Fail("external_url", "external_url: logins would go over the network unencrypted", hint)
	}
}

// checkLogins checks the logins of persons against the claim by which they are named.
func (d *Daemon) checkLogins(persons map[string]strict.Table) {
	claim, _ := d.Login.(interface{ ByEmail() bool })
	for name, t := range persons {
		login := d.People[name].OIDC
		switch {
		case login == "":
			continue
		case d.Login == nil:
			t.Warn("oidc", "oidc: nobody can log in so: there is no [http.oidc]", "write it, or accept another proof")
		case claim != nil && claim.ByEmail() && (!strings.Contains(login, "@") || login != strings.ToLower(login)):
			t.Fail("oidc", fmt.Sprintf("oidc: %q is no e-mail address in small letters, and claim in [http.oidc] is email", strict.Shorten(login)), "")
		case claim != nil && !claim.ByEmail() && strings.Contains(login, "@"):
			t.Warn("oidc", "oidc: this looks like an e-mail address, and claim in [http.oidc] is sub", `write the sub of their tokens, or claim = "email"`)
		}
	}
}

// checkReaches checks the channels to which links go that let one person answer: whoever
// reads such a message can answer as that person.
func (d *Daemon) checkReaches(channels map[string]strict.Table) {
	for name, t := range channels {
		one, ok := d.Channels[name].Common.(interface{ Reaches() string })
		if !ok || one.Reaches() == "" {
			continue
		}
		switch person, known := d.People[one.Reaches()]; {
		case d.Channels[name].Kind.Name == LogChannel:
			t.Fail("person", "person: whoever reads the log could answer as they", "remove it")
		case !known || !person.Link:
			t.Fail("person", fmt.Sprintf("person: there is no [person.%s] with link = true", strict.Shorten(one.Reaches())), "write it, or remove this")
		case d.HTTP.ExternalURL == "":
			t.Fail("person", "person: a link would lead nowhere: there is no external_url in [http]", `such as external_url = "https://bakewatch.example.com"`)
		}
	}
}
