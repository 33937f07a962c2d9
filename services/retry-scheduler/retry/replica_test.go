package retry

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// meddling is a bus on which another replica acts between our reads and our
// first write to a stream.
type meddling struct {
	store
	stream string
	act    func()
}

func (m *meddling) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	if stream == m.stream {
		m.act()
	}
	return m.store.Commit(ctx, stream, groups)
}

// TestTwoReplicasParkOnePersonOnce: another replica parks somebody after we have
// looked for their dead letter. What it counted stays, and ours comes again.
func TestTwoReplicasParkOnePersonOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.report(failed(alba, 5, events.CauseInvalid, 1))
	msgs := r.next(events.ConsumerOutcomes, 1)
	m := &meddling{store: r.bus, stream: events.StreamDead, act: sync.OnceFunc(func() { r.handle(r.svc.handleOutcomes, msgs) })}
	svc := r.service(m, telemetry.Discard())
	later := postponed{}
	if err := svc.handleOutcomes(t.Context(), msgs, later); err != nil {
		t.Fatal(err)
	}
	if len(later) != 1 {
		t.Error("acked, although nothing of it was stored")
	}
	first, target := r.letter()
	r.handle(svc.handleOutcomes, msgs)
	if again, at := r.letter(); at != target || again.Attempts != first.Attempts {
		t.Errorf("parked twice: %+v at %+v, and before at %+v", again, at, target)
	}
	for _, s := range r.streams() {
		if s.Name == events.StreamDead && s.LastSeq != 1 {
			t.Errorf("%d dead letters written for one failure", s.LastSeq)
		}
	}
}

func (r *rig) streams() []bus.StreamStatus {
	r.Helper()
	all, err := r.bus.Streams(r.Context())
	if err != nil {
		r.Fatal(err)
	}
	return all
}

// TestASweepLosesAgainstANewerSchedule: somebody fails again while an overdue
// schedule of theirs is armed anew.
func TestASweepLosesAgainstANewerSchedule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first, second := time.Now().Add(time.Hour), time.Now().Add(2*time.Hour)
	r.scheduleAt(first)
	m := &meddling{store: r.svc.store, stream: events.StreamRoster, act: sync.OnceFunc(func() { r.scheduleAt(second) })}
	w := &sweeper{Service: r.service(m, telemetry.Discard())}
	w.now = func() time.Time { return first.Add(overdue) }
	r.sweep(w)
	e, _ := r.roster(events.RetrySubject(org, alba))
	if plan, ok := e.Scheduled(); !ok || !plan.At.Equal(second) {
		t.Errorf("scheduled for %s, want the newer one, %s", plan.At, second)
	}
}

// TestATargetNamedTwiceIsActedOnOnce, also where NATS does not know the ids of
// the first answer any more.
func TestATargetNamedTwiceIsActedOnOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	target := r.stuck()
	gone := events.Target{Org: org, Cause: events.CauseLicence, Key: alba, Seq: 99}
	svc := r.service(forgetful{r.bus}, telemetry.Discard())
	r.ask(events.VerbRetry, events.OperatorRequest{ID: "r1", Targets: []events.Target{target, gone, target, gone}})
	r.handle(svc.handleRequests, r.request())
	if log := r.auditLog(); len(log[events.VerbRetried]) != 1 || len(log[events.VerbRefused]) != 1 {
		t.Errorf("audit log has %+v", log)
	}
}

// TestATargetIsAnAddress: it becomes part of a subject, and must not be one of
// many.
func TestATargetIsAnAddress(t *testing.T) {
	t.Parallel()
	good := events.Target{Org: org, Cause: events.CauseInvalid, Key: alba, Seq: 1}
	nobodys := good
	nobodys.Org = events.NoOrg
	for _, target := range []events.Target{good, nobodys} {
		if err := checkTarget(target); err != nil {
			t.Errorf("%+v: %v", target, err)
		}
	}
	for name, change := range map[string]func(*events.Target){
		"any org": func(t *events.Target) { t.Org = "*" }, "no org": func(t *events.Target) { t.Org = "" },
		"any cause": func(t *events.Target) { t.Cause = "*" }, "no cause": func(t *events.Target) { t.Cause = "" },
		"any key": func(t *events.Target) { t.Key = "*" }, "every key": func(t *events.Target) { t.Key = ">" }, "no key": func(t *events.Target) { t.Key = "" },
		"two keys": func(t *events.Target) { t.Key = "a.b" }, "a blank": func(t *events.Target) { t.Key = "a b" },
	} {
		bad := good
		change(&bad)
		if checkTarget(bad) == nil {
			t.Errorf("%s is taken for an address: %+v", name, bad)
		}
	}
}
