package watcher

import (
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Schema is the version of the entries that this program writes.
const Schema = 1

// Kind is what an entry says.
type Kind string

// The kinds of entries.
const (
	Opened   Kind = "opened"   // a watch begins; an open one of the lane ends as superseded
	Step     Kind = "step"     // the deployment tool reported a step
	Verdicts Kind = "verdicts" // what the rules say, for people and plots
	Ruled    Kind = "ruled"    // power or blame changed; with power ask: the question
	Voted    Kind = "voted"    // a person answered
	Reminded Kind = "reminded" // people are reminded of the question, or others are asked as well
	Spent    Kind = "spent"    // in the lane of the budget: a rollback is about to be decided
	Decided  Kind = "decided"  // the one decision: the point of no return
	Intended Kind = "intended" // a rollback is about to be tried
	Done     Kind = "done"     // how the try ended
	Verified Kind = "verified" // whether the rollback helped
	Told     Kind = "told"     // a channel delivered a message, or gave up
	Noted    Kind = "noted"    // worth knowing; changes nothing but memory
	Closed   Kind = "closed"   // the watch has ended
)

// Kinds lists every kind of entry.
func Kinds() []Kind {
	return []Kind{Opened, Step, Verdicts, Ruled, Voted, Reminded, Spent, Decided, Intended, Done, Verified, Told, Noted, Closed}
}

// Entry is one line of the journal of one lane. The envelope is on top; exactly
// the fields that its kind names are set below.
type Entry struct {
	Schema int          `json:"schema"`
	Lane   rules.LaneID `json:"lane"`
	Kind   Kind         `json:"kind"`
	At     time.Time    `json:"at"`
	Owner  string       `json:"owner,omitempty"` // the replica that wrote it
	Epoch  uint64       `json:"epoch,omitempty"` // of the owner's lease
	Nonce  string       `json:"nonce,omitempty"` // tells this write from every other, after a timeout
	Watch  uint64       `json:"watch,omitempty"` // the sequence of the watch's Opened entry; 0 in that entry itself
	Prev   string       `json:"prev,omitempty"`  // hash of the lane's previous entry
	// Must says that the entry changes what may be done: a replica that does not
	// know its kind leaves the lane to others.
	Must bool `json:"must,omitempty"`

	// Seq is the sequence under which the journal acknowledged the entry, and Hash
	// the entry's own hash. Both are the journal's and not part of what is written.
	// In an entry to append, Seq is the last sequence of the lane that the writer knows.
	Seq  uint64 `json:"-"`
	Hash string `json:"-"`

	Deployment *rules.Deployment `json:"deployment,omitempty"` // opened, step, noted
	Reached    time.Time         `json:"reached,omitzero"`     // opened: when the deployment came to its step, where that was after its beginning
	Plan       *rules.Plan       `json:"plan,omitempty"`       // opened
	Rollback   bool              `json:"rollback,omitempty"`   // opened: the deployment is itself a rollback
	Ledger     *Ledger           `json:"ledger,omitempty"`     // opened, closed: the lane's memory after this entry
	Answers    []rules.Answer    `json:"answers,omitempty"`    // verdicts, verified; closed and opened: what the rules of the watch that ends said last
	Ruling     *authority.Ruling `json:"ruling,omitempty"`     // ruled, decided
	Joins      *Joined           `json:"joins,omitempty"`      // ruled: which question of the release stands for this one
	Vote       *authority.Vote   `json:"vote,omitempty"`       // voted; noted: that was refused
	Reminder   *Reminder         `json:"reminder,omitempty"`   // reminded
	Spent      *Spending         `json:"spent,omitempty"`      // spent
	Decision   *Decision         `json:"decision,omitempty"`   // decided
	Intent     *actions.Intent   `json:"intent,omitempty"`     // intended
	Done       *actions.Outcome  `json:"done,omitempty"`       // done
	Told       *Delivery         `json:"told,omitempty"`       // told
	Topic      Topic             `json:"topic,omitempty"`      // noted: what about
	About      uint64            `json:"about,omitempty"`      // noted: the watch that it is about, if that has ended
	Text       string            `json:"text,omitempty"`       // noted, verified, closed: in plain words; opened: what lapses
	OK         bool              `json:"ok,omitempty"`         // verified: live, and the limits are kept
	Outcome    Outcome           `json:"outcome,omitempty"`    // closed; opened: of the superseded watch
}

// lacks names what an entry of its kind must carry and does not; empty: nothing.
func (e Entry) lacks() string {
	about := e.Kind
	if e.Kind == Noted && (e.Topic == NewerWaits || e.Topic == NoPlan) {
		about = Step // such a note is of an event, too
	}
	switch {
	case e.Deployment == nil && (about == Opened || about == Step):
		return "deployment"
	case e.Plan == nil && (e.Kind == Opened || e.Topic == NewerWaits):
		return "plan"
	case e.Ruling == nil && (e.Kind == Ruled || e.Kind == Decided):
		return "ruling"
	case e.Decision == nil && e.Kind == Decided:
		return "decision"
	case e.Vote == nil && e.Kind == Voted:
		return "vote"
	case e.Intent == nil && e.Kind == Intended:
		return "intent"
	case e.Done == nil && e.Kind == Done:
		return "outcome of the rollback"
	case e.Told == nil && e.Kind == Told:
		return "delivery"
	case e.Reminder == nil && e.Kind == Reminded:
		return "reminder"
	case e.Spent == nil && e.Kind == Spent:
		return "spending"
	}
	return ""
}

// Topic is what a noted entry is about.
type Topic string

// The topics of notes.
const (
	NoPlan         Topic = "no-plan"         // a deployment of a service without a plan
	OlderEvent     Topic = "older-event"     // an event older than the live version's
	NewerWaits     Topic = "newer-waits"     // a newer deployment came while a rollback was under way
	NewerCancelled Topic = "newer-cancelled" // and was given up before that had ended
	FloorLifted    Topic = "floor-lifted"    // a deployment that was given up has not done what cannot be undone
	WentBlind      Topic = "blind"           // no answers from Prometheus for blind_for
	SeesAgain      Topic = "sees-again"      // answers again
	StillRolling   Topic = "still-rolling"   // started, and not finished after roll_out
	Extended       Topic = "extended"        // the bake was extended
	StagePassed    Topic = "stage-passed"    // the stage is well: its tool may go on
	StageHeld      Topic = "stage-held"      // the stage's bake is over, and it cannot be called well
	KeptByPeople   Topic = "kept"            // the people asked said keep
	LeftBySilence  Topic = "silence"         // nobody answered in time
	Unheard        Topic = "unheard"         // nobody could be reached with the question
	SetAside       Topic = "set-aside"       // the lane is left alone after repeated faults
	Refused        Topic = "refused"         // a vote that does not count
	Healed         Topic = "healed"          // no rule is breached any more, and the question stays
	Wrong          Topic = "wrong"           // a person says that it was a false alarm
)

// Joined names the question that stands for others of its release: whoever answers it
// answers them all, and each counts the votes for itself.
type Joined struct {
	Watch    uint64 `json:"watch"`
	Question uint64 `json:"question"`
}

// Reminder says of what people are reminded.
type Reminder struct {
	Question uint64   `json:"question"` // the sequence of the entry that asked
	Of       Occasion `json:"of"`
	Level    int      `json:"level"`        // how often the question was escalated by then
	To       string   `json:"to,omitempty"` // of an escalation: the group that is asked as well
}

// Occasion is why people are reminded.
type Occasion string

// The occasions of a reminder.
const (
	HalfTime   Occasion = "half-time"
	LastMinute Occasion = "last-minute"
	Escalated  Occasion = "escalated"
)

// Spending is one rollback that counts against the budgets.
type Spending struct {
	Lane  rules.LaneID `json:"lane"`
	Watch uint64       `json:"watch"`
	By    string       `json:"by"` // as of Decision
	// Budget is what was in force when it was charged; nil: a version wrote it that did not say.
	Budget *Budget `json:"budget,omitempty"`
}

// Budget is what stands in the daemon's file, and so in no plan that a watch was opened with.
type Budget struct {
	// All is how many rollbacks all lanes together may see without people; nil: any number.
	All *rules.Allowance `json:"all,omitempty"`
}

// Decision says how the one decision of a watch was made.
type Decision struct {
	By string `json:"by"` // "authority" (auto), "votes", "silence", or "countdown" (veto)
	// Votes are the votes that made it.
	Votes []authority.Vote `json:"votes,omitempty"`
	// Budget is what was in force when it was made; nil: a version wrote it that did not say.
	Budget *Budget `json:"budget,omitempty"`
}

// Delivery says what became of one message on one channel.
type Delivery struct {
	Channel  string           `json:"channel"`
	Audience actions.Audience `json:"audience"`
	About    uint64           `json:"about"` // the sequence of the entry that was told
	Receipt  string           `json:"receipt,omitempty"`
	Failed   string           `json:"failed,omitempty"` // why it was given up; empty: delivered
}

// confirmed says that somebody is known to have been reached: the other side gave a receipt.
func (d Delivery) confirmed() bool { return d.Failed == "" && d.Receipt != "" }

// repeats says whether the same news was recorded before: a message may be sent
// again, under another receipt, when the process died before it was settled.
func (d Delivery) repeats(before Delivery) bool {
	return d.Channel == before.Channel && d.About == before.About && (d.Failed == "") == (before.Failed == "")
}

// Phase is where a watch stands.
type Phase string

// The phases.
const (
	Rolling   Phase = "rolling"   // judged, but the bake's clock stands
	Baking    Phase = "baking"    // the bake's clock runs
	Asking    Phase = "asking"    // people are asked
	Vetoing   Phase = "vetoing"   // a countdown runs that people may stop
	Acting    Phase = "acting"    // decided; a rollback is under way
	Verifying Phase = "verifying" // rolled back; did it help?
	Ended     Phase = "closed"
)

// Outcome is how a watch ended.
type Outcome string

// The outcomes.
const (
	Passed         Outcome = "passed"
	RolledBack     Outcome = "rolled-back"
	RollbackFailed Outcome = "rollback-failed"
	Unknown        Outcome = "unknown"
	Kept           Outcome = "kept"      // people said keep
	Left           Outcome = "left"      // breached and told; nobody had the power or the wish to act
	Undecided      Outcome = "undecided" // could not be judged
	Superseded     Outcome = "superseded"
	CancelledWatch Outcome = "cancelled"
)

// Outcomes lists every outcome.
func Outcomes() []Outcome {
	return []Outcome{Passed, RolledBack, RollbackFailed, Unknown, Kept, Left, Undecided, Superseded, CancelledWatch}
}
