package suspect

import (
	"math"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// halving is the time in which a deployment becomes half as likely a cause: most
// that is bad shows at once.
const halving = 10 * time.Minute

// decay returns how likely a deployment of that age is a cause, beside one that just
// happened: 1 to 0, a half every ten minutes.
func decay(age time.Duration) float64 {
	return math.Exp2(-max(0, age).Minutes() / halving.Minutes())
}

// blur is how exactly an onset is known: some looks. An event may also tell of a
// deployment only when its first instances have been live for a moment.
const blur = time.Minute

// reference is when the cause must have been there.
func (f Facts) reference() time.Time {
	switch {
	case f.Early && (f.Onset.IsZero() || f.Onset.After(f.Live)):
		return f.Live // at the latest
	case f.Onset.IsZero():
		return f.At
	}
	return f.Onset
}

// early says that it was worse before the deployment.
func (f Facts) early() string {
	if !f.Early {
		return ""
	}
	if before := f.Live.Sub(f.Onset); !f.Onset.IsZero() && before > 0 {
		return "it began " + length(before) + " before the deployment"
	}
	return "it began before the deployment"
}

// after says that it became worse after the deployment, if that is known.
func (f Facts) after() []string {
	if f.Early || f.Onset.IsZero() || f.Live.IsZero() || f.Onset.Before(f.Live.Add(-blur)) {
		return nil
	}
	if f.Onset.Sub(f.Live) < blur {
		return clues("it began with the deployment")
	}
	return clues("it began " + length(f.Onset.Sub(f.Live)) + " after the deployment")
}

// length writes a time as people say it, to the second below a minute.
func length(d time.Duration) string {
	if d >= time.Minute {
		return rules.Duration(d.Round(time.Minute)).String()
	}
	return rules.Duration(max(d.Round(time.Second), time.Second)).String()
}

// controlSuffers says that a control is worse as well, or a borrowed service where that
// may explain what is broken.
func (f Facts) controlSuffers() string {
	for _, c := range f.Compared {
		if c.Missing == "" && c.Shares {
			return f.nameOf(c.With) + " suffers as well"
		}
	}
	for _, w := range f.Weather {
		if w.Missing == "" && w.Shares {
			return w.Service + " suffers as well"
		}
	}
	return ""
}

// controlApart says that a control which ran in the same minutes does not suffer: it
// has far fewer bad events than at half the version's excess. History cannot say so:
// what is ambient now is not in it.
func (f Facts) controlApart() string {
	level, version := f.normal(), share(rules.Instance{Bad: f.Bad, Total: f.Total})
	for _, c := range f.Compared {
		beside := c.Missing == "" && !c.Shares && (c.With == rules.Previous || c.With == rules.Off)
		if beside && version > level && spared(rules.Instance{Bad: c.Bad, Total: c.Total}, (level+version)/2) {
			return f.nameOf(c.With) + " does not suffer in the same minutes"
		}
	}
	return ""
}

func (f Facts) nameOf(c rules.Control) string {
	switch {
	case c == rules.Previous && f.Previous != "":
		return f.Previous
	case c == rules.Previous:
		return "the previous version"
	case c == rules.Off:
		return "who has the toggle off"
	case c == "":
		return "everyone else"
	}
	return string(c)
}
