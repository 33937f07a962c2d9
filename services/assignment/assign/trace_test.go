package assign

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

const (
	headerTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	eventTrace  = "5bf92f3577b34da6a3ce929d0e0e4736"
	spanID      = "00f067aa0ba902b7"
)

func TestTheTraceGoesFromTheEventToItsWork(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rec := telemetrytest.Recording(t)
	r.run(r.service(rec.Telemetry))
	withAttribute := func(e *events.Event) { e.Traceparent = "00-" + eventTrace + "-" + spanID + "-01" }
	subject := events.DirectorySubject("hr", events.KindPerson)
	r.publishRaw(subject, rulestest.Encoded(t, rulestest.Event(1, withAttribute)), bus.Header{events.HeaderTraceparent: {"00-" + headerTrace + "-" + spanID + "-01"}})
	r.publishRaw(subject, rulestest.Encoded(t, rulestest.Event(2, withAttribute)), nil)
	r.publishRaw(subject, []byte(`{"personal":"data"`), nil)
	for n, trace := range map[int]string{1: headerTrace, 2: eventTrace} {
		d, _ := r.awaitDesired(n, func(d events.Desired) bool { return d.Active })
		if !strings.Contains(d.Origin.Traceparent, trace) {
			t.Errorf("origin of person %d is in trace %q", n, d.Origin.Traceparent)
		}
		for _, s := range []string{events.DesiredSubject("sales", r.key(n)), events.WorkSubject("sales", events.LaneChange, r.key(n)), events.PersonSubject(r.key(n))} {
			have, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{s})
			if err != nil {
				t.Fatal(err)
			}
			if h := have[s].Header[events.HeaderTraceparent]; len(h) != 1 || h[0] != d.Origin.Traceparent {
				t.Errorf("header of %s is %q", s, h)
			}
		}
	}
	r.awaitRejection(3, func(events.Rejection) bool { return true })
	r.awaitAcked()
	spans := rec.Named(spanEvent)
	if len(spans) != 3 {
		t.Fatalf("%d spans", len(spans))
	}
	for _, s := range spans {
		if s.Parent().IsValid() && s.Parent().SpanID().String() != spanID {
			t.Errorf("parent is %s", s.Parent().SpanID())
		}
		for _, a := range s.Attributes() {
			if v := a.Value.AsString(); strings.Contains(v, "W0000") || strings.Contains(v, "sample.person") {
				t.Errorf("span attribute %s = %q", a.Key, v)
			}
		}
	}
	log := rec.LogText()
	if strings.Count(log, "event rejected") != 1 || strings.Contains(log, "personal") || strings.Contains(log, "W0000") {
		t.Errorf("log:\n%s", log)
	}
}

func TestWhatIsSupersededIsCountedAndLogged(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.sends("hr", events.VersionNumber)
	rec := telemetrytest.Recording(t)
	s := r.service(rec.Telemetry)
	for _, version := range []string{"5", "4", "3"} {
		r.handled(s, r.publish("hr", rulestest.Event(1, versioned(version))))
	}
	answer := httptest.NewRecorder()
	rec.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	if page := answer.Body.String(); !regexp.MustCompile(`rollcall_assignment_events_total\{[^}]*result="superseded",source="hr"\} 2`).MatchString(page) {
		t.Errorf("superseded events are not counted by source:\n%s", page)
	}
	if log := rec.LogText(); strings.Count(log, `"msg":"event superseded"`) != 2 || strings.Contains(log, "W0000") {
		t.Errorf("log:\n%s", log)
	}
}
