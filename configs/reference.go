package configs

import (
	"fmt"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

// Reference returns docs/plan-reference.md: every key of a plan and of the
// daemon's file, made from the structs that check them.
func Reference(c Catalog) string {
	r := &reference{}
	r.add("# Reference of the plan and of the daemon's file\n")
	r.add("Made from the code; `go test ./cmd/bakewatch -run Reference -update` writes it anew. A key that is not listed is an error.\n")
	r.add("## A plan\n")
	r.keys("", strict.Keys(&planFile{Settings: settings()}))
	r.add("### `[[rule]]`\n\nEvery rule has these keys, and those of its kind.\n")
	r.keys("", strict.Keys(&ruleFile{}))
	for _, kind := range c.Rules {
		r.add("#### `kind = %q`\n", kind.Name)
		r.keys("", strict.Keys(kind.New()))
	}
	r.notYet("kinds of rules", c.LaterRules)
	r.add("### `[[stage]]`\n\nA stage that is reached and not listed bakes as long as `bake` says.\n")
	r.keys("", strict.Keys(&rules.StageBake{}))
	r.add("### `[[rollback]]`\n")
	r.keys("", strict.Keys(ptr(rollbackDefaults())))
	r.add("### `[[authority]]`\n\nMatchers that are left out match everything.\n")
	r.keys("", strict.Keys(ptr(authorityDefaults())))
	r.daemon(c)
	return r.text.String()
}

func (r *reference) daemon(c Catalog) {
	r.add("## The daemon's file\n\nPaths are relative to the file. Secrets stand in files (`…_file`) or environment variables (`…_env`), never in place.\n")
	var keys []strict.Key
	for _, key := range strict.Keys(defaults("")) {
		if key.Name == "defaults" {
			key.Below = nil
		}
		keys = append(keys, key)
	}
	r.keys("", keys)
	r.add("### `[prometheus.NAME]`\n")
	r.keys("", strict.Keys(ptr(source())))
	if c.Login != nil {
		r.add("### `[http.oidc]`\n\nWhoever logs in there speaks for the person with that `oidc`. `external_url` must be set in `[http]`.\n")
		r.keys("", strict.Keys(c.Login()))
	}
	for _, kind := range c.Schedules {
		r.add("### `[schedule.%s]`\n\nNeeded where a group has `schedule = \"%s:ID\"`.\n", kind.Name, kind.Name)
		r.keys("", strict.Keys(kind.New()))
	}
	r.add("### `[calendar.NAME]`\n\nOf each key any of its values is enough, and all keys that are set must hold.\n")
	r.keys("", strict.Keys(ptr(calendarDefaults())))
	r.add("### `[[policy]]`\n\nAll that match hold. Matchers that are left out match everything.\n")
	r.keys("", strict.Keys(&rules.Policy{}))
	r.add("### `[preset.NAME]`\n")
	r.keys("", strict.Keys(&preset{}))
	for _, kind := range c.Executors {
		r.add("### `[executor.NAME]` with `use = %q`\n", kind.Name)
		r.keys("", strict.Keys(kind.New()))
		if kind.With != nil {
			r.add("In a plan's `with`:\n")
			r.keys("", strict.Keys(kind.With()))
		}
	}
	r.notYet("kinds of executors", c.LaterExecutors)
	if keys := strict.Keys(c.every()); len(keys) > 0 {
		r.add("### `[channel.NAME]`\n\nEvery channel has these keys, and those of its kind.\n")
		r.keys("", keys)
	}
	for _, kind := range c.Channels {
		r.add("### `[channel.NAME]` with `use = %q`\n", kind.Name)
		r.keys("", strict.Keys(kind.New()))
	}
	r.notYet("kinds of channels", c.LaterChannels)
}

type reference struct{ text strings.Builder }

func (r *reference) add(format string, args ...any) { fmt.Fprintf(&r.text, format+"\n", args...) }

// keys writes one table of keys; those of tables below follow their table's row.
func (r *reference) keys(prefix string, keys []strict.Key) {
	if prefix == "" {
		r.add("| key | takes | default | what |\n|---|---|---|---|")
	}
	for _, key := range keys {
		takes, standard := key.Takes, ""
		if key.Default != "" {
			standard = "`" + key.Default + "`"
		}
		if key.Later {
			takes = "*not yet supported*"
		}
		r.add("| `%s%s` | %s | %s | %s |", prefix, key.Name, cell(takes), cell(standard), cell(key.Doc))
		r.keys(prefix+key.Name+".", key.Below)
	}
	if prefix == "" {
		r.add("")
	}
}

func cell(text string) string { return strings.ReplaceAll(text, "|", `\|`) }

func (r *reference) notYet(what string, names []string) {
	if len(names) > 0 {
		r.add("Not yet supported %s: %s.\n", what, strings.Join(names, ", "))
	}
}
