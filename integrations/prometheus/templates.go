package prometheus

import (
	"sync"

	"github.com/bakewatch/bakewatch/rules/promql"
)

// templates keeps parsed templates: every look asks the same ones with other values.
type templates struct {
	mu     sync.Mutex
	parsed map[string]*promql.Template
}

// maxTemplates bounds the memory; beyond it all are forgotten and parsed anew.
const maxTemplates = 20_000

func (t *templates) bind(template string, values map[string]string) (string, error) {
	parsed, err := t.parse(template)
	if err != nil {
		return "", err
	}
	return parsed.Bind(values)
}

func (t *templates) parse(template string) (*promql.Template, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if parsed, ok := t.parsed[template]; ok {
		return parsed, nil
	}
	parsed, err := promql.Parse(template)
	if err != nil {
		return nil, err
	}
	if t.parsed == nil || len(t.parsed) >= maxTemplates {
		t.parsed = map[string]*promql.Template{}
	}
	t.parsed[template] = parsed
	return parsed, nil
}
