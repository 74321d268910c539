package nats

import (
	"fmt"
	"slices"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"
)

// findings are what is wrong with a stream (errs) and what its operator should know (warnings).
type findings struct {
	errs     []error
	warnings []string
}

func (f *findings) wrong(format string, args ...any) {
	f.errs = append(f.errs, fmt.Errorf(format, args...))
}

func (f *findings) warn(format string, args ...any) {
	f.warnings = append(f.warnings, fmt.Sprintf(format, args...))
}

// inspect compares a stream with its line of the table.
func inspect(want wanted, have *jetstream.StreamInfo, external bool) findings {
	var f findings
	for _, subject := range want.Subjects {
		if !covers(have.Config.Subjects, subject) {
			f.wrong("stream %s does not take subject %s: add it there", want.Name, subject)
		}
	}
	switch want.Name {
	case StreamJournal:
		f.journal(want, have.Config)
	case StreamFacts:
		f.facts(want, have.Config)
	default:
		f.events(want, have.Config)
	}
	if external {
		f.durability(want, have)
	}
	return f
}

func (f *findings) journal(want wanted, have jetstream.StreamConfig) {
	if have.Storage != jetstream.FileStorage {
		f.wrong("stream %s is kept in memory: a journal must be on disk", want.Name)
	}
	if have.Retention != jetstream.LimitsPolicy {
		f.wrong("stream %s has retention %s, which drops entries that were read; it must be limits", want.Name, have.Retention)
	}
	if have.AllowDirect {
		f.wrong("stream %s allows direct gets, which may answer from a replica that lags: set allow_direct to false", want.Name)
	}
	if have.MaxMsgsPerSubject > 0 {
		f.wrong("stream %s keeps only %d messages of a subject: lift max_msgs_per_subject", want.Name, have.MaxMsgsPerSubject)
	}
	if have.Discard == jetstream.DiscardOld && (have.MaxMsgs > 0 || have.MaxBytes > 0) {
		f.warn("the journal drops old entries when it is full (max_msgs %d, max_bytes %d)", have.MaxMsgs, have.MaxBytes)
	}
	if have.MaxAge > 0 && have.MaxAge < want.MaxAge {
		f.warn("the journal is kept for %s, less than the %s that reports look back", have.MaxAge, want.MaxAge)
	}
	if !have.DenyDelete || !have.DenyPurge {
		f.warn("the journal's entries can be deleted: set deny_delete and deny_purge")
	}
}

func (f *findings) facts(want wanted, have jetstream.StreamConfig) {
	if !have.AllowMsgTTL {
		f.wrong("stream %s does not allow message TTLs, without which a dead daemon is never replaced: "+
			"set allow_msg_ttl (NATS 2.11 or later)", want.Name)
	}
	if have.AllowDirect {
		f.wrong("stream %s allows direct gets, which may answer from a replica that lags: set allow_direct to false", want.Name)
	}
	if have.MaxMsgsPerSubject != want.MaxMsgsPerSubject {
		f.wrong("stream %s keeps %d messages of a subject: set max_msgs_per_subject to %d",
			want.Name, have.MaxMsgsPerSubject, want.MaxMsgsPerSubject)
	}
	if have.MaxAge > 0 {
		f.warn("facts are dropped after %s, a lasting disarm among them", have.MaxAge)
	}
}

func (f *findings) events(want wanted, have jetstream.StreamConfig) {
	if have.Retention == jetstream.WorkQueuePolicy {
		f.wrong("stream %s is a work queue, in which an event belongs to one consumer only: "+
			"let a stream with retention limits source from it, and name that one", want.Name)
	}
	if have.MaxAge > 0 && have.MaxAge < want.MaxAge && want.Name != StreamDead {
		f.warn("events are kept for %s: a daemon that is down for longer misses them", have.MaxAge)
	}
}

// durability says where an acknowledged write may be lost. The fsync policy of an
// external server cannot be asked for, so one replica is always worth a word.
func (f *findings) durability(want wanted, have *jetstream.StreamInfo) {
	if have.Config.PersistMode == jetstream.AsyncPersistMode {
		f.warn("acknowledged writes may be lost: persist_mode is async")
	}
	if want.Name != StreamJournal {
		return
	}
	if have.Config.Replicas < 2 {
		f.warn("the journal has one replica: acknowledged entries may be lost on power failure " +
			"unless the server runs with sync_interval: always")
	}
}

func covers(subjects []string, subject string) bool {
	return slices.ContainsFunc(subjects, func(of string) bool { return server.SubjectMatchesFilter(subject, of) })
}

// same compares what bring may change.
func same(a, b jetstream.StreamConfig) bool {
	return slices.Equal(a.Subjects, b.Subjects) && a.MaxAge == b.MaxAge &&
		a.MaxMsgsPerSubject == b.MaxMsgsPerSubject && a.AllowMsgTTL == b.AllowMsgTTL &&
		a.DenyDelete == b.DenyDelete && a.DenyPurge == b.DenyPurge && a.AllowDirect == b.AllowDirect
}
