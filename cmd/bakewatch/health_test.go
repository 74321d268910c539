package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestHealth(t *testing.T) {
	ready := http.StatusServiceUnavailable
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "well") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(ready)
		fmt.Fprintln(w, "no Prometheus yet")
	})
	server := httptest.NewServer(mux)
	defer server.Close()

	t.Run("a daemon that is well gives 0", func(t *testing.T) {
		b := newBench(t)
		b.expect(0, "health", "--url", server.URL)
		b.says("well")
	})
	t.Run("well is not yet ready", func(t *testing.T) {
		b := newBench(t)
		b.expect(exitFailed, "health", "--ready", "--url", server.URL, "--output", "json")
		b.says(`"status": 503`, "no Prometheus yet")
	})
	t.Run("nobody there gives 1 and where to look", func(t *testing.T) {
		b := newBench(t)
		gone := httptest.NewServer(mux)
		gone.Close()
		b.expect(exitFailed, "health", "--url", gone.URL)
		b.advises("[http] listen")
	})
}
