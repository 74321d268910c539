package exec

import (
	"strings"
	"sync"

	"github.com/bakewatch/bakewatch/integrations/outbound"
)

// outputLimit is how many bytes of output are kept: the last of a rollback's, the
// first of what live prints.
const outputLimit = 64 << 10

// head keeps the first bytes written.
type head struct {
	mu   sync.Mutex
	kept []byte
}

func (h *head) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.kept = append(h.kept, p[:min(len(p), outputLimit-len(h.kept))]...)
	return len(p), nil
}

func (h *head) String() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return string(h.kept)
}

// tail keeps the last bytes written.
type tail struct {
	mu   sync.Mutex
	kept []byte
	cut  bool // bytes before them are gone
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, p...)
	if len(t.kept) > 2*outputLimit {
		t.kept, t.cut = append(t.kept[:0], t.kept[len(t.kept)-outputLimit:]...), true
	}
	return len(p), nil
}

// lastLines returns the last five lines that say something, cut, on one line and
// without secrets.
func (t *tail) lastLines(redact outbound.Redactor) string {
	var lines []string
	for line := range strings.Lines(t.text(redact)) {
		if line = redact.Excerpt(line, 200); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines[max(0, len(lines)-5):], " | ")
}

// text returns what is kept without secrets, also where one was cut through.
func (t *tail) text(redact outbound.Redactor) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut {
		return redact.Rest(string(t.kept))
	}
	return redact.Text(string(t.kept))
}
