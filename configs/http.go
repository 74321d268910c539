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
