package pagerduty_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/watcher"
)

const webhookSecret = "lDQHScfUeXUKaQRNF+8XIiDKZ7XX3itBAYzwU0TARw8lJqRnkKl2iB1anSb0Z+IK"

// desk hears acknowledgements.
type desk struct {
	heard []string
	err   error
}

func (d *desk) Acknowledged(_ context.Context, watch string, by authority.Proof) error {
	d.heard = append(d.heard, watch+" by "+by.String())
	return d.err
}

// acknowledged is a v3 webhook as PagerDuty documents it.
func acknowledged(change func(string) string) string {
	body := `{"event":{"id":"5ac64822-4adc-4fda-ade0-410becf0de4f","event_type":"incident.acknowledged","resource_type":"incident",
"occurred_at":"2026-11-23T10:00:00.169Z",
"agent":{"html_url":"https://acme.pagerduty.com/users/PLH1HKV","id":"PLH1HKV","self":"https://api.pagerduty.com/users/PLH1HKV","summary":"Tenex Engineer","type":"user_reference"},
"client":{"name":"PagerDuty"},
"data":{"id":"PGR0VU2","type":"incident","self":"https://api.pagerduty.com/incidents/PGR0VU2","html_url":"https://acme.pagerduty.com/incidents/PGR0VU2",
"number":2,"status":"acknowledged","incident_key":"bakewatch/main/12","created_at":"2026-11-23T09:59:00Z","title":"checkout?",
"service":{"id":"PF9KMXH","summary":"API Service","type":"service_reference"},"assignees":[],"urgency":"high","resolve_reason":null}}}`
	if change != nil {
		return change(body)
	}
	return body
}

func sign(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// deliver delivers a webhook two minutes after it happened, and returns the status and the log.
func deliver(d *desk, method, signature, body string) (int, string) {
	var log bytes.Buffer
	handler := &pagerduty.Webhook{
		Secrets: []outbound.Secret{outbound.NewSecret(webhookSecret)}, Cluster: "main", To: d,
		Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return time.Date(2026, 11, 23, 10, 2, 0, 0, time.UTC) },
	}
	request := httptest.NewRequest(method, "/pagerduty", strings.NewReader(body))
	if signature != "" {
		request.Header.Set("X-PagerDuty-Signature", signature)
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, request)
	return recorder.Code, log.String()
}

func TestAnAcknowledgementIsHandedOn(t *testing.T) {
	body := acknowledged(nil)
	for name, signature := range map[string]string{
		"signed": sign(webhookSecret, body),
		"signed twice, while the secret is replaced": sign("the old one", body) + "," + sign(webhookSecret, body),
		"of a version to come as well":               "v2=abcd, " + sign(webhookSecret, body),
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			code, _ := deliver(d, http.MethodPost, signature, body)
			if code != http.StatusAccepted || len(d.heard) != 1 || d.heard[0] != "12 by pagerduty PLH1HKV" {
				t.Errorf("%d, %q", code, d.heard)
			}
		})
	}
}

func TestWhatIsNotSignedIsNotHeard(t *testing.T) {
	body := acknowledged(nil)
	for name, signature := range map[string]string{
		"nothing":                   "",
		"another secret":            sign("another", body),
		"another body":              sign(webhookSecret, body+" "),
		"no secret at all":          sign("", body),
		"the right one as another":  strings.Replace(sign(webhookSecret, body), "v1=", "v2=", 1),
		"half of it":                sign(webhookSecret, body)[:40],
		"what is no signature":      "v1=zz",
		"an empty one":              "v1=",
		"a list of nothing but end": ",,,",
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			code, log := deliver(d, http.MethodPost, signature, body)
			if code != http.StatusUnauthorized || len(d.heard) != 0 || strings.Contains(log, webhookSecret) {
				t.Errorf("%d, %q", code, d.heard)
			}
		})
	}
	forgotten := &pagerduty.Webhook{Secrets: []outbound.Secret{{}}, Cluster: "main", To: &desk{}, Log: slog.New(slog.DiscardHandler)}
	request, recorder := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), httptest.NewRecorder()
	request.Header.Set("X-PagerDuty-Signature", sign("", body))
	if forgotten.ServeHTTP(recorder, request); recorder.Code != http.StatusUnauthorized {
		t.Errorf("an empty secret lets in: %d", recorder.Code)
	}
}

