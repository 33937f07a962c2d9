package push_test

import (
	"strings"
	"testing"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

const (
	traceID     = "4bf92f3577b34da6a3ce929d0e0e4736"
	traceparent = "00-" + traceID + "-00f067aa0ba902b7-01"
)

func TestOneTraceFromWorkToSalesforce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rec := telemetrytest.Recording(t)
	r.tel = rec.Telemetry
	w := r.start()
	r.awaitOutcomes(r.wantTraced(person(1)))
	w.stop()

	process := mine(rec, "process rollcall.work.{org}.{lane}.{key}")
	if len(process) != 1 || process[0].Parent().SpanID().String() != "00f067aa0ba902b7" {
		t.Fatalf("%d spans of the person in the trace of the change, want one below it", len(process))
	}
	for _, name := range []string{"salesforce create User", "salesforce assign PermissionSetAssignment", "salesforce resolve names"} {
		spans := mine(rec, name)
		if len(spans) != 1 || spans[0].Parent().SpanID() != process[0].SpanContext().SpanID() {
			t.Fatalf("%s: %d spans below the person's, want one", name, len(spans))
		}
		if len(spans[0].Links()) != 1 || !isHTTP(rec, spans[0].Links()[0]) {
			t.Errorf("%s is not linked to the HTTP request that carried it: %+v", name, spans[0].Links())
		}
	}
	batch := rec.Named("push batch")
	if len(batch) != 1 || len(batch[0].Links()) != 1 || batch[0].Links()[0].SpanContext.SpanID() != process[0].SpanContext().SpanID() {
		t.Errorf("the batch is not linked to the person: %+v", batch)
	}
	subject := events.OutcomeSubject(orgName, "key0001")
	got, err := r.bus.Latest(t.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		t.Fatal(err)
	}
	if h := got[subject].Header[events.HeaderTraceparent]; len(h) != 1 || !strings.Contains(h[0], traceID) {
		t.Errorf("outcome's trace context %v", h)
	}
}

func mine(rec *telemetrytest.Recorder, name string) []sdktrace.ReadOnlySpan {
	var out []sdktrace.ReadOnlySpan
	for _, s := range rec.Named(name) {
		if s.SpanContext().TraceID().String() == traceID {
			out = append(out, s)
		}
	}
	return out
}

func isHTTP(rec *telemetrytest.Recorder, l sdktrace.Link) bool {
	for _, s := range rec.Spans() {
		if s.SpanContext().SpanID() == l.SpanContext.SpanID() {
			return strings.HasPrefix(s.Name(), "POST /services/data/") || strings.HasPrefix(s.Name(), "GET /services/data/")
		}
	}
	return false
}

func (r *rig) wantTraced(d events.Desired) map[events.Key]uint64 {
	r.t.Helper()
	h := bus.Header{events.HeaderTraceparent: {traceparent}}
	done, err := r.bus.Commit(r.t.Context(), events.StreamRoster, []bus.Group{{
		{Subject: events.DesiredSubject(orgName, d.Key), Data: encode(r.t, d), Header: h},
		{Subject: events.WorkSubject(orgName, events.LaneChange, d.Key), Data: encode(r.t, events.Work{V: 1, Reason: events.ReasonChanged}), Header: h},
	}})
	if err != nil {
		r.t.Fatal(err)
	}
	return map[events.Key]uint64{d.Key: done[0].Seqs[0]}
}

// TestNothingPersonalIsLoggedOrTraced makes everything fail that can, with
// values that must not be seen.
func TestNothingPersonalIsLoggedOrTraced(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rec := telemetrytest.Recording(t)
	r.tel = rec.Telemetry
	r.emu.TakeUsernames("person0001@example.com")
	r.plan(emulator.Fault{Operation: "collections.create", Effect: emulator.EffectDailyLimit, Times: 1})
	people := crowd(6)
	people[2].Fields["Alias"] = "far too long for person0002"
	people[3].Fields["Email"] = "not an address of person0003"
	people[4].Profile = "Nobody's"
	for i := range people {
		people[i] = hashed(people[i])
	}
	w := r.start()
	r.awaitOutcomes(r.want(people...))
	r.awaitOutcomes(r.want(leaver(0)))
	w.stop()
	text := rec.LogText()
	if !strings.Contains(text, `"msg":"person not applied"`) || strings.Count(text, `"msg":"org held"`) != 1 {
		t.Errorf("log does not say what happened, or says it often:\n%s", text)
	}
	for _, s := range rec.Spans() {
		text += s.Name() + s.Status().Description
		for _, a := range s.Attributes() {
			text += " " + a.Value.String()
		}
		for _, e := range s.Events() {
			text += " " + e.Name
			for _, a := range e.Attributes {
				text += " " + a.Value.String()
			}
		}
	}
	for _, secret := range []string{"example.com", "Person000", "person000", "fed000", "Pat", "00D", "!"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is in logs or spans", secret)
		}
	}
}
