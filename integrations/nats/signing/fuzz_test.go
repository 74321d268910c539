package signing_test

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/integrations/nats/signing"
)

// FuzzVerify holds the verifier to its promises for any message: it does not panic, says
// in one short line why not, and believes nobody but who holds the key: what it accepts
// is what the key signed, and not the same with any part changed.
func FuzzVerify(f *testing.F) {
	key, err := signing.ParseKey(example(f, "key.nk"))
	if err != nil {
		f.Fatal(err)
	}
	headers := exampleHeaders(f)
	f.Add("", "deployments.production.checkout", "", "", string(example(f, "body.json")), headers[signing.HeaderKey][0],
		headers[signing.HeaderTime][0], headers[signing.HeaderID][0], headers[signing.HeaderSignature][0])
	f.Add("main", "bakewatch.api.answer", "ce-id", "7", "{}", "U", "now", "", "AAAA")
	f.Fuzz(func(t *testing.T, cluster, subject, name, value, body, public, at, id, signature string) {
		m := signing.Message{Cluster: cluster, Subject: subject, Headers: map[string]string{}, Body: []byte(body)}
		if name != "" {
			m.Headers[name] = value
		}
		given := map[string][]string{
			signing.HeaderKey: {public}, signing.HeaderTime: {at}, signing.HeaderID: {id}, signing.HeaderSignature: {signature},
		}
		if signed, err := signing.Verify(m, given); err == nil {
			if signed.Key != public || signed.ID != id {
				t.Fatalf("%+v was not said", signed)
			}
			refusesChanged(t, m, given)
		} else if text := err.Error(); !errors.Is(err, signing.ErrForged) || len(text) > 1000 && len(text) > 2*len(cluster) {
			t.Fatalf("an odd error: %v", err)
		}
		made, err := key.Sign(m, noon)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signing.Verify(m, made); err != nil {
			t.Fatalf("what was signed does not hold: %v", err)
		}
		refusesChanged(t, m, made)
		if public == key.Public() {
			return
		}
		made[signing.HeaderKey] = []string{public}
		if _, err := signing.Verify(m, made); err == nil {
			t.Fatalf("%q is believed, who did not sign", public)
		}
	})
}

// refusesChanged changes one part after the other, also by moving bytes across the
// border of two parts.
func refusesChanged(t *testing.T, m signing.Message, headers map[string][]string) {
	t.Helper()
	for what, change := range map[string]func(m *signing.Message){
		"cluster": func(m *signing.Message) { m.Cluster += "," },
		"subject": func(m *signing.Message) { m.Subject += "0" },
		"border":  func(m *signing.Message) { m.Cluster, m.Subject = m.Cluster+"0:,", strings.TrimPrefix(m.Subject, "0:,") },
		"moved": func(m *signing.Message) {
			if m.Subject != "" {
				m.Cluster, m.Subject = m.Cluster+m.Subject[:1], m.Subject[1:]
			} else {
				m.Subject = "x"
			}
		},
		"headers": func(m *signing.Message) { m.Headers["one more"] = "" },
		"body":    func(m *signing.Message) { m.Body = append(m.Body, 0) },
	} {
		changed := m
		changed.Headers, changed.Body = maps.Clone(m.Headers), append([]byte(nil), m.Body...)
		if change(&changed); len(changed.Headers) == len(m.Headers) && what == "headers" {
			continue
		}
		if _, err := signing.Verify(changed, headers); err == nil {
			t.Fatalf("with another %s it holds as well", what)
		}
	}
	for name := range headers {
		if name == signing.HeaderKey {
			continue
		}
		changed := maps.Clone(headers)
		changed[name] = []string{headers[name][0] + "A"}
		if _, err := signing.Verify(m, changed); err == nil {
			t.Fatalf("with another %s it holds as well", name)
		}
	}
}
