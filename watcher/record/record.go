package record

import (
	"github.com/bakewatch/bakewatch/rules"
)

// Record is what one rule has shown in one service and environment, since what it asks was
// changed last.
type Record struct {
	Service     string `json:"service"`
	Environment string `json:"environment"`
	Rule        string `json:"rule"`

	// Mode, Severity and Decides are those of the plan of the newest watch: Decides is the
	// power that its authority grants to a breach, before any ceiling.
	Mode     rules.Mode     `json:"mode"`
	Severity rules.Severity `json:"severity"`
	Decides  rules.Power    `json:"decides"`

	Watched  int `json:"watched"`  // deployments that were watched with it
	Breached int `json:"breached"` // those of them in which it was breached
	// Would counts the breaches by the power that they would have had if the rule were enforced.
	Would Powers `json:"would"`
	Acted int    `json:"acted"` // rollbacks that were done while it was blamed

	Agreed     int `json:"agreed"`     // people went back, or voted for it
	Disagreed  int `json:"disagreed"`  // people kept the version, said that it was wrong, or never went back
	Unopposed  int `json:"unopposed"`  // Bakewatch went back without people, and nobody said that it was wrong
	Unanswered int `json:"unanswered"` // nobody knows, or not yet

	// Precision is the share of agreed among agreed and disagreed; nil: there are none.
	Precision *Share `json:"precision,omitempty"`
	// Detection is the median time from the deployment to the breach; 0: there was none.
	Detection rules.Duration `json:"detection,omitempty"`

	Proposal Proposal `json:"proposal"`
}

// Powers counts by power.
type Powers struct {
	Notify int `json:"notify"`
	Ask    int `json:"ask"`
	Veto   int `json:"veto"`
	Auto   int `json:"auto"`
}

// Share is a share with its 95 % interval, from 0 to 1.
type Share struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

func (p *Powers) count(power rules.Power) {
	switch power {
	case rules.Notify:
		p.Notify++
	case rules.Ask:
		p.Ask++
	case rules.Veto:
		p.Veto++
	case rules.Auto:
		p.Auto++
	case rules.None:
	}
}
