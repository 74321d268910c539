package nats

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/watcher"
)

// Flaw is one place where the journal is not what was written.
type Flaw struct {
	Lane rules.LaneID `json:"lane,omitzero"` // empty where it cannot be told
	Seq  uint64       `json:"seq"`
	What string       `json:"what"`
}

func (f Flaw) String() string {
	if f.Lane == (rules.LaneID{}) {
		return fmt.Sprintf("entry %d: %s", f.Seq, f.What)
	}
	return fmt.Sprintf("entry %d (%s): %s", f.Seq, f.Lane, f.What)
}

// Verified is what Verify saw.
type Verified struct {
	Entries uint64 `json:"entries"`
	Lanes   int    `json:"lanes"`
	// First and Last are the sequences at which the journal begins and ended. A
	// First above 1 is a start cut off by age.
	First uint64 `json:"first"`
	Last  uint64 `json:"last"`
	Flaws []Flaw `json:"flaws,omitempty"`
}

// Verify reads the whole journal and checks that each lane's entries are chained
// by their hashes, and that no entry within is missing. A start cut off by age is
// no flaw. Each entry that can be read is handed to each, which may be nil, in order. An error says that the journal could not be read.
func (j *Journal) Verify(ctx context.Context, each func(watcher.Entry)) (Verified, error) {
	info, err := j.stream.Info(ctx, jetstream.WithDeletedDetails(true))
	if err != nil {
		return Verified{}, fmt.Errorf("journal: verify: %w", err)
	}
	v := verifier{heads: map[string]head{}, cut: info.State.FirstSeq > 1, each: each}
	v.First, v.Last = info.State.FirstSeq, info.State.LastSeq
	for _, seq := range info.State.Deleted {
		if seq >= max(v.First, 1) { // an empty stream lists a sequence 0
			v.flaw(rules.LaneID{}, seq, "was deleted")
		}
	}
	if info.State.Msgs > 0 {
		err = j.scan(ctx, v.First, v.Last, []string{journalPrefix + ">"}, v.see)
	}
	v.Lanes = len(v.heads)
	if err != nil {
		return v.Verified, fmt.Errorf("journal: verify: %w", err)
	}
	return v.Verified, nil
}

type verifier struct {
	Verified
	heads map[string]head // by lane token
	cut   bool
	each  func(watcher.Entry) // nil: nobody reads along
}

func (v *verifier) flaw(lane rules.LaneID, seq uint64, format string, args ...any) {
	v.Flaws = append(v.Flaws, Flaw{Lane: lane, Seq: seq, What: fmt.Sprintf(format, args...)})
}

func (v *verifier) see(msg jetstream.Msg, seq uint64) error {
	v.Entries++
	token, _, ok := splitEntrySubject(msg.Subject())
	if !ok {
		v.flaw(rules.LaneID{}, seq, "its subject %q is none of the journal's", msg.Subject())
		return nil
	}
	before, known := v.heads[token]
	v.heads[token] = head{seq: seq, hash: hashOf(msg.Data())}
	e, err := decode(msg.Subject(), seq, msg.Data())
	if err != nil {
		v.flaw(rules.LaneID{}, seq, "cannot be read: %v", err)
		return nil
	}
	if v.each != nil {
		v.each(e)
	}
	switch {
	case known && e.Prev != before.hash:
		v.flaw(e.Lane, seq, "does not follow entry %d: that one was changed, or one between them is missing", before.seq)
	case !known && e.Prev != "" && !v.cut:
		v.flaw(e.Lane, seq, "follows an entry that is missing, though the journal's start is whole")
	}
	return nil
}
