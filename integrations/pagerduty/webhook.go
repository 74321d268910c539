package pagerduty

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/watcher"
)

// Acknowledger hears that somebody is looking at a watch.
type Acknowledger interface {
	// Acknowledged is told who acknowledged the incident of a watch, and when. PagerDuty
	// delivers at least once and up to an hour late, so it may be told twice, or of a
	// question that is over while another one is open.
	Acknowledged(ctx context.Context, ack Acknowledgement) error
}

// WebhookPath is where PagerDuty posts: the URL of its generic webhook (v3) ends so.
const WebhookPath = "/api/v1/pagerduty/webhook"

// Webhook takes PagerDuty's v3 webhooks in: an incident of this Bakewatch that a person
// has acknowledged. It is an http.Handler for POST; everything that is not meant for it
// is answered well, since PagerDuty turns off a webhook that refuses.
type Webhook struct {
	Secrets []outbound.Secret // of the subscription; several while one is replaced
	Cluster string            // the name of this Bakewatch
	To      Acknowledger
	Log     *slog.Logger
	Now     func() time.Time // nil: time.Now
}

const (
	webhookLimit   = 256 << 10 // PagerDuty drops what is larger
	webhookTimeout = 4 * time.Second
	// freshness is how long ago an event may have happened: PagerDuty tries for some 20
	// minutes, and holds webhooks back while it does.
	freshness = time.Hour
)

// ServeHTTP verifies one delivery and hands its acknowledgement on.
func (h *Webhook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "only POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, webhookLimit))
	if err != nil {
		http.Error(w, "the body is too long or broke off", http.StatusRequestEntityTooLarge)
		return
	}
	if !h.signed(r.Header.Values("X-PagerDuty-Signature"), body) {
		h.Log.Warn("a PagerDuty webhook is not signed with the subscription's secret")
		http.Error(w, "the signature is not right", http.StatusUnauthorized)
		return
	}
	ack, why := h.read(body)
	if why != "" {
		answer(w, http.StatusAccepted, "nothing to do: "+why)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), webhookTimeout)
	defer cancel()
	h.hand(ctx, w, ack)
}

// hand hands the acknowledgement on. One that is refused will be refused again, and is
// answered well; after anything else PagerDuty is to try again.
func (h *Webhook) hand(ctx context.Context, w http.ResponseWriter, ack Acknowledgement) {
	log := h.Log.With("watch", ack.Watch, "by", ack.By.String())
	switch err := h.To.Acknowledged(ctx, ack); {
	case err == nil:
		log.Info("an acknowledgement came from PagerDuty")
		answer(w, http.StatusAccepted, "told")
	case errors.Is(err, watcher.ErrRefused), errors.Is(err, watcher.ErrNotFound):
		log.Warn("an acknowledgement from PagerDuty is not taken", "err", err)
		answer(w, http.StatusAccepted, "not taken")
	default:
		log.Error("an acknowledgement from PagerDuty could not be handed on; PagerDuty tries again", "err", err)
		http.Error(w, "try again", http.StatusServiceUnavailable)
	}
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintln(w, text) //nolint:errcheck // the caller may be gone
}

// signed says whether one of the signatures is that of one of the secrets.
func (h *Webhook) signed(headers []string, body []byte) bool {
	for _, secret := range h.Secrets {
		mac := hmac.New(sha256.New, []byte(secret.Reveal()))
		mac.Write(body)
		want := mac.Sum(nil)
		for signature := range strings.SplitSeq(strings.Join(headers, ","), ",") {
			hexed, v1 := strings.CutPrefix(strings.TrimSpace(signature), "v1=")
			if got, err := hex.DecodeString(hexed); v1 && err == nil && !secret.IsZero() && hmac.Equal(got, want) {
				return true
			}
		}
	}
	return false
}

// Acknowledgement is what a PagerDuty user has said of a watch.
type Acknowledgement struct {
	Watch string // its number
	By    authority.Proof
	At    time.Time // when they said it, by PagerDuty's clock
}

// delivery is as much of a v3 webhook as is needed.
type delivery struct {
	Event struct {
		Type  string    `json:"event_type"`
		At    time.Time `json:"occurred_at"`
		Agent *struct {
			ID   string `json:"id"`
			Type string `json:"type"`
		} `json:"agent"`
		Data struct {
			Type        string `json:"type"`
			IncidentKey string `json:"incident_key"`
		} `json:"data"`
	} `json:"event"`
}

// read returns the acknowledgement in a delivery, or why there is none.
func (h *Webhook) read(body []byte) (ack Acknowledgement, why string) {
	var d delivery
	if err := json.Unmarshal(body, &d); err != nil {
		return ack, "not the JSON of a v3 webhook"
	}
	key, ours := strings.CutPrefix(d.Event.Data.IncidentKey, prefix(h.Cluster))
	switch {
	case d.Event.Type != "incident.acknowledged" || d.Event.Data.Type != "incident":
		return ack, "not an incident that was acknowledged"
	case !ours:
		return ack, "not an incident of this Bakewatch"
	case d.Event.Agent == nil || d.Event.Agent.Type != "user_reference" || d.Event.Agent.ID == "":
		return ack, "not acknowledged by a person"
	case h.now().Sub(d.Event.At) > freshness:
		return ack, "too long ago"
	}
	if _, err := strconv.ParseUint(key, 10, 64); err != nil {
		return ack, "not the incident of a watch"
	}
	return Acknowledgement{key, authority.Proof{Way: authority.PagerDuty, Subject: d.Event.Agent.ID}, d.Event.At}, ""
}

func (h *Webhook) now() time.Time {
	if h.Now != nil {
		return h.Now()
	}
	return time.Now()
}
