package bus

import (
	"strings"
	"time"
)

// ScheduledFor returns when a stored schedule fires; false for a message that
// is none.
func (e Entry) ScheduledFor() (time.Time, bool) {
	v := e.Header[headerSchedule]
	if len(v) != 1 {
		return time.Time{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(v[0], "@at "))
	return at, err == nil
}
