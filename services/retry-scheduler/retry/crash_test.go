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
	set func(b *bundle) (func(*Service) handler, []*bus.Message)
}

func outcomes(s *Service) handler { return s.handleOutcomes }
func requests(s *Service) handler { return s.handleRequests }

func scenes() []scene {
	outcome := func(b *bundle, o events.Outcome) (func(*Service) handler, []*bus.Message) {
		b.report(o)
		return outcomes, b.next(events.ConsumerOutcomes, 1)
	}
	request := func(b *bundle, verb events.Verb) (func(*Service) handler, []*bus.Message) {
		b.ask(verb, events.OperatorRequest{ID: "r1", Targets: []events.Target{
			b.stuck(), {Org: org, Cause: events.CauseLicence, Key: alba, Seq: 99},
		}})
		return requests, b.request()
	}
	return []scene{
		{"schedule", func(b *bundle) (func(*Service) handler, []*bus.Message) {
			return outcome(b, failed(alba, 5, events.CauseLocked, 1))
		}},
		{"park", func(b *bundle) (func(*Service) handler, []*bus.Message) {
			return outcome(b, failed(alba, 5, events.CauseInvalid, 1))
		}},
		{"park again", func(b *bundle) (func(*Service) handler, []*bus.Message) {
			b.stuck()
			return outcome(b, failed(alba, 6, events.CauseInvalid, 1))
		}},
		{"park under another cause", func(b *bundle) (func(*Service) handler, []*bus.Message) {
			b.stuck()
			return outcome(b, failed(alba, 6, events.CauseLicence, 1))
		}},
		{"close", func(b *bundle) (func(*Service) handler, []*bus.Message) {
			b.stuck()
			return outcome(b, applied(alba, 6))
		}},
		{"retry", func(b *bundle) (func(*Service) handler, []*bus.Message) { return request(b, events.VerbRetry) }},
		{"discard", func(b *bundle) (func(*Service) handler, []*bus.Message) { return request(b, events.VerbDiscard) }},
	}
}

// ending is all that a scene may leave behind.
type ending struct {
	Letters   []events.DeadLetter
	Audit     map[events.Verb][]events.OperatorResult
	Work      string
	Discarded string
	Scheduled bool
}

func (b *bundle) ending() ending {
	b.Helper()
	out := ending{Audit: b.auditLog()}
	for _, e := range b.letters() {
		d, err := events.Decode[events.DeadLetter](e.Data)
		if err != nil {
			b.Fatal(err)
		}
		out.Letters = append(out.Letters, d)
	}
	work, _ := b.roster(events.WorkSubject(org, events.LaneLeaver, alba))
	mark, _ := b.roster(events.DiscardedSubject(org, alba))
	_, out.Scheduled = b.roster(events.RetrySubject(org, alba))
	out.Work, out.Discarded = string(work.Data), string(mark.Data)
	return out
}

// TestCrashAnywhereEndsAsAQuietRun stops the service at each of its writes,
// before and after it was stored, and has everything delivered again.
func TestCrashAnywhereEndsAsAQuietRun(t *testing.T) {
	t.Parallel()
	for _, sc := range scenes() {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			quiet := newBundle(t)
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
	b := newBundle(t)
	kind, msgs := sc.set(b)
	dying := &crashing{store: b.bus, left: n, after: after}
	svc := b.service(dying, telemetry.Discard())
	svc.now = epoch
	later := postponed{}
	err := kind(svc)(t.Context(), msgs, later)
	if dying.died && err == nil && len(later) == 0 {
		t.Fatal("the write failed and the message would be acknowledged")
	}
	if half := b.ending(); half.acted() && len(want.Audit) > 0 && !half.answered() {
		t.Fatalf("took effect before it was in the audit log:\n%+v", half)
	}
	b.handle(kind(svc), msgs)
	if got := b.ending(); !reflect.DeepEqual(got, want) {
		t.Fatalf("after the crash:\n%+v\nquiet:\n%+v", got, want)
	}
}
