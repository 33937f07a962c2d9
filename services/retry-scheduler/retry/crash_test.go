package retry

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// scene is a message about to be handled.
type scene struct {
	name string
	// set leads up to it and returns what is to be handled.
	set func(r *rig) (func(*Service) handler, []*bus.Message)
}

func outcomes(s *Service) handler { return s.handleOutcomes }
func requests(s *Service) handler { return s.handleRequests }

func scenes() []scene {
	outcome := func(r *rig, o events.Outcome) (func(*Service) handler, []*bus.Message) {
		r.report(o)
		return outcomes, r.next(events.ConsumerOutcomes, 1)
	}
	request := func(r *rig, verb events.Verb) (func(*Service) handler, []*bus.Message) {
		r.ask(verb, events.OperatorRequest{ID: "r1", Targets: []events.Target{
			r.stuck(), {Org: org, Cause: events.CauseLicence, Key: alba, Seq: 99},
		}})
		return requests, r.request()
	}
	return []scene{
		{"schedule", func(r *rig) (func(*Service) handler, []*bus.Message) {
			return outcome(r, failed(alba, 5, events.CauseLocked, 1))
		}},
		{"park", func(r *rig) (func(*Service) handler, []*bus.Message) {
			return outcome(r, failed(alba, 5, events.CauseInvalid, 1))
		}},
		{"park again", func(r *rig) (func(*Service) handler, []*bus.Message) {
			r.stuck()
			return outcome(r, failed(alba, 6, events.CauseInvalid, 1))
		}},
		{"park under another cause", func(r *rig) (func(*Service) handler, []*bus.Message) {
			r.stuck()
			return outcome(r, failed(alba, 6, events.CauseLicence, 1))
		}},
		{"close", func(r *rig) (func(*Service) handler, []*bus.Message) {
			r.stuck()
			return outcome(r, applied(alba, 6))
		}},
		{"retry", func(r *rig) (func(*Service) handler, []*bus.Message) { return request(r, events.VerbRetry) }},
		{"discard", func(r *rig) (func(*Service) handler, []*bus.Message) { return request(r, events.VerbDiscard) }},
		{"pause", func(r *rig) (func(*Service) handler, []*bus.Message) {
			r.stuck() // who is parked has nothing to do with it
			r.ask(events.VerbPause, events.OperatorRequest{ID: "r1", Reason: "release", Scope: &events.Scope{Org: org}})
			return requests, r.request()
		}},
		{"resume", func(r *rig) (func(*Service) handler, []*bus.Message) {
			r.stuck()
			r.svc.now = epoch
			r.ask(events.VerbPause, events.OperatorRequest{ID: "r0", Reason: "release", Scope: &events.Scope{Org: org}})
			r.handle(r.svc.handleRequests, r.request())
			r.ask(events.VerbResume, events.OperatorRequest{ID: "r1", Scope: &events.Scope{Org: org}, Pause: "r0"})
			return requests, r.request()
		}},
	}
}

// ending is all that a scene may leave behind.
type ending struct {
	Letters   []events.DeadLetter
	Audit     map[events.Verb][]events.OperatorResult
	Work      string
	Discarded string
	Paused    string
	Scheduled bool
}

func (r *rig) ending() ending {
	r.Helper()
	out := ending{Audit: r.auditLog()}
	for _, e := range r.letters() {
		d, err := events.Decode[events.DeadLetter](e.Data)
		if err != nil {
			r.Fatal(err)
		}
		out.Letters = append(out.Letters, d)
	}
	work, _ := r.roster(events.WorkSubject(org, events.LaneLeaver, alba))
	mark, _ := r.roster(events.DiscardedSubject(org, alba))
	_, out.Scheduled = r.roster(events.RetrySubject(org, alba))
	table, _ := r.roster(events.PausesSubject())
	out.Work, out.Discarded, out.Paused = string(work.Data), string(mark.Data), string(table.Data)
	return out
}

// TestCrashAnywhereEndsAsAQuietRun stops the service at each of its writes,
// before and after it was stored, and has everything delivered again.
func TestCrashAnywhereEndsAsAQuietRun(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			quiet := newRig(t)
			quiet.svc.now = epoch
			kind, msgs := sc.set(quiet)
			counting := &crashing{store: quiet.bus}
			svc := quiet.service(counting, telemetry.Discard())
			svc.now = epoch
			quiet.handle(kind(svc), msgs)
			want, writes := quiet.ending(), -counting.left
			quiet.handle(kind(svc), msgs)
			if got := quiet.ending(); !reflect.DeepEqual(got, want) {
				t.Fatalf("delivered twice:\n%+v\nonce:\n%+v", got, want)
			}
			for n := 1; n <= writes; n++ {
				for _, after := range []bool{false, true} {
					t.Run(fmt.Sprintf("write %d, stored %v", n, after), func(t *testing.T) {
						t.Parallel()
						crashAt(t, sc, n, after, want)
					})
				}
			}
		})
	}
}

// acted says whether anything has been done about the dead letter.
func (e ending) acted() bool { return e.Work != "" || e.Discarded != "" || len(e.Letters) == 0 }

// answered says whether the audit log says so.
func (e ending) answered() bool {
	return len(e.Audit[events.VerbRetried])+len(e.Audit[events.VerbDiscarded])+len(e.Audit[events.VerbClosed]) > 0
}

func crashAt(t *testing.T, sc scene, n int, after bool, want ending) {
	t.Helper()
	r := newRig(t)
	kind, msgs := sc.set(r)
	dying := &crashing{store: r.bus, left: n, after: after}
	svc := r.service(dying, telemetry.Discard())
	svc.now = epoch
	later := postponed{}
	err := kind(svc)(t.Context(), msgs, later)
	if dying.died && err == nil && len(later) == 0 {
		t.Fatal("the write failed and the message would be acknowledged")
	}
	if half := r.ending(); half.acted() && len(want.Audit) > 0 && !half.answered() {
		t.Fatalf("took effect before it was in the audit log:\n%+v", half)
	}
	r.handle(kind(svc), msgs)
	if got := r.ending(); !reflect.DeepEqual(got, want) {
		t.Fatalf("after the crash:\n%+v\nquiet:\n%+v", got, want)
	}
}
