package quality_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/bakewatch/bakewatch/watcher/replay/quality"
	"github.com/bakewatch/bakewatch/watcher/replay/quality/sim"
)

// keeper keeps the counts of each part in a file of its own, named after what was
// simulated, so that what is done of a long run need not be done again.
type keeper struct {
	folder string
	config quality.Config
}

func (k keeper) path(p quality.Part) string {
	name := []string{fmt.Sprintf("%d %s", k.config.Seed, p.Service)}
	if p.Several {
		name = append(name, fmt.Sprintf("%s=%d", threeRules, k.config.Several(p.Service)))
	} else {
		for _, c := range sim.Controls() {
			healthy, bad := k.config.Runs(p.Service, c)
			name = append(name, fmt.Sprintf("%s=%d+%d", c, healthy, bad))
		}
	}
	file := strings.NewReplacer("/", "_", " ", "_", ":", "_").Replace(strings.Join(name, " "))
	return filepath.Join(k.folder, file+".json")
}

func (k keeper) read(p quality.Part) (r quality.Result, ok bool) {
	text, err := os.ReadFile(k.path(p))
	if err != nil {
		return nil, false
	}
	return r, json.Unmarshal(text, &r) == nil
}

func (k keeper) write(p quality.Part, r quality.Result) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	part := k.path(p) + ".part"
	return errors.Join(os.WriteFile(part, text, 0o644), os.Rename(part, k.path(p)))
}
