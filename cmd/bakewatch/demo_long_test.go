//go:build long

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/bakewatch/bakewatch/cmd/bakewatch/internal/demo"
)

func TestTheDemoPrintsOneObjectThatSaysWhatThePersonDecided(t *testing.T) {
	for name, test := range map[string]struct {
		args  []string
		typed string
		asked bool
	}{
		"answered by itself, nobody needs to read the question": {args: []string{"--answer", "keep"}},
		"typed, the question is on stderr":                      {typed: "keep\n", asked: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithTimeout(t.Context(), 3*time.Minute)
			defer stop()
			var out, errs bytes.Buffer
			args := append([]string{"demo", "--once", "--ask", "--output", "json"}, test.args...)
			if code := run(ctx, args, strings.NewReader(test.typed), &out, &errs); code != 0 {
				t.Fatalf("exit %d\n%s%s", code, &out, &errs)
			}
			var report demo.Report
			if err := json.Unmarshal(out.Bytes(), &report); err != nil {
				t.Fatalf("%v\n%s", err, &out)
			}
			if last := report.Deployments[1]; last.Outcome != "kept" || last.Answer != "keep" {
				t.Errorf("%+v", last)
			}
			if strings.Contains(errs.String(), "ASKED: shop 1.2.0") != test.asked {
				t.Errorf("stderr is\n%s", &errs)
			}
		})
	}
}
