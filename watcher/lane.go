package watcher

import (
	"time"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/rules"
)

// Lane is one service in one environment: the fold of its journal. It is a value:
// Apply returns a new one and leaves the old as it was.
type Lane struct {
	ID     rules.LaneID
	Last   uint64 // sequence of the lane's last entry
	Hash   string // and its hash
	Ledger Ledger
	Watch  *Watch     // the open watch, or nil
	Events []Reported // events noted since the last watch was opened or closed, newest last
	// Aside is why this replica leaves the lane to others; empty: it does not.
	Aside string

	told  []Delivery // those recorded since the last opened or closed, newest last
	spent []Entry    // of the budget's lane
}

// Watch is the observation of one deployment: the fold of the entries since its `opened`.
type Watch struct {
	Seq        uint64 // of its opened entry: the watch's number
	Opened     time.Time
	Deployment rules.Deployment
	Plan       rules.Plan
	Target     authority.Target
	Rollback   bool // the deployment is itself a rollback
	SameAgain  bool // the version was rolled back here before

	Steps      []Reported
	Stage      *Stage    // the one that its tool reported last; nil: it reports none
	Finished   time.Time // when the bake's clock started; zero: still rolling
	Extensions int       // how often the bake was extended
	Extended   time.Time // and when it was, last

	Answers    []rules.Answer // as last journaled
	AnsweredAt time.Time
	Ruling     authority.Ruling
	Question   *authority.Question
	Joins      *Joined          // the question of the release that stands for the open one
	Voted      *authority.Vote  // the last vote that was admitted
	Kept       time.Time        // when people said keep; zero: they did not
	KeptFor    time.Duration    // how long they are not asked about the same again
	KeptAt     []rules.Answer   // and what the rules said then
	KeptBy     []authority.Vote // and the votes on the question that it ended
	Healed     bool             // people were told that nothing is breached while they are asked
	Reminded   []Reminder       // of the open question
	Refused    []Refusal        // votes that did not count, on the open question
	Silent     bool             // nobody answered, and silence means keep
	Unheard    bool             // nobody could be reached with the question
	Blind      bool             // people were told that it is
	Late       bool             // people were told that the roll-out takes long

	Decision *Decision
	Intent   *actions.Intent
	Intended uint64           // sequence of the intended entry
	Acting   time.Time        // when it was written
	Writer   Writer           // and by whom
	Done     *actions.Outcome // how the rollback ended
	DoneAt   time.Time
	Proof    string // the id of an event that showed the target live
	Verified *Entry
	Newer    *Entry // the note of a newer deployment that waits for the rollback to end
}

// Writer is one tenure of one replica.
type Writer struct {
	Owner string
	Epoch uint64
}

// Reported is an event as a lane remembers it: its id, and the step it told of.
type Reported struct {
	ID    string
	Step  rules.Step
	Stage string
}
