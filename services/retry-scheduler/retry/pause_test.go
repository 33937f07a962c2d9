package retry

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// asks asks for a pause, or its end, has it handled, and returns the messages.
func (r *rig) asks(verb events.Verb, id, reason string, s events.Scope, seen string) {
	r.Helper()
	r.ask(verb, events.OperatorRequest{ID: id, Reason: reason, Scope: &s, Pause: seen})
	r.handle(r.svc.handleRequests, r.request())
}

func (r *rig) paused() events.Pauses {
	r.Helper()
	e, ok := r.roster(events.PausesSubject())
	if !ok {
		return events.Pauses{}
	}
	p, err := events.Decode[events.Pauses](e.Data)
	if err != nil {
		r.Fatal(err)
	}
	return p
}

func TestAPauseSaysWhoAndWhyUntilItEnds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.svc.now = epoch
	lane, whole, source := events.Scope{Org: org, Lane: events.LaneChange}, events.Scope{Org: org}, events.Scope{Source: "hr"}
	r.asks(events.VerbPause, "p1", "release", lane, "")
	r.asks(events.VerbPause, "p2", "audit", whole, "")
	r.asks(events.VerbPause, "p3", "new export", source, "")
	is := r.paused()
	if p := is.Of(lane); p == nil || p.By != "grete" || p.Reason != "release" || !p.Since.Equal(epoch()) || p.Request != "p1" || len(is.Paused) != 3 {
		t.Fatalf("paused: %+v", is)
	}
	if !is.Org(org, events.LaneLeaver) || is.Org("quiet", events.LaneChange) || !is.Source("hr") || is.Source("directory") {
		t.Errorf("the wrong things are paused: %+v", is)
	}
	r.svc.now = func() time.Time { return epoch().Add(90 * time.Minute) }
	r.asks(events.VerbResume, "e1", "", whole, "p2")
	if is := r.paused(); is.Of(whole) != nil || is.Org(org, events.LaneLeaver) || !is.Org(org, events.LaneChange) {
		t.Errorf("a lane goes on being paused when its org is resumed, and no other: %+v", is)
	}
	log := r.auditLog()
	if len(log[events.VerbPaused]) != 3 || len(log[events.VerbResumed]) != 1 || log[events.VerbPaused][0].Note != "release" || *log[events.VerbPaused][0].Scope != lane ||
		log[events.VerbResumed][0].Note != "paused by grete for 1h30m0s: audit" {
		t.Errorf("audit log: %+v", log)
	}
}

func TestAPauseOfNothingIsRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for i, c := range []struct {
		verb   events.Verb
		scope  *events.Scope
		reason string
		says   string
	}{
		{events.VerbPause, &events.Scope{Org: "prod"}, "r", `there is no org "prod", only ` + org + `, quiet`},
		{events.VerbPause, &events.Scope{Source: "sap"}, "r", `there is no source "sap", only directory, hr`},
		{events.VerbPause, &events.Scope{Org: org, Lane: "urgent"}, "r", `there is no lane "urgent", only leaver, change`},
		{events.VerbPause, &events.Scope{Org: org}, " ", "does not say why"},
		{events.VerbPause, &events.Scope{Org: org, Source: "hr"}, "r", "names neither one org"},
		{events.VerbPause, &events.Scope{Lane: events.LaneChange, Source: "hr"}, "r", "names neither one org"},
		{events.VerbPause, nil, "r", "names neither one org"},
		{events.VerbResume, &events.Scope{Org: org}, "", "is not paused"},
	} {
		r.ask(c.verb, events.OperatorRequest{ID: fmt.Sprint("r", i), Reason: c.reason, Scope: c.scope})
		r.handle(r.svc.handleRequests, r.request())
		log := r.auditLog()[events.VerbRefused]
		if len(log) != i+1 || !strings.Contains(log[i].Note, c.says) || log[i].Request != fmt.Sprint("r", i) {
			t.Errorf("%+v: audit log has %+v, want %q", c.scope, log, c.says)
		}
	}
	if is := r.paused(); len(is.Paused) != 0 {
		t.Errorf("paused: %+v", is)
	}
}

func TestWhatIsPausedIsNotPausedTwice(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := events.Scope{Org: org}
	r.asks(events.VerbPause, "p1", "release", s, "")
	r.asks(events.VerbPause, "p2", "audit", s, "")
	if log := r.auditLog()[events.VerbRefused]; len(log) != 1 || !strings.Contains(log[0].Note, "by grete: release") {
		t.Errorf("audit log has %+v", log)
	}
	r.asks(events.VerbResume, "e1", "", s, "p2") // of which only p1 has been seen
	if log := r.auditLog()[events.VerbRefused]; len(log) != 2 || !strings.Contains(log[1].Note, "paused again since") {
		t.Errorf("audit log has %+v", log)
	}
	if is := r.paused(); is.Of(s) == nil || is.Of(s).Request != "p1" {
		t.Errorf("paused: %+v", is)
	}
}

// A request that is delivered again, long after, does not pause what has been
// resumed since, nor resume what has been paused since.
func TestAPauseDeliveredAgainChangesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	s := events.Scope{Source: "hr"}
	r.ask(events.VerbPause, events.OperatorRequest{ID: "p1", Reason: "release", Scope: &s})
	pause := r.request()
	r.handle(r.svc.handleRequests, pause)
	r.ask(events.VerbResume, events.OperatorRequest{ID: "e1", Scope: &s, Pause: "p1"})
	resume := r.request()
	r.handle(r.svc.handleRequests, resume)
	r.handle(r.svc.handleRequests, pause)
	if is := r.paused(); is.Source("hr") {
		t.Errorf("paused again: %+v", is)
	}
	r.asks(events.VerbPause, "p2", "another", s, "")
	r.handle(r.svc.handleRequests, resume)
	if is := r.paused(); !is.Source("hr") {
		t.Errorf("resumed again: %+v", is)
	}
	if log := r.auditLog(); len(log[events.VerbPaused]) != 2 || len(log[events.VerbResumed]) != 1 || len(log[events.VerbRefused]) != 0 {
		t.Errorf("audit log: %+v", log)
	}
}

// Two replicas handle two requests at once: neither loses the other's.
func TestTwoReplicasPauseAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	other := r.service(r.bus, telemetry.Discard())
	r.ask(events.VerbPause, events.OperatorRequest{ID: "p1", Reason: "release", Scope: &events.Scope{Org: org}})
	r.ask(events.VerbPause, events.OperatorRequest{ID: "p2", Reason: "release", Scope: &events.Scope{Source: "hr"}})
	one, two := r.request(), r.request()
	meet := &meddling{store: r.bus, stream: events.StreamRoster, act: sync.OnceFunc(func() { r.handle(other.handleRequests, two) })}
	svc := r.service(meet, telemetry.Discard())
	r.handle(svc.handleRequests, one)
	if is := r.paused(); !is.Source("hr") || !is.Org(org, events.LaneLeaver) || len(is.Settled) != 2 {
		t.Errorf("paused: %+v", is)
	}
}
