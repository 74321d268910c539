package rules

import "fmt"

// Power is how much may be done about a breach. It is one ordered scale:
// authority grants it, and every ceiling can only lower it.
type Power uint8

// The powers, from the least to the most.
const (
	None   Power = iota // recorded as "would have rolled back"
	Notify              // people are told
	Ask                 // people are asked, and must agree
	Veto                // a countdown that people may stop
	Auto                // decided at once
)

var powers = []string{"none", "notify", "ask", "veto", "auto"}

// Mode is how seriously a rule is taken.
type Mode uint8

// The modes of a plan or a rule. ModeNotify is the default of a plan.
const (
	ModeUnset Mode = iota
	Shadow
	ModeNotify
	Enforce
)

var modes = []string{"", "shadow", "notify", "enforce"}

// Ceiling returns the most power that the mode allows.
func (m Mode) Ceiling() Power {
	switch m {
	case Shadow:
		return None
	case Enforce:
		return Auto
	case ModeUnset, ModeNotify:
		return Notify
	}
	return None
}

// Severity is how much a breach of a rule matters.
type Severity uint8

// The severities of a rule. Critical is the default.
const (
	SeverityUnset Severity = iota
	Info
	Warning
	Critical
)

var severities = []string{"", "info", "warning", "critical"}

// Ceiling returns the most power that the severity allows.
func (s Severity) Ceiling() Power {
	switch s {
	case Info:
		return Notify
	case Warning:
		return Ask
	case SeverityUnset, Critical:
		return Auto
	}
	return None
}

// OnNoData is the most power that missing data may have: never more than Ask.
type OnNoData uint8

// What to do when a rule has no data.
const (
	Wait OnNoData = iota
	NotifyOnNoData
	AskOnNoData
)

var onNoData = []string{"wait", "notify", "ask"}

// Ceiling returns the power that missing data has.
func (o OnNoData) Ceiling() Power { return []Power{None, Notify, Ask}[min(o, AskOnNoData)] }

// Verdict is a rule's answer now. No two of them may ever be taken for one.
type Verdict uint8

// The verdicts.
const (
	Inconclusive Verdict = iota // not yet proved worse or well; catching up
	Healthy                     // nothing wrong, and enough traffic to have shown it
	Breached                    // broken for long enough
	LowTraffic                  // too little traffic to judge
	NoData                      // Prometheus answered, and had nothing
	Blind                       // Prometheus did not answer, or not in a usable way
)

var verdicts = []string{"inconclusive", "healthy", "breached", "low-traffic", "no-data", "blind"}

// The words of the plan file, the journal and the messages.

func (p Power) String() string                { return word(powers, p) }
func (p Power) MarshalText() ([]byte, error)  { return []byte(p.String()), nil }
func (p *Power) UnmarshalText(b []byte) error { return unword(powers, b, p) }

// Words lists the values that people write; none is what shadow mode comes to.
func (Power) Words() []string { return powers[Notify:] }

func (m Mode) String() string                { return word(modes, m) }
func (m Mode) MarshalText() ([]byte, error)  { return []byte(m.String()), nil }
func (m *Mode) UnmarshalText(b []byte) error { return unword(modes, b, m) }

// Words lists the values as people write them.
func (Mode) Words() []string { return modes[1:] }

func (s Severity) String() string                { return word(severities, s) }
func (s Severity) MarshalText() ([]byte, error)  { return []byte(s.String()), nil }
func (s *Severity) UnmarshalText(b []byte) error { return unword(severities, b, s) }

// Words lists the values as people write them.
func (Severity) Words() []string { return severities[1:] }

func (o OnNoData) String() string                { return word(onNoData, o) }
func (o OnNoData) MarshalText() ([]byte, error)  { return []byte(o.String()), nil }
func (o *OnNoData) UnmarshalText(b []byte) error { return unword(onNoData, b, o) }

// Words lists the values as people write them.
func (OnNoData) Words() []string { return onNoData }

func (v Verdict) String() string                { return word(verdicts, v) }
func (v Verdict) MarshalText() ([]byte, error)  { return []byte(v.String()), nil }
func (v *Verdict) UnmarshalText(b []byte) error { return unword(verdicts, b, v) }

// Words lists the values as people write them.
func (Verdict) Words() []string { return verdicts }

func word[E ~uint8](words []string, e E) string {
	if int(e) < len(words) {
		return words[e]
	}
	return fmt.Sprintf("unknown(%d)", e)
}

func unword[E ~uint8](words []string, text []byte, e *E) error {
	for i, w := range words {
		if w == string(text) {
			*e = E(i)
			return nil
		}
	}
	return fmt.Errorf("unknown word %q; one of %q", text, words)
}
