package events

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/cloudevents/sdk-go/v2/event"
	"github.com/cloudevents/sdk-go/v2/types"

	"github.com/bakewatch/bakewatch/rules"
)

// Attributes returns the headers that say something of an event by their lower-case
// names, with ce_ as ce-. Headers that say two things are refused: two readers could differ.
func Attributes(headers map[string][]string) (map[string]string, error) {
	folded := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(headers)) {
		low := strings.ToLower(key)
		if rest, ok := strings.CutPrefix(low, "ce_"); ok {
			low = "ce-" + rest
		}
		if low != "content-type" && !strings.HasPrefix(low, "ce-") {
			continue
		}
		for _, value := range headers[key] {
			if before, twice := folded[low]; twice && before != value {
				return nil, refuse("header "+low, "", "is given twice with different values")
			}
			folded[low] = value
		}
	}
	return folded, nil
}

// saysStructured says whether the content type is that of a structured CloudEvent.
func saysStructured(contentType string) (bool, error) {
	if contentType == "" {
		return false, nil
	}
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "application/cloudevents") {
		return false, nil
	}
	if media != "application/cloudevents+json" && media != "application/cloudevents" {
		return false, refuse("header content-type", "send application/cloudevents+json, one event a message", "%s is not read", quote(media))
	}
	return true, nil
}

func isCloudEvent(body map[string]json.RawMessage) bool {
	_, version := body["specversion"]
	_, kind := body["type"]
	return version && kind
}

// fromBinary reads a CloudEvent whose attributes are headers and whose data is the
// message's. Header values are percent-encoded.
func fromBinary(headers map[string]string, in Message) (rules.Deployment, error) {
	e, err := envelope(func(key string) string {
		value := headers["ce-"+key]
		if decoded, err := url.PathUnescape(value); err == nil {
			return decoded
		}
		return value
	})
	if err != nil {
		return rules.Deployment{}, err
	}
	return opened(e, in.Data, in.Subject)
}

// fromStructured reads a CloudEvent that is the message's whole body.
func fromStructured(body map[string]json.RawMessage, in Message) (rules.Deployment, error) {
	f := newFields(body, "")
	e, err := envelope(func(key string) string { return f.text(key, prose) })
	var data []byte
	if !f.decode("data_base64", "base64 in a string", &data) {
		data, _ = f.take("data")
	}
	if err := cmp.Or(f.err(), err); err != nil {
		return rules.Deployment{}, err
	}
	return opened(e, data, in.Subject)
}

// envelope returns a CloudEvent with these attributes, checked, and without data.
func envelope(attribute func(string) string) (event.Event, error) {
	if version := attribute("specversion"); version != event.CloudEventsVersionV1 {
		return event.Event{}, refuse("specversion", "Bakewatch reads CloudEvents 1.0", "%s is not read", quote(version))
	}
	e := event.New(event.CloudEventsVersionV1)
	e.SetID(attribute("id"))
	e.SetSource(attribute("source"))
	e.SetType(attribute("type"))
	if at := attribute("time"); at != "" {
		parsed, err := types.ParseTime(at)
		if err != nil {
			return event.Event{}, refuse("time", "write RFC 3339, such as 2026-11-23T10:00:00Z", "%s is not a time", quote(at))
		}
		e.SetTime(parsed)
	}
	if err := e.Validate(); err != nil {
		return event.Event{}, notCloudEvent(err)
	}
	return e, nil
}

// opened reads the data of a CloudEvent: a CDEvent if its type says so, else a
// native event, which takes the id, time and source that it lacks from the CloudEvent.
func opened(e event.Event, data []byte, subject string) (rules.Deployment, error) {
	body, err := object(data, "data.")
	if err != nil {
		var reason *Reason
		if errors.As(err, &reason) && reason.Field == "" {
			reason.Field = "data"
		}
		return rules.Deployment{}, err
	}
	if strings.HasPrefix(e.Type(), cdTypes) {
		if inner := cdType(body["context"]); inner != e.Type() {
			return rules.Deployment{}, refuse("data.context.type", "the data is the whole CDEvent", "is %s in a CloudEvent of type %s", quote(inner), quote(e.Type()))
		}
		return fromCDEvent(body, "data.", subject)
	}
	if !longLine.fits(e.Source()) {
		return rules.Deployment{}, refuse("source", longLine.says, "%s is not valid", quote(e.Source()))
	}
	d, err := fromNative(newFields(body, "data."))
	d.ID = cmp.Or(d.ID, eventID(e.Source(), e.ID()))
	d.Source = cmp.Or(d.Source, e.Source())
	if d.At.IsZero() && !e.Time().IsZero() {
		d.At = e.Time().UTC()
	}
	return d, err
}

// eventID returns an id that is a name: the event's own, or else a hash of it and
// its source, the same each time.
func eventID(source, id string) string {
	if anyName.fits(id) {
		return id
	}
	sum := sha256.Sum256([]byte(source + "\x00" + id))
	return "sha256:" + hex.EncodeToString(sum[:16])
}

// notCloudEvent turns the SDK's lists of errors, one a line and in no fixed order, into one line.
func notCloudEvent(err error) error {
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	slices.Sort(lines)
	return refuse("", "", "is not a valid CloudEvent: %s", strings.Join(lines, ", "))
}
