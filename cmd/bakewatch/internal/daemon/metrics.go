package daemon

import (
	"errors"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"github.com/bakewatch/bakewatch/actions"
	"github.com/bakewatch/bakewatch/actions/authority"
	"github.com/bakewatch/bakewatch/watcher"
)

// metrics is what the daemon says of itself. It is a watcher.Observer.
type metrics struct {
	registry  *prometheus.Registry
	active    prometheus.Gauge
	plans     *prometheus.GaugeVec
	events    *prometheus.CounterVec
	requests  *prometheus.CounterVec
	entries   *prometheus.CounterVec
	watches   prometheus.Gauge
	closed    *prometheus.CounterVec
	decisions *prometheus.CounterVec
	detection prometheus.Histogram
	rollbacks *prometheus.CounterVec
	messages  *prometheus.CounterVec
	schedules *prometheus.GaugeVec
	ticks     prometheus.Histogram
	missed    prometheus.Counter
}

func newMetrics(version string) *metrics {
	r := prometheus.NewRegistry()
	r.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	f := promauto.With(r)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return f.NewCounterVec(prometheus.CounterOpts{Name: "bakewatch_" + name, Help: help}, labels)
	}
	gauge := func(name, help string) prometheus.Gauge {
		return f.NewGauge(prometheus.GaugeOpts{Name: "bakewatch_" + name, Help: help})
	}
	m := &metrics{
		registry:  r,
		active:    gauge("active", "1 while this replica holds the lease, 0 while it stands by."),
		watches:   gauge("watches", "Open watches."),
		plans:     f.NewGaugeVec(prometheus.GaugeOpts{Name: "bakewatch_plans", Help: "Plans in force; stale: the last good version of a broken file."}, []string{"state"}),
		events:    counter("events_total", "Deployment events, by what became of them.", "result"),
		requests:  counter("requests_refused_total", "Votes and orders of which it is not proved whose they are.", "method"),
		entries:   counter("journal_entries_total", "Entries written to the journal.", "kind"),
		closed:    counter("watches_closed_total", "Watches that ended.", "outcome"),
		decisions: counter("decisions_total", "Decisions to roll back, by who made them.", "by"),
		rollbacks: counter("rollbacks_total", "Rollbacks that were tried, by how they ended.", "result"),
		messages:  counter("messages_total", "Messages to people.", "channel", "result"),
		schedules: f.NewGaugeVec(prometheus.GaugeOpts{Name: "bakewatch_schedule_failing", Help: "1 while it cannot be asked who is on call in the schedule, 0 while it can."}, []string{"schedule"}),
		missed:    f.NewCounter(prometheus.CounterOpts{Name: "bakewatch_ticks_missed_total", Help: "Looks that were due while the one before was still under way."}),
		ticks:     f.NewHistogram(prometheus.HistogramOpts{Name: "bakewatch_tick_duration_seconds", Help: "What a tick itself costs, without the waiting.", Buckets: prometheus.ExponentialBuckets(0.0001, 4, 8)}),
		detection: f.NewHistogram(prometheus.HistogramOpts{Name: "bakewatch_detection_seconds", Help: "From the deployment to the decision to roll back.", Buckets: prometheus.ExponentialBuckets(15, 2, 9)}),
	}
	f.NewGaugeVec(prometheus.GaugeOpts{Name: "bakewatch_build_info", Help: "1, with the version."}, []string{"version"}).WithLabelValues(version).Set(1)
	return m
}

// Appended implements watcher.Observer.
func (m *metrics) Appended(e watcher.Entry) {
	m.entries.WithLabelValues(string(e.Kind)).Inc()
	switch {
	case e.Decision != nil:
		m.decisions.WithLabelValues(e.Decision.By).Inc()
	case e.Done != nil:
		m.rollbacks.WithLabelValues(string(e.Done.Result)).Inc()
	case e.Outcome != "":
		m.closed.WithLabelValues(string(e.Outcome)).Inc()
	}
}

// Detected implements watcher.Observer.
func (m *metrics) Detected(after time.Duration) { m.detection.Observe(after.Seconds()) }

// Watching implements watcher.Observer.
func (m *metrics) Watching(open int) { m.watches.Set(float64(open)) }

// scheduled is told whether a schedule could be asked.
func (m *metrics) scheduled(schedule string, err error) {
	failing := 0.0
	if err != nil {
		failing = 1
	}
	m.schedules.WithLabelValues(schedule).Set(failing)
}

// Ticked implements watcher.Observer.
func (m *metrics) Ticked(took time.Duration, missed int) {
	m.ticks.Observe(took.Seconds())
	m.missed.Add(float64(missed))
}

func (m *metrics) received(err error) {
	var classed *actions.Error
	switch {
	case err == nil:
		m.events.WithLabelValues("accepted").Inc()
	case errors.Is(err, errNotTrusted):
		m.events.WithLabelValues("not-trusted").Inc()
	case errors.As(err, &classed) && classed.Class == actions.ClassPermanent:
		m.events.WithLabelValues("not-understood").Inc()
	default:
		m.events.WithLabelValues("to-be-retried").Inc()
	}
}

func (m *metrics) refused(method string) { m.requests.WithLabelValues(method).Inc() }

// unproved counts a vote that was refused because its proof speaks for nobody.
func (m *metrics) unproved(method string, err error) {
	if errors.Is(err, authority.ErrUnproved) {
		m.refused(method)
	}
}

// unsigned serves a service's callback, and counts it if that service has not signed it.
func (m *metrics) unsigned(method string, h http.Handler, w http.ResponseWriter, r *http.Request) {
	seen := &statusWriter{ResponseWriter: w}
	h.ServeHTTP(seen, r)
	if seen.status == http.StatusUnauthorized {
		m.refused(method)
	}
}

// statusWriter remembers what was answered.
type statusWriter struct {
	http.ResponseWriter
	status int // 0: none was named
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (m *metrics) told(channel string, err error) {
	result := "delivered"
	if err != nil {
		result = "failed"
	}
	m.messages.WithLabelValues(channel, result).Inc()
}
