package promql

import "sync"

// Bind returns the template's PromQL with its placeholders replaced by values
// (see Template.Bind). The error is an *Error or a *rules.SampleError. It is safe
// for concurrent use, and parses a template only once.
func Bind(template string, values map[string]string) (string, error) {
	t, err := known.parse(template)
	if err != nil {
		return "", err
	}
	return t.Bind(values)
}

// known are the templates that were bound: every look of every watch binds the
// same few with other values, and parsing is what costs.
var known templates

type templates struct {
	mu     sync.Mutex
	parsed map[string]*Template
}

// maxTemplates bounds the memory; beyond it all are forgotten and parsed anew.
const maxTemplates = 20_000

func (t *templates) parse(template string) (*Template, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if parsed, ok := t.parsed[template]; ok {
		return parsed, nil
	}
	parsed, err := Parse(template)
	if err != nil {
		return nil, err
	}
	if t.parsed == nil || len(t.parsed) >= maxTemplates {
		t.parsed = map[string]*Template{}
	}
	t.parsed[template] = parsed
	return parsed, nil
}
