package bus

import (
	"errors"
	"log/slog"
	"regexp"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"
)

// denials says once per subject, and without keys, what NATS did not let us do.
// Without it a denied publish looks like a server that does not answer.
type denials struct {
	role string
	log  *slog.Logger

	mu   sync.Mutex
	said map[string]bool
}

// report says what was denied; false where err is about something else.
func (d *denials) report(err error) bool {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return false
	}
	may, subject := deniedOf(err.Error())
	d.mu.Lock()
	again := d.said[may+subject]
	if d.said == nil {
		d.said = map[string]bool{}
	}
	d.said[may+subject] = true
	d.mu.Unlock()
	if !again {
		d.log.Error("NATS permission denied: this role may not do it with this nkey; see docs/permissions.md",
			"role", d.role, "may_not", may, "subject", subject)
	}
	return true
}

// deniedOf takes apart: Permissions Violation for Publish to "subject".
func deniedOf(text string) (may, subject string) {
	may = "subscribe"
	if strings.Contains(strings.ToLower(text), "publish") {
		may = "publish"
	}
	quoted := strings.SplitN(text, `"`, 3)
	if len(quoted) < 3 {
		return may, text
	}
	return may, template(quoted[1])
}

// template replaces what differs from one person, event or request to the next.
func template(subject string) string {
	tokens := strings.Split(subject, ".")
	for i, t := range tokens {
		switch {
		case regexp.MustCompile(`^[a-z2-7]{26,}$`).MatchString(t):
			tokens[i] = "{key}"
		case regexp.MustCompile(`^[0-9A-Za-z]{22}$`).MatchString(t):
			tokens[i] = "{id}"
		case regexp.MustCompile(`^e?[0-9]+$`).MatchString(t):
			tokens[i] = "{n}"
		}
	}
	return strings.Join(tokens, ".")
}
