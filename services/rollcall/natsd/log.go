package natsd

import (
	"fmt"
	"log/slog"
	"sync"
)

// logger turns the server's log into slog. Its notices are for whoever runs a
// NATS server; whoever runs Rollcall hears of warnings and errors.
type logger struct {
	log  *slog.Logger
	mu   sync.Mutex
	last string
}

// fatal is the last fatal error, for the message of a failed start.
func (l *logger) fatal() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.last == "" {
		return "it did not answer in time"
	}
	return l.last
}

func (l *logger) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = fmt.Sprintf(format, v...)
}

func (l *logger) Noticef(format string, v ...any) {
	l.log.Debug("NATS server notice", "text", fmt.Sprintf(format, v...))
}

func (l *logger) Warnf(format string, v ...any) {
	l.log.Warn("NATS server warning", "text", fmt.Sprintf(format, v...))
}

func (l *logger) Errorf(format string, v ...any) {
	l.log.Error("NATS server error", "text", fmt.Sprintf(format, v...))
}

func (l *logger) Debugf(string, ...any) {}
func (l *logger) Tracef(string, ...any) {}
