package eprocess

// Finding is what the bets say so far.
type Finding struct {
	// Wealth is the evidence that something got worse, as far as it may be acted on.
	Wealth float64
	// History and Limit are what the bets against them have won; 0 where there is no such part.
	History, Limit float64
	// Beside says of each control what it shows.
	Beside []Beside
	// Held says that the history alone would be a breach, but a control does not agree:
	// it suffers as well, or it cannot tell yet. Where an improvement is asked for, that a
	// control suffers.
	Held bool
	// Borrows says that what others suffer counts: no control speaks that runs in the same
	// minutes. Excused says that it is held for that alone.
	Borrows, Excused bool
	// Blip says that it may be one blip of a known kind.
	Blip bool
	// Alone says that no control beside the version took part.
	Alone bool
	// BadLooks is how many looks were worse than normal since it began.
	BadLooks int
	// Proved says that the version is proved well, and Below which share it is proved to
	// stay below, or above where fewer are worse: the smallest effect that would have shown.
	Proved bool
	Below  float64
	// Telling says that a large regression would have been seen in this traffic; where an
	// improvement is asked for, that there is none.
	Telling bool
	// Short says that the version is not as much better as is asked than something that it
	// was held against, all looks taken together, whether or not that is proved.
	Short bool
}

// A suspicion is not to be passed over at this share of the threshold, and no wealth
// below the second: all begin with 1.
const (
	near       = 0.1
	nothingYet = 2
)

// Suspicious says that a bake had better not end well now: the evidence is held back,
// or a tenth of what makes a breach.
func (f Finding) Suspicious(threshold float64) bool {
	return f.Held || f.Blip || f.Wealth >= max(nothingYet, near*threshold)
}

// weakUnder is how many looks must be bad for a history alone to carry a rollback.
const weakUnder = 12

// Weak says that people had better be asked: no control beside the version agrees, no
// limit that people have set is proved to be exceeded, and few looks were bad.
func (f Finding) Weak(threshold float64) bool {
	return f.Alone && f.BadLooks < weakUnder && f.Limit < threshold
}

// Beside is what one control beside the version shows.
type Beside struct {
	Seen   Counts
	Wealth float64 // of the bets on how bad events are split
	Speaks bool    // it was there while it mattered
	Thin   bool    // it does not speak, for it had too little traffic
	Shared bool    // it suffers as well
	Beyond bool    // it does not speak, for nothing could be as much better than it as is asked
}
