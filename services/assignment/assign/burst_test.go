package assign

import "testing"

// A burst is looked for from before the one event of it that is known: leavers may be
// the last rows of an export.
func TestABurstIsLookedForFromItsBeginning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from uint64
		size int
		want uint64
	}{{5000, 100, 3800}, {12, 12, 1}, {1201, 100, 1}, {1202, 100, 2}} {
		if got := (&burst{from: c.from, size: c.size}).begin(); got != c.want {
			t.Errorf("of %d events, known by %d: from %d, want %d", c.size, c.from, got, c.want)
		}
	}
}
