package events

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/bakewatch/bakewatch/rules"
)

// Encode returns the native event for a deployment and the subject to publish it
// to. It refuses, with the same *Reason, whatever Parse would refuse; only the time
// is not held against a clock.
func Encode(d rules.Deployment) (subject string, data []byte, err error) {
	if err := complete(d); err != nil {
		return "", nil, err
	}
	if data, err = flat(d); err != nil {
		return "", nil, err
	}
	subject = Subject(d)
	if _, err := read(Message{Subject: subject, Data: data}); err != nil {
		return "", nil, err
	}
	return subject, data, nil
}

// flat returns the event as JSON, with the unknown fields beside the known ones.
func flat(d rules.Deployment) ([]byte, error) {
	extra := d.Extra
	d.Extra = nil
	data, err := json.Marshal(d)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, fmt.Errorf("encode event: %w", err)
	}
	for _, key := range slices.Sorted(maps.Keys(extra)) {
		if slices.Contains(known, key) {
			return nil, refuse(key, "", "is a known field and cannot be an unknown one too")
		}
		all[key] = extra[key]
	}
	return json.Marshal(all)
}

// known are the fields of the native event.
var known = []string{
	"id", "service", "environment", "version", "step", "strategy", "stage", "slot", "flag", "cohort", "previous",
	"at", "by", "authors", "release", "reversible", "retry", "commit", "artifact", "labels", "links", "notes", "source",
}
