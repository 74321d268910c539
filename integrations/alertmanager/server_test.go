package alertmanager_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	apiv2 "github.com/prometheus/alertmanager/api/v2"
	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/eventrecorder"
	"github.com/prometheus/alertmanager/provider/mem"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/model"
)

// server is Alertmanager's own API over its own store of alerts.
type server struct {
	t     *testing.T
	api   http.Handler
	store *mem.Alerts
}

func newServer(t *testing.T) *server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	store, err := mem.NewAlerts(context.Background(), time.Hour, 0, nil, log, eventrecorder.NopRecorder(), prometheus.NewRegistry(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	api, err := apiv2.NewAPI(store, nil, nil, nil, nil, log, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load("route: { receiver: team }\nreceivers: [{ name: team }]\n")
	if err != nil {
		t.Fatal(err)
	}
	api.Update(cfg, func(context.Context, model.LabelSet) {})
	return &server{t: t, api: api.Handler, store: store}
}

// post posts a body as it came and returns what the API answers.
func (s *server) post(r *http.Request, body []byte) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	again := r.Clone(context.Background())
	again.Body = http.NoBody
	request := httptest.NewRequest(r.Method, r.URL.String(), bytes.NewReader(body))
	request.Header = again.Header
	s.api.ServeHTTP(recorder, request)
	return recorder
}

// shown is an alert as the API and the pages show it.
type shown struct {
	Labels       map[string]string `json:"labels"`
	Annotations  map[string]string `json:"annotations"`
	StartsAt     time.Time         `json:"startsAt"`
	EndsAt       time.Time         `json:"endsAt"`
	GeneratorURL string            `json:"generatorURL"`
	Fingerprint  string            `json:"fingerprint"`
}

// firing asks the API for the alerts that fire now.
func (s *server) firing() (alerts []shown) {
	s.t.Helper()
	recorder := httptest.NewRecorder()
	s.api.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/api/v2/alerts", nil))
	if err := json.Unmarshal(recorder.Body.Bytes(), &alerts); err != nil || recorder.Code != http.StatusOK {
		s.t.Fatalf("%d %s: %v", recorder.Code, recorder.Body, err)
	}
	return alerts
}
