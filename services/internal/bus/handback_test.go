package bus_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// TestAClosedFeedHandsBack wants another worker to get what a stopping one has
// fetched and not begun, long before the ack wait has passed.
func TestAClosedFeedHandsBack(t *testing.T) {
	r := newRig(t)
	open := func() *bus.Feed {
		f, err := r.bus.Feed(r.ctx, events.StreamRoster, events.WorkConsumer("acme", events.LaneChange), 20)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	staying, leaving := open(), open()
	defer staying.Close()
	const all = 200
	var group bus.Group
	for i := range all {
		group = append(group, bus.Write{Subject: events.WorkSubject("acme", events.LaneChange, events.Key(fmt.Sprintf("k%d", i))), Data: []byte("w")})
	}
	r.commit(t, group)
	if _, err := leaving.Next(r.ctx, 1, 0); err != nil { // it has its share
		t.Fatal(err)
	}
	leaving.Close()
	ctx, cancel := context.WithTimeout(r.ctx, 10*time.Second)
	defer cancel()
	seen := map[string]bool{}
	for len(seen) < all-1 { // one is in the leaver's hands
		msgs, err := staying.Next(ctx, all, 0)
		if err != nil {
			t.Fatalf("%d of %d messages came: %v", len(seen), all-1, err)
		}
		for _, m := range msgs {
			seen[m.Subject] = true
			_ = m.Ack()
		}
	}
}

// TestWhatWasInHandComesAgainWhenTheServerIsBack kills the server under a
// message in hand, and wants it again long before the ack wait has passed.
func TestWhatWasInHandComesAgainWhenTheServerIsBack(t *testing.T) {
	r := newRig(t)
	f, err := r.bus.Feed(r.ctx, events.StreamRoster, events.WorkConsumer("acme", events.LaneChange), 20)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r.commit(t, bus.Group{{Subject: events.WorkSubject("acme", events.LaneChange, "k"), Data: []byte("w")}})
	if _, err := f.Next(r.ctx, 1, 0); err != nil {
		t.Fatal(err)
	}
	r.srv.Kill()
	r.srv.Restart(t)
	ctx, cancel := context.WithTimeout(r.ctx, 15*time.Second)
	defer cancel()
	msgs, err := f.Next(ctx, 1, 0)
	if err != nil {
		t.Fatalf("it did not come again: %v", err)
	}
	if err := msgs[0].Ack(); err != nil {
		t.Error(err)
	}
}
