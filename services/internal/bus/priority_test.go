package bus

import (
	"runtime"
	"testing"
	"time"
)

// TestJoiningFeedsNeverWaits lets a feed signal a message in the middle of the
// join, as its pump may: the join must neither hang nor lose the wake-up.
func TestJoiningFeedsNeverWaits(t *testing.T) {
	t.Parallel()
	first, second := &Feed{ch: make(chan *Message, 1)}, &Feed{ch: make(chan *Message, 1)}
	second.mu.Lock() // holds the join between the two
	joined := make(chan *Priority, 1)
	go func() { joined <- NewPriority(first, second) }()
	for !listened(first) {
		runtime.Gosched()
	}
	first.signal()
	second.mu.Unlock()
	select {
	case p := <-joined:
		if len(p.wake) != 1 {
			t.Error("nobody is woken")
		}
	case <-time.After(5 * time.Second):
		t.Fatal("joining feeds hangs when a message arrives meanwhile")
	}
}

func listened(f *Feed) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.wake != nil
}
