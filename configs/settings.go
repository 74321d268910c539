package configs

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/prometheus/common/model"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
)

const nameHint = "letters, digits and . _ / @ : + -, at most 128, the first a letter or digit"

var namePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/@:+-]{0,127}$`)

// validName says whether a service, environment or server may be called so.
func validName(name string) bool { return namePattern.MatchString(name) }

// checkSettings checks what [defaults] and a plan have in common.
func checkSettings(t strict.Table, s Settings) {
	positive(t, map[string]rules.Duration{
		"bake": s.Bake, "roll_out": s.RollOut, "interval": s.Interval, "window": s.Window, "blind_for": s.BlindFor,
	})
	if t.Has("tier") && (s.Tier < 1 || s.Tier > 4) {
		t.Fail("tier", fmt.Sprintf("tier must be 1 (most critical) to 4, not %d", s.Tier), "")
	}
	notEmpty(t, "environments")
	for i, environment := range s.Environments {
		key := fmt.Sprintf("environments.%d", i)
		if !validName(environment) {
			t.Fail(key, fmt.Sprintf("environments: %q is no name", strict.Shorten(environment)), nameHint)
		} else if slices.Index(s.Environments, environment) < i {
			t.Fail(key, fmt.Sprintf("environments: %q is named twice", environment), "")
		}
	}
	if s.Interval > 0 && s.Interval < rules.Duration(time.Second) {
		t.Fail("interval", "interval must be at least 1s", "")
	}
	checkSelect(t.Table("select"), s.Select)
}

// checkTimes checks the durations of a plan against each other.
func checkTimes(t strict.Table, s Settings) {
	for _, c := range []struct {
		wrong     bool
		key, what string
	}{
		{s.BakeMin > s.Bake, "bake_min", fmt.Sprintf("bake_min (%s) must not be longer than bake (%s)", s.BakeMin, s.Bake)},
		{s.WarmUp >= s.Bake, "warm_up", fmt.Sprintf("warm_up (%s) must be shorter than bake (%s), or no look would count", s.WarmUp, s.Bake)},
		{s.Interval > s.Window, "window", fmt.Sprintf("window (%s) must hold at least one interval (%s)", s.Window, s.Interval)},
		{s.Interval > s.Bake, "interval", fmt.Sprintf("interval (%s) must not be longer than bake (%s)", s.Interval, s.Bake)},
	} {
		if c.wrong {
			t.Fail(c.key, c.what, "")
		}
	}
}

func positive(t strict.Table, durations map[string]rules.Duration) {
	for _, key := range slices.Sorted(maps.Keys(durations)) {
		if durations[key] <= 0 {
			t.Fail(key, key+" must be longer than nothing", "")
		}
	}
}

// notEmpty refuses an empty list: it could mean all or none.
func notEmpty(t strict.Table, key string) {
	if list, is := t.Values()[key].([]any); is && len(list) == 0 {
		t.Fail(key, key+" is empty", "leave it out, or name what is meant")
	}
}

// checkSelect checks [select].
func checkSelect(t strict.Table, s rules.Select) {
	ways := 0
	for _, set := range []bool{s.Version != "", s.Join != nil, len(s.Slots) > 0} {
		if set {
			ways++
		}
	}
	if ways > 1 {
		t.Fail("", "select: version, join and slots exclude each other", "keep the one that tells versions apart")
	}
	checkMatch(t, "match", s.Match)
	if s.Version != "" {
		checkLabel(t, "version", s.Version)
	}
	if j := s.Join; j != nil {
		checkJoin(t, *j)
	}
	for slot, match := range s.Slots {
		if len(match) == 0 {
			t.Fail("slots."+slot, fmt.Sprintf("slots: %q has no matchers", slot), `such as blue = { instance = "10.0.0.1:9100" }`)
		}
		checkMatch(t, "slots."+slot, match)
	}
}

func checkJoin(t strict.Table, j rules.Join) {
	if j.Metric == "" || len(j.On) == 0 || j.Label == "" {
		t.Fail("join", "join needs metric, on and label", `such as { metric = "target_info", on = ["job", "instance"], label = "service_version" }`)
		return
	}
	if !model.LegacyValidation.IsValidMetricName(j.Metric) {
		t.Fail("join.metric", fmt.Sprintf("join.metric: %q is no metric name", strict.Shorten(j.Metric)), "")
	}
	checkLabel(t, "join.label", j.Label)
	for i, label := range j.On {
		checkLabel(t, fmt.Sprintf("join.on.%d", i), label)
	}
}

func checkLabel(t strict.Table, key, label string) {
	if !model.LegacyValidation.IsValidLabelName(label) {
		t.Fail(key, fmt.Sprintf("%s: %q is no label name", key, strict.Shorten(label)), "letters, digits and _; the first no digit")
	}
}

// placeholders are what may stand in a matcher's value.
var placeholders = []string{"service", "environment", "version", "previous", "flag", "cohort", "slot"}

var placeholder = regexp.MustCompile(`\$\$|\$([a-z_]{2,})`)

func checkMatch(t strict.Table, key string, match map[string]string) {
	for _, label := range slices.Sorted(maps.Keys(match)) {
		checkLabel(t, key+"."+label, label)
		for _, found := range placeholder.FindAllStringSubmatch(match[label], -1) {
			if found[1] != "" && !slices.Contains(placeholders, found[1]) {
				t.Fail(key+"."+label, fmt.Sprintf("%s.%s: unknown placeholder $%s", key, label, found[1]), strict.Guess(found[1], placeholders)+"; a dollar sign is $$")
			}
		}
	}
}
