package configs

import (
	"fmt"
	"net/url"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
)

func (d *Daemon) checkHTTP(t strict.Table) {
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
}
