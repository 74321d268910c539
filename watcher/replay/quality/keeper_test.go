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

// keeper keeps the counts of each service in a file of its own, named after what was
// simulated, so that what is done of a long run need not be done again.
type keeper struct {
	folder string
	config quality.Config
}

func (k keeper) path(s quality.Service) string {
	name := []string{fmt.Sprintf("%d %s", k.config.Seed, s)}
	for _, c := range sim.Controls() {
		healthy, bad := k.config.Runs(s, c)
		name = append(name, fmt.Sprintf("%s=%d+%d", c, healthy, bad))
	}
	name = append(name, fmt.Sprintf("%s=%d.json", threeRules, k.config.Several(s)))
	return filepath.Join(k.folder, strings.NewReplacer("/", "_", " ", "_", ":", "_").Replace(strings.Join(name, " ")))
}

func (k keeper) read(s quality.Service) (r quality.Result, ok bool) {
	text, err := os.ReadFile(k.path(s))
	if err != nil {
		return nil, false
	}
	return r, json.Unmarshal(text, &r) == nil
}

func (k keeper) write(s quality.Service, r quality.Result) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	part := k.path(s) + ".part"
	return errors.Join(os.WriteFile(part, text, 0o644), os.Rename(part, k.path(s)))
}
