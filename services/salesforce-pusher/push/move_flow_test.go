package push_test

import (
	"net/http/httptest"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// TestAnOrgThatMoved has an org go to another address, its old one saying whatever
// old hosts say, and wants it said that the org is not reached, in words on which
// token-refresher fetches a token; with that, everything goes on at once.
func TestAnOrgThatMoved(t *testing.T) {
	t.Parallel()
	for name, old := range map[string]emulator.Move{
		"page": {Old: emulator.LeftPage}, "page 404": {Old: emulator.LeftPage, Status: 404}, "page 503": {Old: emulator.LeftPage, Status: 503},
		"redirect": {Old: emulator.LeftRedirect}, "closed": {Old: emulator.LeftClosed}, "silent": {Old: emulator.LeftSilent},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.start(rarely, func(s *setup) { s.cfg.CallTimeout, s.cfg.ClaimTTL = time.Second, 4*time.Second })
			before, after := changed()
			r.awaitOutcomes(r.want(before...))
			there := httptest.NewServer(r.emu)
			t.Cleanup(there.Close)
			old.To = there.URL
			if err := r.org.Move(old); err != nil {
				t.Fatal(err)
			}
			revisions := r.want(after...)
			r.held(events.CauseUnavailable)
			r.mu.Lock()
			h := r.health
			r.mu.Unlock()
			switch h.Failure.Code {
			case salesforce.CodeNoAnswer, salesforce.CodeRedirect, salesforce.CodeNotSalesforce, salesforce.CodeUnreadable:
			default:
				t.Errorf("held by %+v", h.Failure)
			}
			if h.TokenGeneration != 1 {
				t.Errorf("held with the token of generation %d", h.TokenGeneration)
			}
			r.url = there.URL
			r.token(2)
			r.awaitOutcomes(revisions)
			r.nobodyFailed()
			r.steady()
			r.asAfter(after)
		})
	}
}
