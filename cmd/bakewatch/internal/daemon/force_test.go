package daemon

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/bakewatch/bakewatch/configs"
	"github.com/bakewatch/bakewatch/rules"
)

func TestThePlansInForceAreLoggedWithWhatIsKnownOfTheirProblems(t *testing.T) {
	for name, c := range map[string]struct {
		set  configs.Set
		want []string
	}{
		"a problem without a place": {
			configs.Set{Problems: configs.Problems{{File: "a.toml", What: "is gone"}}},
			[]string{`level=ERROR msg="plan file" at=a.toml what="is gone"` + "\n", "level=WARN", "plans=0 stale=0 errors=1 warnings=0"},
		},
		"a warning with its place": {
			configs.Set{Plans: []rules.Plan{{}}, Problems: configs.Problems{{File: "a.toml", Line: 3, Column: 1, What: "odd", Warning: true}}},
			[]string{`level=WARN msg="plan file" at=a.toml:3:1 what=odd`, "level=INFO", "plans=1 stale=0 errors=0 warnings=1"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			d := &Daemon{metrics: newMetrics("test"), cfg: Config{Log: slog.New(slog.NewTextHandler(&log, nil))}}
			d.report(c.set)
			for _, want := range c.want {
				if !strings.Contains(log.String(), want) {
					t.Errorf("lacks %q:\n%s", want, &log)
				}
			}
		})
	}
}
