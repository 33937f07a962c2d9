package tokens

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

const (
	emea   = "emea"
	canary = "canary-token-41aa"
	limit  = 20 * time.Second
)

var _ salesforce.Sessions = (*Reader)(nil)

// rig is what one test has to itself: a bucket, a key, a running reader.
type rig struct {
	testing.TB
	bus    *bus.Bus
	sealer *seal.Sealer
	reader *Reader
	rev    uint64
}

func newSealer(t testing.TB) *seal.Sealer {
	t.Helper()
	s, err := seal.Create(filepath.Join(t.TempDir(), "keys.json"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, bus: bustest.Start(t, bus.Topology{Orgs: []string{emea}}).Bus(t), sealer: newSealer(t)}
	r.reader = NewReader(r.bus, r.sealer, emea)
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	end := make(chan error, 1)
	go func() { end <- r.reader.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-end; err != nil {
			t.Errorf("run: %v", err)
		}
	})
	return r
}

// store writes the record, with a token sealed for org.
func (r *rig) store(state events.TokenState, generation uint64, org string) {
	r.Helper()
	sealed, err := r.sealer.Seal(org, events.Token{AccessToken: canary, InstanceURL: "https://example.my.salesforce.com", OrgID: "00D000000000001"})
	if err != nil {
		r.Fatal(err)
	}
	data, err := events.Encode(events.TokenRecord{
		Org: emea, State: state, Generation: generation, Sealed: sealed, Advice: "take the current secret",
		Failure: &events.Failure{Cause: events.CauseCredentials, Message: "invalid client credentials"},
	})
	if err != nil {
		r.Fatal(err)
	}
	if r.rev, err = r.bus.Bucket(events.BucketTokens).Set(r.Context(), emea, data, r.rev); err != nil {
		r.Fatal(err)
	}
}

// until waits until the reader has seen a generation.
func (r *rig) until(generation uint64) {
	r.Helper()
	deadline := time.After(limit)
	for {
		changed := r.reader.Changed()
		if rec, ok := r.reader.Current(); ok && rec.Generation >= generation {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			r.Fatalf("generation %d did not come", generation)
		}
	}
}

func TestSessionWaitsForTheFirstToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, ok := r.reader.Current(); ok {
		t.Fatal("there is a record before there is one")
	}
	got := make(chan salesforce.Session, 1)
	go func() {
		s, err := r.reader.Session(t.Context())
		if err != nil {
			t.Error(err)
		}
		got <- s
	}()
	r.store(events.TokenRefreshing, 0, emea)
	r.store(events.TokenConnected, 1, emea)
	select {
	case s := <-got:
		if s.AccessToken != canary || s.Generation != 1 || s.OrgID == "" || s.InstanceURL == "" {
			t.Fatalf("session %v of generation %d", s, s.Generation)
		}
	case <-time.After(limit):
		t.Fatal("no session")
	}
}

func TestRenewWaitsForANewerToken(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(events.TokenConnected, 1, emea)
	r.until(1)
	old, err := r.reader.Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.reader.renewWait = 20 * time.Millisecond
	if _, err := r.reader.Renew(t.Context(), old); !errors.Is(err, ErrNoNewer) {
		t.Fatalf("got %v, want ErrNoNewer", err)
	}
	r.store(events.TokenConnected, 2, emea)
	r.until(2)
	if s, err := r.reader.Renew(t.Context(), old); err != nil || s.Generation != 2 {
		t.Fatalf("generation %d, %v", s.Generation, err)
	}
}

func TestHeldOrgIsToldAtOnceWithWhatToDo(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(events.TokenHeld, 1, emea)
	r.until(1)
	_, err := r.reader.Session(t.Context())
	var held *Held
	if !errors.As(err, &held) || held.Org != emea || !strings.Contains(err.Error(), "take the current secret") {
		t.Fatalf("got %v", err)
	}
}

func TestTokenOfAnotherOrgIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.store(events.TokenConnected, 1, "apac")
	r.until(1)
	_, err := r.reader.Session(t.Context())
	if !errors.Is(err, seal.ErrNotOurs) || strings.Contains(err.Error(), canary) {
		t.Fatalf("got %v", err)
	}
}
