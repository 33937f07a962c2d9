package wire

import "time"

// timeLayout is the layout of every datetime in an answer. [R]
const timeLayout = "2006-01-02T15:04:05.000-0700"

// Instant is a datetime value: milliseconds since the epoch.
type Instant int64

// InstantOf cuts a time to milliseconds.
func InstantOf(t time.Time) Instant { return Instant(t.UnixMilli()) }

// Time is the instant in UTC.
func (i Instant) Time() time.Time { return time.UnixMilli(int64(i)).UTC() }

// String is the instant as answers write it.
func (i Instant) String() string { return i.Time().Format(timeLayout) }

// ParseInstant reads the ways in which clients write a date and time.
func ParseInstant(s string) (Instant, bool) {
	for _, layout := range [...]string{timeLayout, "2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05-0700", "2006-01-02T15:04:05.999Z0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return InstantOf(t), true
		}
	}
	return 0, false
}
