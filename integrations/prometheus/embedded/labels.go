package embedded

import (
	"errors"
	"maps"
	"net/http"
	"slices"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/util/annotations"
)

var errTruncated = errors.New("results truncated due to limit")

func (a *api) series(r *http.Request) (data, error) {
	ask, err := a.metadataOf(r)
	if err != nil {
		return data{}, err
	}
	if len(ask.selectors) == 0 {
		return data{}, badData{errors.New("no match[] parameter provided")}
	}
	querier, err := ask.open()
	if err != nil {
		return data{}, err
	}
	defer func() { _ = querier.Close() }()
	hints := &storage.SelectHints{Start: ask.from.UnixMilli(), End: ask.to.UnixMilli(), Func: "series", Limit: ask.hint()}
	var sets []storage.SeriesSet
	for _, selector := range ask.selectors {
		sets = append(sets, querier.Select(r.Context(), true, hints, selector...))
	}
	merged := storage.NewMergeSeriesSet(sets, 0, storage.ChainedSeriesMerge)
	found := []labels.Labels{}
	for merged.Next() && (ask.limit == 0 || len(found) <= ask.limit) {
		found = append(found, merged.At().Labels().Copy())
	}
	if err := merged.Err(); err != nil {
		return data{}, err
	}
	return truncated(found, ask.limit, merged.Warnings()), nil
}

func (a *api) labelNames(r *http.Request) (data, error) {
	return a.words(r, func(q storage.Querier, hints *storage.LabelHints, selector []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelNames(r.Context(), hints, selector...)
	})
}

func (a *api) labelValues(r *http.Request) (data, error) {
	name := r.PathValue("name")
	return a.words(r, func(q storage.Querier, hints *storage.LabelHints, selector []*labels.Matcher) ([]string, annotations.Annotations, error) {
		return q.LabelValues(r.Context(), name, hints, selector...)
	})
}

// words collects names or values over all selectors, or over everything if there are none.
func (a *api) words(r *http.Request, ask func(storage.Querier, *storage.LabelHints, []*labels.Matcher) ([]string, annotations.Annotations, error)) (data, error) {
	about, err := a.metadataOf(r)
	if err != nil {
		return data{}, err
	}
	querier, err := about.open()
	if err != nil {
		return data{}, err
	}
	defer func() { _ = querier.Close() }()
	selectors := about.selectors
	if len(selectors) == 0 {
		selectors = [][]*labels.Matcher{nil}
	}
	found, warnings := map[string]bool{}, annotations.Annotations{}
	for _, selector := range selectors {
		words, warned, err := ask(querier, &storage.LabelHints{Limit: about.hint()}, selector)
		if err != nil {
			return data{}, err
		}
		warnings.Merge(warned)
		for _, word := range words {
			found[string([]byte(word))] = true // the querier's strings end with it
		}
	}
	return truncated(sorted(found), about.limit, warnings), nil
}

func sorted(words map[string]bool) []string {
	all := slices.AppendSeq([]string{}, maps.Keys(words)) // never nil, which would be written as null
	slices.Sort(all)
	return all
}
