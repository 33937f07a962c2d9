package bus_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// Follow shows what is there, then every change, over a restart of the server,
// and nothing of other subjects.
func TestFollow(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	s := bustest.Start(t, bus.Topology{})
	b := s.Bus(t)
	set := func(subject, data string) {
		t.Helper()
		if _, err := b.Commit(ctx, events.StreamRoster, []bus.Group{{{Subject: subject, Data: []byte(data)}}}); err != nil {
			t.Fatal(err)
		}
	}
	set(events.HealthSubject("acme"), "1")
	seen := make(chan string, 10)
	go func() {
		_ = s.Bus(t).Follow(ctx, events.StreamRoster, []string{events.HealthSubject("acme"), events.HealthSubject("other")}, func(e bus.Entry) {
			seen <- fmt.Sprint(e.Subject, " ", string(e.Data), " ", e.Time.IsZero())
		})
	}()
	want := func(text string) {
		t.Helper()
		select {
		case got := <-seen:
			if got != text+" false" {
				t.Fatalf("saw %q, want %q", got, text)
			}
		case <-ctx.Done():
			t.Fatalf("never saw %q", text)
		}
	}
	want("rollcall.health.acme 1")
	set(events.HealthSubject("third"), "none of theirs")
	set(events.HealthSubject("other"), "2")
	want("rollcall.health.other 2")
	s.Kill()
	s.Restart(t)
	set(events.HealthSubject("acme"), "3")
	want("rollcall.health.acme 3")
}

// What the server refuses is said once, by role and subject, without a key.
func TestDeniedIsSaid(t *testing.T) {
	t.Parallel()
	g := startGuarded(t)
	var log syncBuffer
	b, err := bus.Connect(t.Context(), bus.Options{URL: g.url, Name: pusher, NkeySeedFile: g.seeds[pusher], Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for _, key := range []events.Key{"abcdefghijklmnopqrstuvwxyz234567", "zbcdefghijklmnopqrstuvwxyz234567"} {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		if _, err := b.Commit(ctx, events.StreamRoster, []bus.Group{{{Subject: events.DesiredSubject("acme", key)}}}); err == nil {
			t.Error("stored")
		}
		cancel()
	}
	b.Close()
	text := log.String()
	for _, want := range []string{"permission denied", "role=" + pusher, "may_not=publish", "subject=rollcall.desired.acme.{key}", "docs/permissions.md"} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%q is not said once in\n%s", want, text)
		}
	}
}

// The server does not check a schedule's target. What one put where only its
// writer may is not believed, whoever reads it.
func TestMisdirectedScheduleIsNotBelieved(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	b := bustest.Start(t, bus.Topology{Orgs: []string{"acme"}}).Bus(t)
	key := events.Key("abcdefghijklmnopqrstuvwxyz234567")
	aim := func(target string) {
		t.Helper()
		if _, err := b.Commit(ctx, events.StreamRoster, []bus.Group{{{
			Subject: events.RetrySubject("acme", key), Data: []byte("forged"), Schedule: &bus.Schedule{At: time.Now(), Target: target},
		}}}); err != nil {
			t.Fatal(err)
		}
	}
	fired := func(subject string) bus.Entry {
		t.Helper()
		for ctx.Err() == nil {
			got, err := b.Latest(ctx, events.StreamRoster, []string{subject})
			if err != nil {
				t.Fatal(err)
			}
			if e, ok := got[subject]; ok {
				return e
			}
		}
		t.Fatalf("nothing came to %s", subject)
		return bus.Entry{}
	}
	work, outcome := events.WorkSubject("acme", events.LaneChange, key), events.OutcomeSubject("acme", key)
	aim(work)
	if e := fired(work); string(e.Data) != "forged" {
		t.Errorf("work that a schedule put there is %+v", e)
	}
	aim(outcome)
	e := fired(outcome)
	if e.Data != nil {
		t.Errorf("a forged outcome is believed: %s", e.Data)
	}
	if at, err := b.At(ctx, events.StreamRoster, e.Seq); err != nil || at.Data != nil {
		t.Errorf("read by sequence it is believed: %s, %v", at.Data, err)
	}
	if err := b.Scan(ctx, events.StreamRoster, outcome, 1, func(e bus.Entry) error {
		if e.Data != nil {
			t.Errorf("read in a scan it is believed: %s", e.Data)
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	feed, err := b.Feed(ctx, events.StreamRoster, events.ConsumerOutcomes, 10)
	if err != nil {
		t.Fatal(err)
	}
	defer feed.Close()
	// A later message of another person comes after it, so it was passed over.
	genuine := events.OutcomeSubject("acme", "zbcdefghijklmnopqrstuvwxyz234567")
	if _, err := b.Commit(ctx, events.StreamRoster, []bus.Group{{{Subject: genuine, Data: []byte("true")}}}); err != nil {
		t.Fatal(err)
	}
	msgs, err := feed.Next(ctx, 1, 0)
	if err != nil || len(msgs) != 1 || string(msgs[0].Data) != "true" {
		t.Errorf("a reader saw %d messages, %v", len(msgs), err)
	}
}

// syncBuffer is a log that several goroutines write.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}