func TestWhatIsNoAcknowledgementOfOursIsAnsweredWell(t *testing.T) {
	swap := func(old, with string) func(string) string {
		return func(body string) string {
			if !strings.Contains(body, old) {
				panic(old)
			}
			return strings.Replace(body, old, with, 1)
		}
	}
	for name, change := range map[string]func(string) string{
		"another event":                                        swap("incident.acknowledged", "incident.resolved"),
		"another resource":                                     swap(`"type":"incident"`, `"type":"incident_note"`),
		"an incident of others":                                swap("bakewatch/main/12", "d3640fbd41094207a1c11e58e46b1662"),
		"another Bakewatch's":                                  swap("bakewatch/main/12", "bakewatch/eu/12"),
		"one of no watch":                                      swap("bakewatch/main/12", "bakewatch/main/7-pager"),
		"one with more than a watch":                           swap("bakewatch/main/12", "bakewatch/main/12/../13"),
		"one that an integration acknowledged":                 swap("user_reference", "events_api_v2_inbound_integration_reference"),
		"one that nobody acknowledged":                         swap(`"agent":{`, `"agent":null,"other":{`),
		"one without a user":                                   swap(`"id":"PLH1HKV",`, ""),
		"one from long ago, sent again by whoever has kept it": swap("2026-11-23T10:00:00.169Z", "2026-11-23T08:00:00.169Z"),
		"a test": func(string) string {
			return `{"event":{"event_type":"pagey.ping","agent":null,"data":{"message":"Hello","type":"ping"}}}`
		},
		"no JSON":     func(string) string { return "<html>" },
		"other JSON":  func(string) string { return `[1]` },
		"empty JSON":  func(string) string { return `{}` },
		"nothing":     func(string) string { return "" },
		"a bad clock": swap("2026-11-23T10:00:00.169Z", "yesterday"),
	} {
		t.Run(name, func(t *testing.T) {
			body, d := acknowledged(change), &desk{}
			code, _ := deliver(d, http.MethodPost, sign(webhookSecret, body), body)
			if code != http.StatusAccepted || len(d.heard) != 0 {
				t.Errorf("%d, %q", code, d.heard)
			}
		})
	}
}

func TestWhatIsNotTakenIsTriedAgainOnlyWhereThatHelps(t *testing.T) {
	body := acknowledged(nil)
	for name, c := range map[string]struct {
		err  error
		code int
	}{
		"a question that is over":    {fmt.Errorf("%w: no question is open", watcher.ErrRefused), http.StatusAccepted},
		"a watch that is forgotten":  {fmt.Errorf("%w: 12", watcher.ErrNotFound), http.StatusAccepted},
		"a replica that is standing": {watcher.ErrStopped, http.StatusServiceUnavailable},
		"a journal that is away":     {errors.New("timeout"), http.StatusServiceUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{err: c.err}
			if code, log := deliver(d, http.MethodPost, sign(webhookSecret, body), body); code != c.code || !strings.Contains(log, "watch=12") {
				t.Errorf("%d\n%s", code, log)
			}
		})
	}
}

func TestOnlyAPostOfSomeSizeIsRead(t *testing.T) {
	if code, _ := deliver(&desk{}, http.MethodGet, "", ""); code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", code)
	}
	long := strings.Repeat("x", 300<<10)
	if code, _ := deliver(&desk{}, http.MethodPost, sign(webhookSecret, long), long); code != http.StatusRequestEntityTooLarge {
		t.Errorf("300 KiB: %d", code)
	}
}

func TestAChannelWithASecretHasAWebhook(t *testing.T) {
	o := options(t, "https://events.pagerduty.com")
	if _, ok, err := o.Webhook("pager", "main", &desk{}, slog.New(slog.DiscardHandler)); ok || err != nil {
		t.Errorf("without a secret: %v, %v", ok, err)
	}
	o.WebhookSecretEnv = "WEBHOOK_SECRET"
	if _, _, err := o.Webhook("pager", "main", &desk{}, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a secret that is not there is none")
	}
	t.Setenv("WEBHOOK_SECRET", webhookSecret)
	if handler, ok, err := o.Webhook("pager", "main", &desk{}, slog.New(slog.DiscardHandler)); handler == nil || !ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
}
