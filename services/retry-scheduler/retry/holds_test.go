package retry

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// holding stores what is held of alba, and returns a target for each aspect.
func (r *rig) holding(aspects ...events.Aspect) []events.Target {
	r.Helper()
	held := events.Held{Org: org, Key: alba}
	for _, a := range aspects {
		held.Holds = append(held.Holds, events.HeldAspect{
			Hold: events.Hold{Aspect: a, Cause: events.CauseConfig, Wish: "wish of " + string(a), Since: epoch()}, Takes: []string{"something"},
		})
	}
	seq := r.commit(events.StreamRoster, bus.Write{Subject: events.HeldSubject(org, alba), Data: encode(r, held)})
	var out []events.Target
	for _, a := range aspects {
		out = append(out, events.Target{Org: org, Key: alba, Aspect: a, Seq: seq})
	}
	return out
}

// decided returns what assignment is told of alba.
func (r *rig) decided() events.Release {
	r.Helper()
	e, ok := r.roster(events.ReleaseSubject(org, alba))
	if !ok {
		return events.Release{}
	}
	got, err := events.Decode[events.Release](e.Data)
	if err != nil {
		r.Fatal(err)
	}
	return got
}

func TestADecisionIsInTheAuditLogAndPassedOn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	targets := r.holding(events.AspectActive, events.AspectAccess)
	r.ask(events.VerbRelease, events.OperatorRequest{ID: "r1", Reason: "they did leave", Urgent: true, Targets: targets[:1]})
	request := r.request()
	for range 2 { // it comes twice
		r.handle(r.svc.handleRequests, request)
	}
	r.ask(events.VerbReject, events.OperatorRequest{ID: "r2", Reason: "a typo", Targets: targets[1:]})
	r.handle(r.svc.handleRequests, r.request())

	log := r.auditLog()
	if got := log[events.VerbReleased]; len(got) != 1 || got[0].Target != targets[0] || got[0].By != "grete" || got[0].Note != "they did leave" {
		t.Errorf("released: %+v", got)
	}
	if got := log[events.VerbRejected]; len(got) != 1 || got[0].Target != targets[1] {
		t.Errorf("rejected: %+v", got)
	}
	got := r.decided()
	if len(got.Wishes) != 2 {
		t.Fatalf("assignment is told %+v", got)
	}
	for i, w := range got.Wishes {
		if w.Aspect != targets[i].Aspect || w.Wish != "wish of "+string(w.Aspect) || !w.Since.Equal(epoch()) || w.Reject != (i == 1) || w.Urgent != (i == 0) || w.By != "grete" {
			t.Errorf("assignment is told %+v", w)
		}
	}
}

func TestADecisionAboutAnotherHoldIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	old := r.holding(events.AspectActive, events.AspectAccess)
	r.holding(events.AspectActive)
	odd := events.Target{Org: "em*a", Key: alba, Aspect: events.AspectActive, Seq: 1}
	for id, request := range map[string]events.OperatorRequest{
		"it has changed since": {Reason: "r", Targets: old[:1]},
		"nothing is held":      {Reason: "r", Targets: old[1:]},
		"not a name":           {Reason: "r", Targets: []events.Target{odd}},
		"no reason":            {Targets: r.holding(events.AspectActive)},
	} {
		request.ID = id
		r.ask(events.VerbRelease, request)
		r.handle(r.svc.handleRequests, r.request())
		found := false
		for _, got := range r.auditLog()[events.VerbRefused] {
			found = found || got.Request == id && strings.HasPrefix(got.Note, "release: ")
		}
		if !found {
			t.Errorf("%s: it is not refused", id)
		}
	}
	if got := r.decided(); len(got.Wishes) > 0 {
		t.Errorf("assignment is told %+v", got)
	}
}

// TestADecisionSurvivesACrash: it dies before and after each of its writes, and
// comes again.
func TestADecisionSurvivesACrash(t *testing.T) {
	t.Parallel()
	for nth := 1; nth <= 2; nth++ {
		for _, after := range []bool{false, true} {
			r := newRig(t)
			targets := r.holding(events.AspectActive)
			r.ask(events.VerbRelease, events.OperatorRequest{ID: "r1", Reason: "they did leave", Targets: targets})
			request := r.request()
			c := &crashing{store: r.server.As(t, "retry-scheduler"), left: nth, after: after}
			later := postponed{}
			if err := r.service(c, telemetry.Discard()).handleRequests(t.Context(), request, later); err != nil || len(later) != 1 || !c.died {
				t.Fatalf("write %d: %v, %d put back", nth, err, len(later))
			}
			r.handle(r.svc.handleRequests, request)
			if got := r.auditLog()[events.VerbReleased]; len(got) != 1 {
				t.Errorf("write %d, after %v: audit log has %+v", nth, after, got)
			}
			if got := r.decided(); len(got.Wishes) != 1 {
				t.Errorf("write %d, after %v: assignment is told %+v", nth, after, got)
			}
		}
	}
}
