package retry

import (
	"context"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
)

// stuck parks alba and returns where.
func (r *rig) stuck() events.Target {
	r.Helper()
	r.outcome(failed(alba, 5, events.CauseInvalid, 1))
	_, target := r.letter()
	return target
}

func TestRetryIsInTheAuditLogAndHasThePersonLookedAtAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Reason: "fixed", Targets: []events.Target{target}})
	r.handle(r.svc.handleRequests, r.request())

	got := r.auditLog()[events.VerbRetried]
	if len(got) != 1 || got[0].By != "grete" || got[0].Request != "r1" || got[0].Target != target ||
		got[0].Revision != 5 || got[0].Note != "fixed" {
		t.Fatalf("audit log has %+v", got)
	}
	work := r.next(events.WorkConsumer(org, events.LaneLeaver), 1)[0]
	if w, err := events.Decode[events.Work](work.Data); err != nil || w.Reason != events.ReasonReplay {
		t.Fatalf("work %s, %v", work.Data, err)
	}
	r.letter() // stays until it succeeds
}

func TestReplayContinuesTheOriginalTraceAndLinksTheRequest(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	rec := telemetrytest.Recording(t)
	r.svc = r.service(r.server.As(t, "retry-scheduler"), rec.Telemetry)
	target := r.stuck()
	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	r.handle(r.svc.handleRequests, r.request())

	spans := rec.Named("replay rollcall.dead.{org}.{cause}.{key}")
	asked := rec.Named("process rollcall.operator.retry")
	if len(spans) != 1 || len(asked) != 1 {
		t.Fatalf("%d replay spans, %d request spans", len(spans), len(asked))
	}
	replay := spans[0]
	if got := replay.SpanContext().TraceID().String(); !strings.Contains(originTrace, got) {
		t.Fatalf("replay is in trace %s, not in the change's", got)
	}
	if len(replay.Links()) != 1 || replay.Links()[0].SpanContext.SpanID() != asked[0].SpanContext().SpanID() {
		t.Fatalf("replay links %v, not the request", replay.Links())
	}
	if !strings.Contains(requestTrace, asked[0].SpanContext().TraceID().String()) {
		t.Fatal("the request's span is not in the admin's trace")
	}
	work := r.next(events.WorkConsumer(org, events.LaneLeaver), 1)[0]
	if got := work.Header[events.HeaderTraceparent]; len(got) != 1 || !carries(got[0], replay.SpanContext()) {
		t.Fatalf("work carries %v, not the replay span", got)
	}
	if strings.Contains(rec.LogText(), "alba@example.com") {
		t.Fatal("the log names the person")
	}
}

func carries(traceparent string, sc trace.SpanContext) bool {
	return strings.Contains(traceparent, sc.TraceID().String()) && strings.Contains(traceparent, sc.SpanID().String())
}

func TestStaleRequestIsRefused(t *testing.T) {
	t.Parallel()
	for _, verb := range []events.Verb{events.VerbRetry, events.VerbDiscard} {
		t.Run(string(verb), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			seen := r.stuck()
			r.outcome(failed(alba, 6, events.CauseInvalid, 1)) // changed since
			gone := events.Target{Org: org, Cause: events.CauseLicence, Key: alba, Seq: 99}
			bad := events.Target{Org: "*", Cause: events.CauseInvalid, Key: ">", Seq: 1}
			r.ask(verb, events.OperatorRequest{ID: "r1", Targets: []events.Target{seen, gone, bad}})
			msgs := r.request()
			r.handle(r.svc.handleRequests, msgs)
			r.handle(r.svc.handleRequests, msgs)

			log := r.auditLog()
			if len(log[events.VerbRefused]) != 3 || len(log[events.VerbRetried])+len(log[events.VerbDiscarded]) != 0 {
				t.Fatalf("audit log has %+v", log)
			}
			if _, ok := r.roster(events.WorkSubject(org, events.LaneLeaver, alba)); ok {
				t.Fatal("work was published for a stale request")
			}
			r.letter()
		})
	}
}

func TestDiscardedRevisionIsNotParkedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	r.ask(events.VerbDiscard, events.OperatorRequest{ID: "d1", Targets: []events.Target{target}})
	r.handle(r.svc.handleRequests, r.request())
	if left := r.letters(); len(left) != 0 {
		t.Fatalf("still there: %v", left)
	}

	r.outcome(failed(alba, 5, events.CauseInvalid, 2)) // work that was still under way
	if left := r.letters(); len(left) != 0 {
		t.Fatalf("a discarded revision was parked again: %v", left)
	}
	r.outcome(failed(alba, 5, events.CauseLocked, 1))
	if _, ok := r.roster(events.RetrySubject(org, alba)); ok {
		t.Fatal("a discarded revision is retried")
	}
	r.outcome(failed(alba, 6, events.CauseInvalid, 1))
	if got, _ := r.letter(); got.Revision != 6 {
		t.Fatalf("a newer revision must be parked: %+v", got)
	}
}

func TestRetryRedeliveredAfterItSucceededIsNotRefused(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	msgs := r.request()
	r.handle(r.svc.handleRequests, msgs)
	r.outcome(applied(alba, 5))
	r.handle(r.svc.handleRequests, msgs)
	if log := r.auditLog(); len(log[events.VerbRefused]) != 0 || len(log[events.VerbRetried]) != 1 {
		t.Fatalf("audit log has %+v", log)
	}
}

func TestRequestThatCannotBeUnderstoodIsRefusedWhole(t *testing.T) {
	t.Parallel()
	target := events.Target{Org: org, Cause: events.CauseInvalid, Key: alba, Seq: 1}
	many := make([]events.Target, events.MaxTargets+1)
	for i := range many {
		many[i] = target
	}
	for name, data := range map[string]func(*rig) []byte{
		"not JSON": func(*rig) []byte { return []byte("{") },
		"no id": func(r *rig) []byte {
			return encode(r, events.OperatorRequest{By: "grete", Targets: []events.Target{target}})
		},
		"nobody": func(r *rig) []byte {
			return encode(r, events.OperatorRequest{ID: "r", Targets: []events.Target{target}})
		},
		"no target": func(r *rig) []byte {
			return encode(r, events.OperatorRequest{ID: "r", By: "grete"})
		},
		"too many": func(r *rig) []byte {
			return encode(r, events.OperatorRequest{ID: "r", By: "grete", Targets: many})
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.stuck()
			r.commit(events.StreamOperator, bus.Write{Subject: events.OperatorSubject(events.VerbRetry), Data: data(r)})
			msgs := r.request()
			r.handle(r.svc.handleRequests, msgs)
			r.handle(r.svc.handleRequests, msgs)
			if got := r.auditLog()[events.VerbRefused]; len(got) != 1 || got[0].Note == "" {
				t.Fatalf("audit log has %+v", got)
			}
			r.letter()
		})
	}
}

func TestRetryOfSomebodyWhoSucceededMeanwhileCloses(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	r.report(applied(alba, 6)) // whoever handles it dies; the message is lost with the next one
	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	r.handle(r.svc.handleRequests, r.request())
	if left := r.letters(); len(left) != 0 {
		t.Fatalf("still there: %v", left)
	}
	if log := r.auditLog(); len(log[events.VerbRetried]) != 1 || len(log[events.VerbClosed]) != 1 {
		t.Fatalf("audit log has %+v", log)
	}
}

// forgetful is a bus on which every message id is older than the window in
// which NATS recognises it.
type forgetful struct{ store }

func (f forgetful) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	for _, g := range groups {
		for i := range g {
			g[i].MsgID = ""
		}
	}
	return f.store.Commit(ctx, stream, groups)
}

func TestRequestRedeliveredLateIsAuditedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	svc := r.service(forgetful{r.bus}, telemetry.Discard())
	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target}})
	msgs := r.request()
	r.handle(svc.handleRequests, msgs)
	msgs[0].Deliveries = 2
	r.handle(svc.handleRequests, msgs)
	if got := r.auditLog()[events.VerbRetried]; len(got) != 1 {
		t.Fatalf("audit log has %+v", got)
	}
}
