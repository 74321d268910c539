package configs_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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
		`{"Total":{"sampleCount":10,"errorCount":11}}`:                               "cannot be",
		`{"metrics":{"http_reqs":{"count":1},"http_req_failed":{}}}`:                 "no passes",
		`{"Total":{"sampleCount":9}}`:                                                "no errorCount",
		`{"Total":{"sampleCount":0,"errorCount":0}}`:                                 "cannot be",
		`{"Total":{"sampleCount":9,"errorCount":0,"pct1ResTime":9,"pct2ResTime":8}}`: "cannot take",
		`{"Total":{"sampleCount":"many"}}`:                                           "no JSON summary",
	} {
		if _, err := configs.ReadLoadTest([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

const (
	k6    = `{"metrics":{"http_reqs":{"count":1000},"http_req_failed":{"passes":2},"http_req_duration":{"p(90)":120,"p(99)":240}}}`
	slow  = "\n[[rule]]\nkind = 'latency'\nhistogram = 'h_seconds'\ncompare_to = ['load-test']\n"
	named = "load_test = 'k6.json'\n"
)

func TestALoadTestIsReadIntoThePlan(t *testing.T) {
	plan := head + byVersion + tested + "compare_to = ['load-test', 'before']\n" + named + tail
	plans, problems := load(t, minimal, map[string]string{"team/a.toml": plan, "team/k6.json": k6})
	if len(problems) > 0 || len(plans) != 1 {
		t.Fatal(problems)
	}
	got := plans[0].Rules[0].LoadTest
	if got == nil || got.File != "k6.json" || got.Requests != 1000 || got.Errors != 2 || len(got.Slowest) != 2 {
		t.Errorf("read %+v", got)
	}
	const want = "against load-test and before:"
	const summary = "    load_test = k6.json: 1000 requests, 2 errors, p90 120 ms, p99 240 ms\n"
	if said := catalog().Explain(plans[0]); !strings.Contains(said, want) || !strings.Contains(said, summary) {
		t.Errorf("said\n%s", said)
	}
}

func TestALoadTestThatTellsNothingIsRefusedWhereItIsNamed(t *testing.T) {
	for name, test := range map[string]struct{ plan, file, want string }{
		"no file":           {byVersion + tested + "compare_to = ['load-test']\n" + named, "", "a.toml:12:13: rule \"error-rate\": load_test cannot be read: no such file or directory"},
		"a folder":          {byVersion + tested + "compare_to = ['load-test']\nload_test = '.'\n", "", "load_test cannot be read: it is no file"},
		"no name":           {byVersion + tested + "compare_to = ['load-test']\nload_test = ''\n", "", "load_test names no file"},
		"no summary":        {byVersion + tested + "compare_to = ['load-test']\n" + named, "{}", `a.toml:12:13: rule "error-rate": load_test: k6.json: it has neither "metrics" (k6) nor "Total"`},
		"too large":         {byVersion + tested + "compare_to = ['load-test']\n" + named, strings.Repeat(" ", 4<<20+1), "it is larger than 4 MiB"},
		"a plain limit":     {byVersion + rule + named, k6, "load_test: a plain limit compares nothing"},
		"an unknown limit":  {byVersion + slow + "max = '100ms'\n" + named, k6, "load_test: k6.json does not tell how many requests took longer than 100ms: it knows p90 (120 ms), p99 (240 ms)"},
		"an unknown slow":   {byVersion + slow + "quantile = 0.999\n" + named, k6, "load_test: k6.json does not tell p99.9: it knows p90 (120 ms), p99 (240 ms)"},
		"no quantile":       {byVersion + slow + named, `{"Total":{"sampleCount":9,"errorCount":0}}`, "load_test: k6.json does not tell p99: it knows no quantile"},
		"another sort":      {byVersion + "\n[[rule]]\nkind = 'feedback'\ncomplaints = 'c_total'\nper = 's_total'\ncompare_to = ['load-test']\n" + named, k6, "compare_to: load-test: a load test does not count complaints"},
		"no number as name": {byVersion + tested + "load_test = 1\n", k6, "load_test must be a string, not a whole number"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{"a.toml": head + test.plan + tail}
			if test.file != "" {
				files["k6.json"] = test.file
			}
			if _, problems := load(t, minimal, files); !problems.Failed() || !strings.Contains(problems.String(), test.want) {
				t.Errorf("said:\n%s\nwant %q", problems, test.want)
			}
		})
	}
}

func TestALoadTestThatNothingIsComparedWithIsWarnedAbout(t *testing.T) {
	for _, controls := range []string{"", "compare_to = ['before']\n"} {
		plans, problems := load(t, minimal, map[string]string{"a.toml": head + byVersion + tested + controls + named + tail, "k6.json": k6})
		if len(plans) != 1 || problems.Failed() || !strings.Contains(problems.String(), "load_test is of no use: nothing is compared with it; add \"load-test\" to compare_to") {
			t.Errorf("%d plans: %v", len(plans), problems)
		}
	}
}

func TestALatencyRuleTakesWhatIsSlowFromALoadTest(t *testing.T) {
	for _, more := range []string{"", "max = '150ms'\n", "quantile = 0.95\n"} {
		plans, problems := load(t, minimal, map[string]string{"a.toml": head + byVersion + slow + more + named + tail, "k6.json": k6})
		if len(plans) != 1 || len(problems) > 0 {
			t.Errorf("with %q: %v", more, problems)
		}
	}
}

func TestAChangedLoadTestIsNoticed(t *testing.T) {
	h := newHouse(t, map[string]string{"team/a.toml": head + byVersion + tested + "compare_to = ['load-test']\nload_test = '../../tests/k6.json'\n" + tail})
	requests := func(set configs.Set) float64 {
		if p, ok := set.Plan("checkout", "production"); ok && p.Rules[0].LoadTest != nil {
			return p.Rules[0].LoadTest.Requests
		}
		return 0
	}
	tests := filepath.Join(h.folder, "tests")
	write(t, tests, map[string]string{"k6.json": k6})
	h.load(nil)
	_, changes := watch(t, h, 50*time.Millisecond)
	change := func(text string, want float64) {
		t.Helper()
		write(t, tests, map[string]string{"k6.json": text})
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		for {
			select {
			case set := <-changes:
				if requests(set) == want {
					return
				}
			case <-ctx.Done():
				t.Fatalf("%v requests are never noticed", want)
			}
		}
	}
	change(strings.Replace(k6, "1000", "2000", 1), 2000)
	change("broken", 2000)
	change(strings.Replace(k6, "1000", "3000", 1), 3000)
}
