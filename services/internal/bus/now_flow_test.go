package bus_test

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// TestTheTimeMayBeAskedFor by every service, with its own permissions.
func TestTheTimeMayBeAskedFor(t *testing.T) {
	t.Parallel()
	server := bustest.Start(t, bus.Topology{Orgs: []string{"acme"}})
	for _, role := range []string{"assignment", "salesforce-pusher", "retry-scheduler"} {
		if _, err := server.As(t, role).Now(t.Context()); err != nil {
			t.Errorf("%s: %v", role, err)
		}
	}
	if _, err := server.As(t, "token-refresher").Bucket(events.BucketTokens).Now(t.Context()); err != nil {
		t.Errorf("token-refresher: %v", err)
	}
}

// TestNowIsTheServersTime: it is the time with which the server stamps what is stored
// right after, and before.
func TestNowIsTheServersTime(t *testing.T) {
	t.Parallel()
	b := bustest.Start(t, bus.Topology{Orgs: []string{"acme"}}).As(t, "salesforce-pusher")
	stored := func() time.Time {
		t.Helper()
		subject := events.HealthSubject("acme")
		if _, err := b.Commit(t.Context(), events.StreamRoster, []bus.Group{{{Subject: subject, Data: []byte("x")}}}); err != nil {
			t.Fatal(err)
		}
		got, err := b.Latest(t.Context(), events.StreamRoster, []string{subject})
		if err != nil {
			t.Fatal(err)
		}
		return got[subject].Time
	}
	const off = time.Second // half of what a request may have taken, on a busy machine
	before := stored()
	for range 2 { // asked for, then known
		now, err := b.Now(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		after := stored()
		if now.Before(before.Add(-off)) || now.After(after.Add(off)) {
			t.Errorf("now is %s, between messages of %s and %s", now, before, after)
		}
	}
}
