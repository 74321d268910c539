package nats

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/bakewatch/bakewatch/integrations/nats/signing"
)

// The headers of a dead letter. The event's own headers are kept beside them,
// except those that mean something to the server.
const (
	HeaderReason    = "Bakewatch-Reason"
	HeaderSubject   = "Bakewatch-Subject"   // on which the event came
	HeaderStream    = "Bakewatch-Stream"    // from which it was taken
	HeaderSequence  = "Bakewatch-Sequence"  // in that stream
	HeaderTruncated = "Bakewatch-Truncated" // how much of it is here, if not all
)

// headerRoom is kept free beside a dead letter's data.
const (
	headerRoom  = 16 << 10
	reasonLimit = 1 << 10
)

// bury writes an event to the dead letters. Doing it twice within two minutes
// leaves one letter.
func bury(ctx context.Context, js jetstream.JetStream, limit int, stream string, in Incoming, reason error) error {
	seq := strconv.FormatUint(in.Seq, 10)
	msg := &nats.Msg{Subject: deadSubject, Header: keptHeaders(in.Headers), Data: in.Data}
	if room := limit - headerRoom; room > 0 && len(in.Data) > room {
		msg.Data = in.Data[:room]
		msg.Header.Set(HeaderTruncated, fmt.Sprintf("%d of %d bytes are kept", room, len(in.Data)))
	}
	msg.Header.Set(HeaderReason, headerValue(reason.Error(), reasonLimit))
	msg.Header.Set(HeaderSubject, headerValue(in.Subject, reasonLimit))
	msg.Header.Set(HeaderStream, stream)
	msg.Header.Set(HeaderSequence, seq)
	_, err := js.PublishMsg(ctx, msg, jetstream.WithExpectStream(StreamDead), jetstream.WithMsgID(stream+"-"+seq))
	if err != nil {
		return fmt.Errorf("write a dead letter: %w", err)
	}
	return nil
}

// keptHeaders copies what is harmless, as long as there is room.
func keptHeaders(headers nats.Header) nats.Header {
	kept := nats.Header{}
	room := headerRoom / 2
	for name, values := range headers {
		if meansSomething(strings.ToLower(name)) && !signing.Carries(name) {
			continue
		}
		for _, value := range values {
			if room -= len(name) + len(value) + 4; room < 0 {
				return kept
			}
			kept[name] = append(kept[name], headerValue(value, room))
		}
	}
	return kept
}

// meansSomething says whether servers and clients of NATS, or readers of dead letters,
// would take the header for one of theirs.
func meansSomething(lower string) bool {
	return strings.HasPrefix(lower, "nats-") || strings.HasPrefix(lower, "bakewatch-") || lower == "status"
}

// headerValue makes one line of a text, at most so many bytes.
func headerValue(text string, limit int) string {
	line := strings.Map(func(r rune) rune {
		if r < ' ' || r == utf8.RuneError {
			return ' '
		}
		return r
	}, text)
	if len(line) <= limit {
		return line
	}
	return strings.ToValidUTF8(line[:max(0, limit-3)], "") + "…"
}
