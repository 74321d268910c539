package rules

// Person is one [person.NAME] of the daemon's file: the proofs that are accepted for it.
type Person struct {
	NKeys     []string `toml:"nkeys" json:"nkeys,omitempty" doc:"public nkeys (U…) whose signature speaks for the person"`
	Basic     string   `toml:"basic" json:"basic,omitempty" doc:"the user name in the web config file"`
	OIDC      string   `toml:"oidc" json:"oidc,omitempty" doc:"who it is at the OpenID provider: the sub of their tokens, or their e-mail address, as claim in [http.oidc] says"`
	Slack     string   `toml:"slack" json:"slack,omitempty" doc:"the Slack user id (U…)"`
	PagerDuty string   `toml:"pagerduty" json:"pagerduty,omitempty" doc:"the PagerDuty user id (P…)"`
	Link      bool     `toml:"link" json:"link,omitempty" doc:"may answer by a signed link sent to the person alone"`
	Local     bool     `toml:"local" json:"local,omitempty" doc:"is believed on a connection of this machine"`
}
