package configs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
)

func TestSummariesOfLoadTestsAreRead(t *testing.T) {
	for name, want := range map[string]struct{ requests, errors, p99 float64 }{
		"k6.json": {180000, 180, 0.24}, "k6-export.json": {180000, 180, 0}, "jmeter.json": {1000, 3, 0.25},
	} {
		text, err := os.ReadFile(filepath.Join("testdata", "loadtest", name))
		if err != nil {
			t.Fatal(err)
		}
		s, err := configs.ReadLoadTest(text)
		if err != nil || s.Requests != want.requests || s.Errors != want.errors {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		p99, known := s.At(0.99)
		if p99 != want.p99 || known != (want.p99 > 0) {
			t.Errorf("%s: p99 is %v, known: %v", name, p99, known)
		}
		if share, ok := s.Slower(0.1); !ok || share < 0.0499 || share > 0.0501 {
			t.Errorf("%s: %v are slower than 100 ms, known: %v", name, share, ok)
		}
		if _, ok := s.Slower(0.001); ok {
			t.Errorf("%s: how many are slower than 1 ms is not known", name)
		}
	}
}

func TestWhatIsNoSummaryOfALoadTestIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"":                             "no JSON",
		"{}":                           "neither",
		`{"metrics":{}}`:               "no http_reqs",
		`{"metrics":{"http_reqs":[]}}`: "http_reqs",
		`{"Total":{"sampleCount":10,"errorCount":11}}`:                "cannot be",
		`{"Total":{"sampleCount":0}}`:                                 "cannot be",
		`{"Total":{"sampleCount":9,"pct1ResTime":9,"pct2ResTime":8}}`: "cannot take",
		`{"Total":{"sampleCount":"many"}}`:                            "no JSON summary",
	} {
		if _, err := configs.ReadLoadTest([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}
