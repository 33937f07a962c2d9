package doctor

import (
	"fmt"
	"strings"
	"time"
)

// Level says how bad a finding is.
type Level string

// The levels. Skipped: it could not be looked at, and the finding says why.
const (
	OK      Level = "ok"
	Skipped Level = "skipped"
	Warn    Level = "warn"
	Fail    Level = "fail"
)

func (l Level) weight() int {
	switch l {
	case Warn:
		return 1
	case Fail:
		return 2
	case OK, Skipped:
	}
	return 0
}

// Finding is what one check found.
type Finding struct {
	// Check is its name, as in Checks.
	Check string `json:"check"`
	// Org is the org it is about, empty for NATS and the configuration.
	Org   string `json:"org,omitempty"`
	Level Level  `json:"level"`
	// Message says what is so and what that means.
	Message string `json:"message"`
	// Advice says what to do.
	Advice string `json:"advice,omitempty"`
}

// Report is everything that was found.
type Report struct {
	At time.Time `json:"at"`
	// Worst is the worst level of all findings: ok, warn or fail.
	Worst    Level     `json:"worst"`
	Findings []Finding `json:"findings"`
}

func newReport(at time.Time, findings []Finding) Report {
	r := Report{At: at.UTC(), Worst: OK, Findings: findings}
	for _, f := range findings {
		if f.Level.weight() > r.Worst.weight() {
			r.Worst = f.Level
		}
	}
	return r
}

// verdict is a finding without its place.
type verdict struct {
	level           Level
	message, advice string
}

func ok(format string, args ...any) []verdict {
	return []verdict{{level: OK, message: fmt.Sprintf(format, args...)}}
}

func skipped(format string, args ...any) []verdict {
	return []verdict{{level: Skipped, message: fmt.Sprintf(format, args...)}}
}

func warn(advice, format string, args ...any) []verdict {
	return []verdict{{level: Warn, message: fmt.Sprintf(format, args...), advice: advice}}
}

func fail(advice, format string, args ...any) []verdict {
	return []verdict{{level: Fail, message: fmt.Sprintf(format, args...), advice: advice}}
}

// removed stands where a secret stood.
const removed = "[removed]"

// minSecret is the shortest text that is cut out: a shorter one is no secret.
const minSecret = 6

// redact cuts secrets out of a text: nothing keeps a server from echoing them.
func redact(text string, secrets []string) string {
	for _, s := range secrets {
		if len(s) >= minSecret {
			text = strings.ReplaceAll(text, s, removed)
		}
	}
	return text
}
