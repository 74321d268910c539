package pagerduty_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/integrations/pagerduty"
	"github.com/bakewatch/bakewatch/integrations/pagerduty/pagerdutytest"
	"github.com/bakewatch/bakewatch/watcher"
)

// desk hears acknowledgements.
type desk struct {
	heard []string
	err   error
}

func (d *desk) Acknowledged(_ context.Context, ack pagerduty.Acknowledgement) error {
	d.heard = append(d.heard, ack.Watch+" by "+ack.By.String()+" at "+ack.At.Format(time.TimeOnly))
	return d.err
}

// acknowledged is the webhook of an incident of watch 12, changed.
func acknowledged(change func(string) string) string {
	body := pagerdutytest.Acknowledged("bakewatch/main/12", "PLH1HKV", time.Date(2026, 11, 23, 10, 0, 0, 169_000_000, time.UTC))
	if change != nil {
		return change(body)
	}
	return body
}

// deliver delivers a webhook two minutes after it happened, and returns the status and the log.
func deliver(d *desk, method, signature, body string) (int, string) {
	var log bytes.Buffer
	handler := &pagerduty.Webhook{
		Secrets: []outbound.Secret{outbound.NewSecret(pagerdutytest.Secret)}, Cluster: "main", To: d,
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
		"signed": pagerdutytest.Sign(pagerdutytest.Secret, body),
		"signed twice, while the secret is replaced": pagerdutytest.Sign("the old one", body) + "," + pagerdutytest.Sign(pagerdutytest.Secret, body),
		"of a version to come as well":               "v2=abcd, " + pagerdutytest.Sign(pagerdutytest.Secret, body),
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			code, _ := deliver(d, http.MethodPost, signature, body)
			if code != http.StatusAccepted || len(d.heard) != 1 || d.heard[0] != "12 by pagerduty PLH1HKV at 10:00:00" {
				t.Errorf("%d, %q", code, d.heard)
			}
		})
	}
}

func TestWhatIsNotSignedIsNotHeard(t *testing.T) {
	body := acknowledged(nil)
	for name, signature := range map[string]string{
		"nothing":                   "",
		"another secret":            pagerdutytest.Sign("another", body),
		"another body":              pagerdutytest.Sign(pagerdutytest.Secret, body+" "),
		"no secret at all":          pagerdutytest.Sign("", body),
		"the right one as another":  strings.Replace(pagerdutytest.Sign(pagerdutytest.Secret, body), "v1=", "v2=", 1),
		"half of it":                pagerdutytest.Sign(pagerdutytest.Secret, body)[:40],
		"what is no signature":      "v1=zz",
		"an empty one":              "v1=",
		"a list of nothing but end": ",,,",
	} {
		t.Run(name, func(t *testing.T) {
			d := &desk{}
			code, log := deliver(d, http.MethodPost, signature, body)
			if code != http.StatusUnauthorized || len(d.heard) != 0 || strings.Contains(log, pagerdutytest.Secret) {
				t.Errorf("%d, %q", code, d.heard)
			}
		})
	}
	forgotten := &pagerduty.Webhook{Secrets: []outbound.Secret{{}}, Cluster: "main", To: &desk{}, Log: slog.New(slog.DiscardHandler)}
	request, recorder := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)), httptest.NewRecorder()
	request.Header.Set("X-PagerDuty-Signature", pagerdutytest.Sign("", body))
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
			code, _ := deliver(d, http.MethodPost, pagerdutytest.Sign(pagerdutytest.Secret, body), body)
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
			if code, log := deliver(d, http.MethodPost, pagerdutytest.Sign(pagerdutytest.Secret, body), body); code != c.code || !strings.Contains(log, "watch=12") {
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
	if code, _ := deliver(&desk{}, http.MethodPost, pagerdutytest.Sign(pagerdutytest.Secret, long), long); code != http.StatusRequestEntityTooLarge {
		t.Errorf("300 KiB: %d", code)
	}
}

func TestAChannelMayHaveASecretOfAWebhook(t *testing.T) {
	o := options(t, "https://events.pagerduty.com")
	if secret, err := o.WebhookSecret(); !secret.IsZero() || err != nil {
		t.Errorf("without one: %v", err)
	}
	o.WebhookSecretEnv = "WEBHOOK_SECRET"
	if _, err := o.WebhookSecret(); err == nil {
		t.Error("a secret that is not there is none")
	}
	t.Setenv("WEBHOOK_SECRET", pagerdutytest.Secret)
	if secret, err := o.WebhookSecret(); secret.Reveal() != pagerdutytest.Secret || err != nil {
		t.Errorf("%v", err)
	}
}
