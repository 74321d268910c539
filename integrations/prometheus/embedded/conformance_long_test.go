//go:build long

package embedded

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/prometheus/common/promslog"
	"github.com/prometheus/common/route"
	promconfig "github.com/prometheus/prometheus/config"
	"github.com/prometheus/prometheus/promql/parser"
	v1 "github.com/prometheus/prometheus/web/api/v1"
)

// original is the API of a whole Prometheus over the same store and engine.
func original(s *Server) http.Handler {
	api := v1.NewAPI(s.engine, s.db, nil, nil, nil,
		func(context.Context) v1.ScrapePoolsRetriever { return nil },
		func(context.Context) v1.TargetRetriever { return nil },
		func(context.Context) v1.AlertmanagerRetriever { return nil },
		func() promconfig.Config { return promconfig.DefaultConfig }, nil, v1.GlobalURLOptions{},
		func(f http.HandlerFunc) http.HandlerFunc { return f },
		nil, "", false, false, 0, promslog.NewNopLogger(),
		func(context.Context) v1.RulesRetriever { return nil },
		0, 0, 0, false, nil, nil, nil, nil, nil, nil, nil, nil, false, nil, false, false, false, false, 0,
		false, false, nil, nil, v1.OpenAPIOptions{}, parser.NewParser(parser.Options{}))
	router := route.New().WithPrefix("/prometheus/api/v1")
	api.Register(router)
	return router
}

func TestTheAPIAnswersAsTheOriginalDoes(t *testing.T) {
	s := seeded(t)
	theirs := original(s)
	for name, test := range requests() {
		t.Run(name, func(t *testing.T) {
			code, body := get(t, s, test.call, test.form)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, prefix+test.call+"?"+test.form.Encode(), nil)
			w := httptest.NewRecorder()
			theirs.ServeHTTP(w, r)
			if code != w.Code {
				t.Fatalf("%d, the original %d: %s", code, w.Code, w.Body)
			}
			if ours, original := withoutWording(t, body), withoutWording(t, w.Body.String()); !reflect.DeepEqual(ours, original) {
				t.Fatalf("ours  %v\ntheirs %v", ours, original)
			}
		})
	}
}

// withoutWording is a reply without the wording of its error, which is ours.
func withoutWording(t *testing.T, body string) map[string]any {
	t.Helper()
	var reply map[string]any
	if err := json.Unmarshal([]byte(body), &reply); err != nil {
		t.Fatalf("%v in %s", err, body)
	}
	delete(reply, "error")
	return reply
}
