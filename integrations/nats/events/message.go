package events

import (
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/rules"
)

// The limits of a message.
const (
	MaxSize  = 1 << 20            // bytes of a message's data
	MaxDepth = 32                 // objects and lists inside each other
	MaxAhead = 5 * time.Minute    // how far in the future a deployment may lie
	MaxAge   = 7 * 24 * time.Hour // how far in the past
)

// Message is one message as it came from NATS, or from anything like it.
type Message struct {
	Subject string
	Headers map[string][]string
	Data    []byte
	// Received is when the stream stored the message; zero: now. It is the time of
	// an event that gives none, so that a message read late keeps its place.
	Received time.Time
}

// Parse reads one message. Its error is a *Reason or a *Nothing.
//
// The shape is looked for in this order: a CloudEvent in binary mode (header
// ce-specversion), a structured CloudEvent (content type, or a body with a
// specversion), a bare CDEvent, a native event. A content type that says
// "structured" wins over ce- headers, since such messages may repeat their
// attributes there.
func Parse(in Message, now time.Time) (rules.Deployment, error) {
	d, err := read(in)
	if err != nil {
		return rules.Deployment{}, err
	}
	if d.At.IsZero() {
		d.At = now.UTC()
		if !in.Received.IsZero() {
			d.At = in.Received.UTC()
		}
	}
	if err := timely(d.At, now); err != nil {
		return rules.Deployment{}, err
	}
	return d, nil
}

// IsOurs says whether the Bakewatch of this cluster published the event itself.
func IsOurs(d rules.Deployment, cluster string) bool { return d.Source == OwnSource(cluster) }

// OwnSource returns the source of the events that the Bakewatch of this cluster publishes.
func OwnSource(cluster string) string { return "bakewatch/" + cluster }

// read does all of Parse but what depends on the time.
func read(in Message) (rules.Deployment, error) {
	d, err := decode(in)
	if err != nil {
		return rules.Deployment{}, err
	}
	if err := place(&d, in.Subject); err != nil {
		return rules.Deployment{}, err
	}
	if err := complete(d); err != nil {
		return rules.Deployment{}, err
	}
	if d.Source == "" {
		d.Source = in.Subject
	}
	d.Extra = bounded(d.Extra)
	return d, nil
}

// decode finds out the shape of the message and reads it.
func decode(in Message) (rules.Deployment, error) {
	headers, err := Attributes(in.Headers)
	if err != nil {
		return rules.Deployment{}, err
	}
	structured, err := saysStructured(headers["content-type"])
	if err != nil {
		return rules.Deployment{}, err
	}
	if _, binary := headers["ce-specversion"]; binary && !structured {
		return fromBinary(headers, in)
	}
	body, err := object(in.Data, "")
	switch {
	case err != nil:
		return rules.Deployment{}, err
	case structured || isCloudEvent(body):
		return fromStructured(body, in)
	case isCDEvent(body):
		return fromCDEvent(body, "", in.Subject)
	case strings.HasPrefix(in.Subject, cdTypes):
		return rules.Deployment{}, refuse("context.type", "send a CDEvent, or a native event to deployments.<environment>.<service>",
			"is missing, so this is no CDEvent")
	default:
		return fromNative(newFields(body, ""))
	}
}

// timely refuses events that cannot be about now: clocks or pipelines are wrong.
func timely(at, now time.Time) error {
	switch ahead := at.Sub(now); {
	case ahead > MaxAhead:
		return refuse("at", "check the clock of the sender", "%s is %s in the future; at most %s is taken for a clock's error",
			at.Format(time.RFC3339), ahead.Round(time.Second), MaxAhead)
	case ahead < -MaxAge:
		return refuse("at", "announce it again with the time of the deployment", "%s is %s ago; nothing older than %d days is watched",
			at.Format(time.RFC3339), (-ahead).Round(time.Second), int(MaxAge.Hours()/24))
	}
	return nil
}
