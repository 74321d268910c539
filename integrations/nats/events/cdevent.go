package events

import (
	"cmp"
	"encoding/json"
	"strings"

	"github.com/bakewatch/bakewatch/rules"
)

const cdTypes = "dev.cdevents."

// cdSteps is what the events about a service mean for a watch. A service that is
// published can be used: its deployment is over. One that is removed is gone: if
// the event says which version, the watch of that version ends as cancelled.
var cdSteps = map[string]rules.Step{
	"deployed":   rules.Finished,
	"upgraded":   rules.Finished,
	"published":  rules.Finished,
	"rolledback": rules.RolledBack,
	"removed":    rules.Cancelled,
}

func isCDEvent(body map[string]json.RawMessage) bool {
	return strings.HasPrefix(cdType(body["context"]), cdTypes)
}

// cdType returns the type that a CDEvent's context gives, or nothing.
func cdType(context json.RawMessage) string {
	var inner map[string]json.RawMessage
	var kind string
	if json.Unmarshal(context, &inner) != nil || json.Unmarshal(inner["type"], &kind) != nil {
		return ""
	}
	return kind
}

// fromCDEvent reads a CDEvent about a service, of CDEvents 0.4, 0.5 and what is like
// them. CDEvents knows neither versions nor strategies: the version is read from the
// artifact, and customData may hold any field of the native event but id, at and
// source; what it says goes before what is read from elsewhere.
func fromCDEvent(body map[string]json.RawMessage, path, subject string) (rules.Deployment, error) {
	f := newFields(body, path)
	context, thing, custom := f.object("context"), f.object("subject"), f.custom()
	content := thing.object("content")
	predicate := predicateOf(context, subject)
	source := context.needed("source", longLine)

	d := rules.Deployment{}
	about(custom, &d)
	d.ID, d.Source, d.At = eventID(source, context.needed("id", longLine)), source, context.time("timestamp")
	d.Step = stepOf(custom, predicate, d.Step)
	if d.Service == "" {
		d.Service = thing.fitting("id", serviceOf(thing.needed("id", longLine)), anyName)
	}
	if d.Environment == "" {
		d.Environment = content.object("environment").needed("id", anyName)
	}
	artifact := content.text("artifactId", longLine)
	d.Artifact = cmp.Or(d.Artifact, artifact)
	if d.Version == "" {
		d.Version = versionIn(content, artifact)
	}
	d.Extra = custom.rest
	d.Extra["cdevent"] = body["context"]
	if d.Version == "" && f.err() == nil {
		return d, versionless(content, d, predicate)
	}
	return d, f.err()
}

// custom reads customData; what is no JSON object is kept, not read.
func (f fields) custom() fields {
	inner := fields{path: f.path + "customData.", rest: map[string]json.RawMessage{}, first: f.first}
	raw, given := f.take("customData")
	if given && json.Unmarshal(raw, &inner.rest) != nil {
		inner.rest = map[string]json.RawMessage{"customData": raw}
	}
	return inner
}

// needed reads a text that a CDEvent must have.
func (f fields) needed(key string, p pattern) string {
	value := f.text(key, p)
	if value == "" {
		f.wrong(key, "", "is missing")
	}
	return value
}

// predicateOf returns what happened to the service: the word in
// dev.cdevents.service.upgraded.0.3.0.
func predicateOf(context fields, subject string) string {
	kind := context.needed("type", line)
	predicate, version, _ := strings.Cut(strings.TrimPrefix(kind, cdSubjects), ".")
	if _, known := cdSteps[predicate]; !known || !strings.HasPrefix(kind, cdSubjects) {
		context.wrong("type", "Bakewatch reads dev.cdevents.service. deployed, upgraded, published, rolledback and removed", "%s is not read", quote(kind))
		return ""
	}
	if !strings.HasPrefix(version, "0.") {
		context.wrong("type", "Bakewatch reads versions 0.x of the event", "%s is not read", quote(kind))
	}
	if tail, ok := strings.CutPrefix(subject, cdSubjects); ok {
		said, _, _ := strings.Cut(tail, ".")
		if _, known := cdSteps[said]; known && said != predicate {
			context.wrong("type", "", "is about %q, and the subject says %q", predicate, said)
		}
	}
	return predicate
}

// stepOf returns what the event means. customData may say more of a deployment
// ("started", "stage"), and may not deny a rollback or a removal.
func stepOf(custom fields, predicate string, given rules.Step) rules.Step {
	means := cdSteps[predicate]
	if given == "" || given == means {
		return means
	}
	if means != rules.Finished {
		custom.wrong("step", "leave it out", "is %q, and the event says %q", given, predicate)
	}
	return given
}

// versionless says what an event means that names no version: published and
// removed need not have one in CDEvents, and then there is nothing to watch or to end.
func versionless(content fields, d rules.Deployment, predicate string) error {
	if predicate == "published" || predicate == "removed" {
		return &Nothing{Deployment: d, Why: "the service was " + predicate + ", and the event names no version"}
	}
	content.wrong("artifactId", "or say customData.version", "is missing: the version is read from it")
	return content.err()
}
