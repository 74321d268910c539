package pagerdutytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// Secret is that of a webhook subscription.
const Secret = "lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK"

// Acknowledged is a v3 webhook as PagerDuty documents it: a user has acknowledged the
// incident with this key.
func Acknowledged(key, user string, at time.Time) string {
	return fmt.Sprintf(`{"event":{"id":"5ac64822-4adc-4fda-ade0-410becf0de4f","event_type":"incident.acknowledged","resource_type":"incident",
"occurred_at":%q,
"agent":{"html_url":"https://acme.pagerduty.com/users/%[2]s","id":%[2]q,"self":"https://api.pagerduty.com/users/%[2]s","summary":"Tenex Engineer","type":"user_reference"},
"client":{"name":"PagerDuty"},
"data":{"id":"PGR0VU2","type":"incident","self":"https://api.pagerduty.com/incidents/PGR0VU2","html_url":"https://acme.pagerduty.com/incidents/PGR0VU2",
"number":2,"status":"acknowledged","incident_key":%[3]q,"created_at":"2026-11-23T09:59:00Z","title":"checkout?",
"service":{"id":"PF9KMXH","summary":"API Service","type":"service_reference"},"assignees":[],"urgency":"high","resolve_reason":null}}}`, at.UTC().Format("2006-01-02T15:04:05.000Z"), user, key)
}

// Sign returns the signature of a delivery, as it stands in X-PagerDuty-Signature.
func Sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}
