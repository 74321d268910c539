package nats

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
)

// serverLog hands the embedded server's log to slog, quietly, and remembers the
// errors after which nothing can be written any more: the server reports a failed
// disk only here.
type serverLog struct {
	log *slog.Logger

	mu    sync.Mutex
	fatal error
}

// Errors after which the server goes on running but no longer keeps what it is given.
var diskTrouble = []string{"critical write error", "out of space", "will be disabled", "write permission"}

func (l *serverLog) Noticef(format string, args ...any) { l.log.Debug(said(format, args)) }
func (l *serverLog) Warnf(format string, args ...any)   { l.log.Warn(said(format, args)) }
func (l *serverLog) Debugf(string, ...any)              {}
func (l *serverLog) Tracef(string, ...any)              {}

func (l *serverLog) Fatalf(format string, args ...any) {
	text := said(format, args)
	l.log.Error(text)
	l.fail(text)
}

func (l *serverLog) Errorf(format string, args ...any) {
	text := said(format, args)
	l.log.Error(text)
	lower := strings.ToLower(text)
	for _, sign := range diskTrouble {
		if strings.Contains(lower, sign) {
			l.fail(text)
			return
		}
	}
}

func (l *serverLog) fail(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fatal == nil {
		l.fatal = errors.New("embedded NATS: " + text)
	}
}

// failed returns why the server cannot be relied on, or nil.
func (l *serverLog) failed() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

func said(format string, args []any) string {
	return strings.TrimSpace(fmt.Sprintf(format, args...))
}
