package configs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bakewatch/bakewatch/configs/internal/strict"
	"github.com/bakewatch/bakewatch/rules"
	"github.com/bakewatch/bakewatch/rules/promql"
)

// foreign are the keys of rules that often name a metric of somebody else than the
// service: of kube-state-metrics, or of Prometheus itself.
var foreign = []string{"restarts", "targets"}

// kube begins the names of the metrics of kube-state-metrics.
const kube = "kube_"

// checkForeign warns of a metric that cannot carry what [select] adds: its rule
// would be without data for ever, and nobody would know before it is needed.
func (l *loader) checkForeign(t strict.Table, spec rules.Spec) {
	var options map[string]any
	if err := json.Unmarshal(spec.Options, &options); err != nil || spec.Selecting == rules.SelectNone {
		return
	}
	for _, key := range foreign {
		text, _ := options[key].(string)
		selector, err := promql.ParseSelector(text)
		if err != nil {
			continue
		}
		if lacks := l.lacks(selector); len(lacks) > 0 {
			t.Warn(key, fmt.Sprintf("%s does not carry what [select] adds (%s): the rule would find nothing", selector.Metric(), strings.Join(lacks, ", ")),
				`write select = "none" in the rule, and name its series in the selector; or name these labels there`)
		}
	}
}

// lacks returns what [select] adds that the metric surely does not carry. Labels of
// Prometheus' own up are those of targets, never those of an instrumentation.
func (l *loader) lacks(selector *promql.Selector) []string {
	added := l.plan.Select
	labels := slices.Sorted(maps.Keys(added.Match))
	switch metric := selector.Metric(); {
	case strings.HasPrefix(metric, kube):
		if added.Join != nil && !strings.HasPrefix(added.Join.Metric, kube) {
			return []string{"the join with " + added.Join.Metric}
		}
		for _, matchers := range added.Slots {
			labels = append(labels, slices.Sorted(maps.Keys(matchers))...)
		}
		labels = slices.Compact(slices.Sorted(slices.Values(labels)))
	case metric != "up" || added.Version == "" || added.Version != l.presets[l.file.Preset].Select.Version:
		return nil
	}
	if added.Version != "" {
		labels = append(labels, added.Version)
	}
	return slices.DeleteFunc(labels, func(label string) bool { return selector.Settles(label) || label == "namespace" })
}
