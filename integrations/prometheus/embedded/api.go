package embedded

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

// prefix is where the API lives, so that it can stand beside other pages.
const prefix = "/prometheus/api/v1/"

// api answers the part of the Prometheus HTTP API that asks for data: query,
// query_range, series, labels and label values. The module's own web/api/v1 is
// compared with it in a test; it brings remote write, OTLP and OpenAPI, 20 MB in
// all, and so is not linked.
type api struct {
	store  storage.Queryable
	engine *promql.Engine
	parser parser.Parser
	log    *slog.Logger
	closed <-chan struct{}
}

// data is the useful part of a reply.
type data struct {
	value    any
	warnings annotations.Annotations
	query    string // for the positions in warnings
}

func newAPI(store storage.Queryable, engine *promql.Engine, log *slog.Logger, closed <-chan struct{}) http.Handler {
	a := &api{store: store, engine: engine, parser: parser.NewParser(parser.Options{}), log: log, closed: closed}
	mux := http.NewServeMux()
	for path, answer := range map[string]func(*http.Request) (data, error){
		"query": a.instant, "query_range": a.rangeOf, "series": a.series, "labels": a.labelNames,
	} {
		mux.Handle("GET "+prefix+path, a.reply(answer))
		mux.Handle("POST "+prefix+path, a.reply(answer))
	}
	mux.Handle("GET "+prefix+"label/{name}/values", a.reply(a.labelValues))
	return mux
}

// reply is the envelope of the Prometheus API.
type reply struct {
	Status    string   `json:"status"`
	Data      any      `json:"data,omitempty"`
	ErrorType string   `json:"errorType,omitempty"`
	Error     string   `json:"error,omitempty"`
	Warnings  []string `json:"warnings,omitempty"`
	Infos     []string `json:"infos,omitempty"`
}

func (a *api) reply(answer func(*http.Request) (data, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := a.whileOpen(r, answer)
		if err != nil {
			kind, code := classify(err)
			a.write(w, code, reply{Status: "error", ErrorType: kind, Error: err.Error()})
			return
		}
		warnings, infos := got.warnings.AsStrings(got.query, 10, 10)
		a.write(w, http.StatusOK, reply{Status: "success", Data: got.value, Warnings: warnings, Infos: infos})
	})
}

var errClosed = errors.New("the server is closed")

// whileOpen answers unless the server is closed. A store that is closed has nothing,
// or not everything, and does not say so: this is looked at before and afterwards.
func (a *api) whileOpen(r *http.Request, answer func(*http.Request) (data, error)) (got data, err error) {
	if !a.isClosed() {
		got, err = answer(r)
	}
	if a.isClosed() {
		return data{}, errClosed
	}
	return got, err
}

func (a *api) isClosed() bool {
	select {
	case <-a.closed:
		return true
	default:
		return false
	}
}

func (a *api) write(w http.ResponseWriter, code int, body reply) {
	text, err := json.Marshal(body)
	if err != nil {
		a.log.Error("a reply could not be written", "err", err)
		http.Error(w, "the reply could not be written", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_, _ = w.Write(text) // whoever asked is gone
}

// badData marks an error of whoever asked.
type badData struct{ error }

func invalid(parameter string, err error) error {
	return badData{fmt.Errorf("invalid parameter %q: %w", parameter, err)}
}

// classify gives the error type and status code that Prometheus documents.
func classify(err error) (kind string, code int) {
	var bad badData
	var canceled promql.ErrQueryCanceled
	var late promql.ErrQueryTimeout
	var broken promql.ErrStorage
	switch {
	case errors.Is(err, errClosed):
		return "unavailable", http.StatusServiceUnavailable
	case errors.As(err, &bad):
		return "bad_data", http.StatusBadRequest
	case errors.As(err, &late), errors.Is(err, context.DeadlineExceeded):
		return "timeout", http.StatusServiceUnavailable
	case errors.As(err, &canceled), errors.Is(err, context.Canceled):
		return "canceled", 499 // nginx's "client closed request"
	case errors.As(err, &broken):
		return "internal", http.StatusInternalServerError
	}
	return "execution", http.StatusUnprocessableEntity
}

// queryData is what the two query calls return.
type queryData struct {
	Type   parser.ValueType `json:"resultType"`
	Result parser.Value     `json:"result"`
}

// maxSteps is how many points a series of a range query may have, as in Prometheus.
const maxSteps = 11_000

func (a *api) instant(r *http.Request) (data, error) {
	at, err := instantOf(r, "time", time.Now())
	if err != nil {
		return data{}, err
	}
	return a.run(r, func(ctx context.Context, text string) (promql.Query, error) {
		return a.engine.NewInstantQuery(ctx, a.store, nil, text, at)
	})
}

func (a *api) rangeOf(r *http.Request) (data, error) {
	from, to, err := window(r, "start and end are needed")
	if err != nil {
		return data{}, err
	}
	step, err := durationOf(r, "step")
	if err != nil {
		return data{}, err
	}
	if step <= 0 {
		return data{}, invalid("step", errors.New("it must be above zero"))
	}
	if to.Sub(from)/step > maxSteps {
		return data{}, badData{fmt.Errorf("exceeded maximum resolution of %d points per series: take a longer step", maxSteps)}
	}
	return a.run(r, func(ctx context.Context, text string) (promql.Query, error) {
		return a.engine.NewRangeQuery(ctx, a.store, nil, text, from, to, step)
	})
}

func (a *api) run(r *http.Request, prepare func(context.Context, string) (promql.Query, error)) (data, error) {
	ctx, text := r.Context(), r.FormValue("query")
	limit, err := durationOf(r, "timeout")
	if err != nil {
		return data{}, err
	}
	if limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, limit)
		defer cancel()
	}
	query, err := prepare(ctx, text)
	if err != nil {
		return data{}, invalid("query", err)
	}
	defer query.Close()
	result := query.Exec(ctx)
	if result.Err != nil {
		return data{}, result.Err
	}
	// The points go back to the engine's pool with Close, so they are written before.
	value, err := json.Marshal(queryData{Type: result.Value.Type(), Result: result.Value})
	if err != nil {
		return data{}, fmt.Errorf("encode result: %w", err)
	}
	return data{value: json.RawMessage(value), warnings: result.Warnings, query: text}, nil
}
