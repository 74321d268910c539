package webhook_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/integrations/contract"
	"github.com/bakewatch/bakewatch/integrations/outbound"
	"github.com/bakewatch/bakewatch/integrations/webhook"
)

const (
	secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's example
	token  = "bearer-51f0c3aa7e"
	path   = "/hooks/T0001-5be1a2c3d4e5f607"
)

var secrets = []string{secret, strings.TrimPrefix(secret, "whsec_"), token, path}

func TestExecutor(t *testing.T) {
	contract.Executor(t, contract.ExecutorSuite{
		Kind: webhook.ExecutorKind(), Secrets: secrets, With: map[string]any{"parameters": map[string]any{"cluster": "eu-1"}},
		Start: func(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			web := contract.StartWeb(t, conduct, func(r *http.Request, body []byte) contract.Call {
				var order webhook.Order
				receive(t, r, body, &order)
				if order.Parameters["cluster"] != "eu-1" {
					t.Errorf("parameters: %v", order.Parameters)
				}
				return contract.Call{Key: order.Key, Subject: order.Subject}
			}, func(w http.ResponseWriter, _ contract.Call) { w.WriteHeader(http.StatusNoContent) })
			outside := web.Outside(conduct)
			outside.Options = executorOptions(t, web.URL)
			return outside, true
		},
	})
}

func TestChannel(t *testing.T) {
	contract.Channel(t, contract.ChannelSuite{
		Kind: webhook.ChannelKind(), Secrets: secrets,
		Start: func(t *testing.T, conduct contract.Conduct) (contract.Outside, bool) {
			web := contract.StartWeb(t, conduct, func(r *http.Request, body []byte) contract.Call {
				var posted webhook.Posted
				receive(t, r, body, &posted)
				return contract.Call{Key: posted.Key, Text: posted.Text()}
			}, func(w http.ResponseWriter, _ contract.Call) { w.WriteHeader(http.StatusOK) })
			options := webhook.ChannelKind().New().(*webhook.ChannelOptions)
			t.Setenv("WEBHOOK_URL", web.URL+path)
			t.Setenv("WEBHOOK_SECRET", secret)
			t.Setenv("WEBHOOK_TOKEN", token)
			options.URLEnv, options.SecretEnv, options.TokenEnv = "WEBHOOK_URL", "WEBHOOK_SECRET", "WEBHOOK_TOKEN"
			outside := web.Outside(conduct)
			outside.Options = options
			return outside, true
		},
	})
}

// executorOptions reach a server with every secret set.
func executorOptions(t *testing.T, base string) *webhook.ExecutorOptions {
	t.Helper()
	t.Setenv("WEBHOOK_URL", base+path)
	t.Setenv("WEBHOOK_SECRET", secret)
	t.Setenv("WEBHOOK_TOKEN", token)
	options := webhook.ExecutorKind().New().(*webhook.ExecutorOptions)
	options.URLEnv, options.SecretEnv, options.TokenEnv = "WEBHOOK_URL", "WEBHOOK_SECRET", "WEBHOOK_TOKEN"
	return options
}

// receive checks a request as a careful receiver would.
func receive(t *testing.T, r *http.Request, body []byte, into any) {
	if err := webhook.Verify(outbound.NewSecret(secret), r.Header, body); err != nil {
		t.Errorf("signature: %v", err)
	}
	if r.Method != http.MethodPost || r.URL.Path != path || r.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s of %s", r.Method, r.URL, r.Header.Get("Content-Type"))
	}
	if id := r.Header.Get("webhook-id"); id == "" || id != r.Header.Get("Idempotency-Key") {
		t.Errorf("webhook-id %q, Idempotency-Key %q", id, r.Header.Get("Idempotency-Key"))
	}
	if r.Header.Get("Authorization") != "Bearer "+token {
		t.Error("no bearer token")
	}
	if err := json.Unmarshal(body, into); err != nil {
		t.Errorf("%q: %v", body, err)
	}
}
