package web

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	toolkit "github.com/prometheus/exporter-toolkit/web"
)

// Config says what to serve, and where.
type Config struct {
	Listen string // host:port; port 0 takes a free one
	// WebConfigFile turns on TLS and basic auth, as exporter-toolkit reads it; empty: neither.
	WebConfigFile string
	Metrics       *prometheus.Registry
	// Ready says why events are not taken in now; nil: they are. A standby is ready to take over.
	Ready func() error
	// Reload reads the daemon's file and the plans again; its error says what is wrong with them.
	Reload func(context.Context) error
	Mounts Mounts
	// Patience is how long a whole request may take to arrive, and its handler until its
	// context ends; default: a minute.
	Patience time.Duration
	Log      *slog.Logger
}

// Server is the HTTP server, listening.
type Server struct {
	cfg      Config
	listener net.Listener
	http     *http.Server
}

// New listens. A port that is taken is an error now, not later.
func New(ctx context.Context, cfg Config) (*Server, error) {
	if cfg.WebConfigFile != "" {
		if err := toolkit.Validate(cfg.WebConfigFile); err != nil {
			return nil, fmt.Errorf("web config file: %w", err)
		}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listen for HTTP: %w", err)
	}
	s := &Server{cfg: cfg}
	mux := s.handler()
	// Strangers may send to what is open, and must not hold it open by sending slowly.
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: cmp.Or(cfg.Patience, time.Minute), IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
	s.listener = &gate{Listener: listener, open: func() { s.http.Handler = cfg.Mounts.before(mux, s.http.Handler) }}
	return s, nil
}

// Addr returns host:port as it is listened to.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// Run serves until ctx ends, then lets requests under way end for at most five seconds.
func (s *Server) Run(ctx context.Context) error {
	stopped := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(stopped)
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if s.http.Shutdown(ending) != nil {
			_ = s.http.Close()
		}
	})
	flags := &toolkit.FlagConfig{WebConfigFile: &s.cfg.WebConfigFile}
	if err := toolkit.Serve(s.listener, s.http, flags, s.cfg.Log); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve HTTP: %w", err)
	}
	<-stopped
	return nil
}

func (s *Server) handler() *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(s.cfg.Metrics, promhttp.HandlerOpts{Registry: s.cfg.Metrics}))
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { say(w, http.StatusOK, "healthy") })
	mux.HandleFunc("GET /-/ready", s.ready)
	mux.HandleFunc("POST /-/reload", s.reload)
	mux.HandleFunc("PUT /-/reload", s.reload)
	for _, mounted := range []map[string]http.Handler{s.cfg.Mounts.Guarded, s.cfg.Mounts.Open} {
		for pattern, h := range mounted {
			mux.Handle(pattern, h)
		}
	}
	return mux
}

func (s *Server) ready(w http.ResponseWriter, _ *http.Request) {
	if err := s.cfg.Ready(); err != nil {
		say(w, http.StatusServiceUnavailable, "not ready: "+err.Error())
		return
	}
	say(w, http.StatusOK, "ready")
}

func (s *Server) reload(w http.ResponseWriter, r *http.Request) {
	if err := s.cfg.Reload(r.Context()); err != nil {
		say(w, http.StatusInternalServerError, err.Error())
		return
	}
	say(w, http.StatusOK, "reloaded")
}

func say(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = fmt.Fprintln(w, text)
}
