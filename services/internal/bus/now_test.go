package bus

import (
	"testing"
	"time"
)

// TestOurClocksAgree: a clock that was set, or that stood still with the machine,
// makes the server's time be asked for again.
func TestOurClocksAgree(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		monotonic, wall time.Duration
		want            bool
	}{
		"both go on":            {30 * time.Second, 30*time.Second + 20*time.Millisecond, true},
		"set forward":           {30 * time.Second, 6 * time.Hour, false},
		"set back":              {30 * time.Second, -6 * time.Hour, false},
		"the machine suspended": {time.Second, 10 * time.Minute, false},
	} {
		if got := agree(c.monotonic, c.wall); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
