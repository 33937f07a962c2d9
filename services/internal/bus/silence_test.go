package bus_test

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// A server that is gone without a word is noticed, and found again.
func TestSilentServerIsNotReady(t *testing.T) {
	t.Parallel()
	w := bustest.Start(t, topo).Wire(t)
	b, err := bus.Connect(t.Context(), bus.Options{URL: w.URL(), Ping: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.Ready(); err != nil {
		t.Fatal(err)
	}
	w.Silence(true)
	await(t, "unready while nobody answers", func() bool { return b.Ready() != nil })
	w.Silence(false)
	await(t, "ready again", func() bool { return b.Ready() == nil })
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not %s", what)
		}
	}
}
