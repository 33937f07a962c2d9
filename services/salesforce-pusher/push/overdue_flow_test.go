package push_test

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestWhoIsForgottenIsLookedAt: nothing is left that would bring them back, and no
// check compares whoever is claimed or unsure.
func TestWhoIsForgottenIsLookedAt(t *testing.T) {
	t.Parallel()
	longAgo := time.Now().Add(-time.Hour)
	for name, forget := range map[string]func(*events.Link){
		"a dead worker's claim": func(l *events.Link) {
			l.Claim = &events.Claim{Worker: "gone", Revision: l.AppliedRevision, Until: longAgo}
		},
		"a look that never came": func(l *events.Link) { l.Unsure, l.UnsureUntil = true, longAgo },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			first := r.start(short)
			r.push(person(1))
			r.push(leaver(1))
			r.idle()
			first.stop()
			l := r.link("key0001")
			forget(&l)
			r.write(l)
			r.hand(r.org.UpdateUser(one, map[string]any{"IsActive": true})) // as a late call does
			r.start(short, checking(nil))
			r.polled("the leaver to be out", func() bool { return !r.user(one).IsActive })
			r.idle()
			if l := r.link("key0001"); l.Claim != nil || !l.UnsureUntil.IsZero() || l.AppliedHash == "" {
				t.Errorf("link %+v, want it settled", l)
			}
		})
	}
}

// TestWhoFailedIsNotReminded: they are parked, and wait for somebody to say again.
func TestWhoFailedIsNotReminded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.start(short)
	r.push(person(1))
	r.idle()
	first.stop()
	l := r.link("key0001")
	l.Unsure, l.UnsureUntil, l.Attempts, l.FailedRevision = true, time.Now().Add(-time.Hour), 1, l.AppliedRevision
	r.write(l)
	r.start(short, checking(nil))
	r.readings(2)
	r.idle()
	if l := r.link("key0001"); l.Attempts != 1 || l.UnsureUntil.IsZero() {
		t.Errorf("link %+v, want it as it was", l)
	}
}
