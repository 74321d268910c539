package configs

import (
	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// Daemon is the daemon's file, bakewatch.toml, checked. Paths in it are absolute
// or relative to the working directory; secrets are still in their files.
type Daemon struct {
	File string `toml:"-"`

	Plans   []string `toml:"plans" doc:"globs of the plans, relative to this file; ** is any depth"`
	Cluster string   `toml:"cluster" doc:"the name of this Bakewatch in what it publishes"`
	Shadow  bool     `toml:"shadow" doc:"everything is only recorded, whatever the plans say"`

	Defaults Settings           `toml:"defaults" doc:"defaults for the plans: the same keys"`
	NATS     NATS               `toml:"nats" doc:"the event bus and journal; embedded unless url is set"`
	Servers  elsewhere          `toml:"prometheus" doc:"the Prometheus servers, by name"`
	HTTP     HTTP               `toml:"http" doc:"the HTTP API"`
	Notify   rules.Notification `toml:"notify" doc:"the channels that hear what belongs to no plan; default: chat = [\"log\"]"`
	Trust    Trust              `toml:"trust" doc:"whether events, votes and orders must be signed"`
	Budget   Budget             `toml:"budget" doc:"how many rollbacks may happen without people; beyond it they are asked"`

	Groups   map[string]Group        `toml:"group" doc:"who is asked, by the name of the group"`
	People   map[string]rules.Person `toml:"person" doc:"how people prove who they are, by the names under which they vote"`
	Schedule elsewhere               `toml:"schedule" doc:"how the services that know who is on call are asked, by the service"`
	Calendar elsewhere               `toml:"calendar" doc:"times at which other rules hold, by name"`
	Policy   elsewhere               `toml:"policy" doc:"ceilings that no plan can raise"`

	Channel  elsewhere `toml:"channel" doc:"where messages go, by name; use says what kind it is"`
	Executor elsewhere `toml:"executor" doc:"what rolls back, by name; use says what kind it is"`
	Preset   elsewhere `toml:"preset" doc:"a team's own presets"`

	Prometheus map[string]Prometheus `toml:"-"`
	Channels   map[string]Tool       `toml:"-"`
	Executors  map[string]Tool       `toml:"-"`

	Login     rules.Options             `toml:"-"` // [http.oidc]; nil: there is none
	Schedules map[string]rules.Options  `toml:"-"` // by the service, such as pagerduty
	Calendars map[string]rules.Calendar `toml:"-"`
	Policies  []rules.Policy            `toml:"-"`

	Template later `toml:"template" doc:"what plans extend"`
	Ready    later `toml:"ready" doc:"what must be true before a deployment"`

	presets  map[string]preset
	needs    []strict.Need
	policies []Problem // where the services of each policy stand
}

// Tool is one [channel.NAME] or [executor.NAME].
type Tool struct {
	Kind    rules.Kind
	Options rules.Options
	Common  rules.Options // of a channel: those that every channel has
}

// NATS is the event bus and the journal.
type NATS struct {
	URL           string `toml:"url" doc:"servers of an external cluster, separated by commas; unset: a server in this process"`
	CredsFile     string `toml:"creds_file" doc:"the credentials for the cluster"`
	NKeyFile      string `toml:"nkey_file" doc:"the nkey seed for the cluster"`
	TLS           TLS    `toml:"tls" doc:"how the cluster is trusted"`
	Stream        string `toml:"stream" doc:"an existing stream that holds the deployments' events; default: DEPLOYMENTS"`
	CreateStreams bool   `toml:"create_streams" doc:"create what is missing on an external cluster"`
	Replicas      int    `toml:"replicas" doc:"of each stream that is created: 1, 3 or 5; default 1"`
	Store         string `toml:"store" doc:"the embedded server's folder, relative to this file; default: data/nats"`
	Listen        string `toml:"listen" doc:"the embedded server's address for tools on this machine; port 0 takes a free one"`
}

// Embedded says whether the server runs in this process.
func (n NATS) Embedded() bool { return n.URL == "" }

// TLS names the files of a TLS connection.
type TLS struct {
	CAFile   string `toml:"ca_file" doc:"PEM file of the authorities to trust instead of the system's"`
	CertFile string `toml:"cert_file" doc:"PEM file of the client's certificate"`
	KeyFile  string `toml:"key_file" doc:"PEM file of the client certificate's key"`
}

// HTTP is the daemon's own server.
type HTTP struct {
	Listen        string    `toml:"listen" doc:"the address to serve on"`
	WebConfigFile string    `toml:"web_config_file" doc:"TLS and basic auth, as Prometheus' exporter toolkit reads it"`
	BelieveLocal  bool      `toml:"believe_local" doc:"where nobody logs in: whoever asks from this machine is who they say they are; never behind a proxy"`
	ExternalURL   string    `toml:"external_url" doc:"the address under which people reach this server, such as \"https://bakewatch.example.com\": links to answer by lead there"`
	OIDC          elsewhere `toml:"oidc" doc:"login at an OpenID provider"`
}

// Group is who may be asked: people with names, or whoever is on call.
type Group struct {
	People   []string `toml:"people" doc:"names of people, as they vote"`
	Schedule string   `toml:"schedule" doc:"instead of people, whoever is on call there: pagerduty: and the id of a schedule"`
	Fallback string   `toml:"fallback" doc:"of a schedule, the group that is asked when nobody is known to be on call"`
	Page     []string `toml:"page" doc:"the channels that wake the group when it is asked"`
}

// Budget is how many rollbacks may happen without people; nil: any number.
type Budget struct {
	Lane *rules.Allowance `toml:"lane" doc:"of one service in one environment, such as \"2 in 24h\""`
	All  *rules.Allowance `toml:"all" doc:"of all services together, such as \"5 in 1h\""`
}
