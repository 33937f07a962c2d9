package push_test

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// claimed says whether groups are the claim of a person.
func claimed(groups []bus.Group, k events.Key) bool {
	return slices.ContainsFunc(groups, func(g bus.Group) bool {
		if len(g) != 1 || g[0].Subject != events.LinkSubject(orgName, k) {
			return false
		}
		l, err := events.Decode[events.Link](g[0].Data)
		return err == nil && l.Claim != nil
	})
}

// TestAClaimIsOneWorkersAlone: another worker claims a person between our look
// and our claim. Nothing is asked for them before that claim has ended, nor in
// the margin after its end, for clocks differ.
func TestAClaimIsOneWorkersAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	until := time.Now().Add(3 * time.Second).UTC()
	once := sync.OnceFunc(func() {
		r.other(events.LinkSubject(orgName, "key0001"), encode(t, events.Link{Org: orgName, Key: "key0001",
			Claim: &events.Claim{Worker: "another", Revision: 1, Until: until}}))
	})
	m := &meddling{beforeCommit: func(groups []bus.Group) {
		if claimed(groups, "key0001") {
			once()
		}
	}}
	r.start(func(s *setup) { s.roster = m.wrap })
	d := person(1)
	r.outcomesOrIdle(r.want(d))
	expect(t, r.outcome(d.Key), events.ResultApplied, "created", "assigned")
	margin := 2 * time.Second // of a claim of 20 seconds
	for _, e := range r.org.Journal(emulator.JournalFilter{}) {
		if e.Time.Before(until.Add(margin)) {
			t.Errorf("%s %s before the other worker's claim had ended, and a margin", e.Operation, until.Add(margin).Sub(e.Time))
		}
	}
	r.asWanted(d, "Sales_Base")
}

// TestACallEndsInsideItsClaim: no call may last into the margin at the end of
// the claim under which it is made, however long one call may take.
func TestACallEndsInsideItsClaim(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	d := person(1)
	// A claim and a call as long as each other, nearly: without a margin, a call
	// may last as long as it likes.
	cfg := func(s *setup) { s.cfg.ClaimTTL, s.cfg.CallTimeout = 20*time.Second, 19900*time.Millisecond }
	var calls atomic.Int32
	r.start(cfg, gated(func(req *http.Request) error {
		calls.Add(1)
		end, bounded := req.Context().Deadline()
		claim := r.link(d.Key).Claim
		if !bounded || claim == nil {
			t.Errorf("%s: bounded %v, claim %+v", req.URL.Path, bounded, claim)
			return nil
		}
		if left := claim.Until.Sub(end); left < time.Second { // of 2, the rest is for a busy machine
			t.Errorf("%s: may last until %s before the end of its claim", req.URL.Path, left)
		}
		return nil
	}))
	expect(t, r.push(d), events.ResultApplied, "created", "assigned")
	if n := calls.Load(); n < 3 {
		t.Errorf("%d calls, want those for names, user and assignment at least", n)
	}
}
