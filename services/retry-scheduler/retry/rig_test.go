package retry

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	org  = "emea"
	alba = events.Key("alba")
	// wait is how long something may take that has to come: much longer than on
	// the busiest machine.
	wait = 2 * time.Minute
)

// epoch is when people in these tests first failed: far ahead, so that no
// schedule is due before the test looks at it.
func epoch() time.Time { return time.Date(2100, 11, 2, 9, 0, 0, 0, time.UTC) }

// rig is what one test has to itself: a server, a connection, a service.
type rig struct {
	testing.TB
	server *bustest.Server
	bus    *bus.Bus
	svc    *Service
	feeds  map[string]*bus.Feed
}

func newRig(t testing.TB) *rig {
	t.Helper()
	s := bustest.Start(t, bus.Topology{Orgs: []string{org}})
	r := &rig{TB: t, server: s, bus: s.Bus(t), feeds: map[string]*bus.Feed{}}
	r.svc = r.service(s.As(t, "retry-scheduler"), telemetry.Discard())
	return r
}

func (r *rig) service(s store, tel *telemetry.Telemetry) *Service {
	r.Helper()
	svc, err := newService(Config{}, s, tel)
	if err != nil {
		r.Fatal(err)
	}
	return svc
}

// next returns the next n messages of a consumer.
func (r *rig) next(consumer string, n int) []*bus.Message {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), wait)
	defer cancel()
	stream := events.StreamRoster
	if consumer == events.ConsumerOperator {
		stream = events.StreamOperator
	}
	feed, ok := r.feeds[consumer]
	if !ok {
		var err error
		if feed, err = r.bus.Feed(ctx, stream, consumer, 100); err != nil {
			r.Fatal(err)
		}
		r.Cleanup(feed.Close)
		r.feeds[consumer] = feed
	}
	var out []*bus.Message
	for len(out) < n {
		msgs, err := feed.Next(ctx, n-len(out), 0)
		if err != nil {
			r.Fatalf("%s: message %d of %d: %v", consumer, len(out)+1, n, err)
		}
		out = append(out, msgs...)
	}
	return out
}

// handle has a service handle a batch, which must neither fail nor put back.
func (r *rig) handle(handle handler, msgs []*bus.Message) {
	r.Helper()
	later := postponed{}
	if err := handle(r.Context(), msgs, later); err != nil {
		r.Fatal(err)
	}
	if len(later) > 0 {
		r.Fatalf("%d messages were put back", len(later))
	}
}

func (r *rig) commit(stream string, w bus.Write) uint64 {
	r.Helper()
	res, err := r.bus.Commit(r.Context(), stream, []bus.Group{{w}})
	if err != nil {
		r.Fatal(err)
	}
	return res[0].Seqs[0]
}

func encode[P events.Payload](r *rig, p P) []byte {
	r.Helper()
	data, err := events.Encode(p)
	if err != nil {
		r.Fatal(err)
	}
	return data
}

func failed(key events.Key, revision uint64, cause events.Cause, attempt int) events.Outcome {
	return events.Outcome{
		Org: org, Key: key, Revision: revision, Lane: events.LaneLeaver, Result: events.ResultFailed,
		Failure: &events.Failure{Cause: cause, Code: "CODE", Message: "Salesforce's words"},
		Attempt: attempt, Failures: attempt, FirstFailedAt: epoch(), At: epoch().Add(time.Duration(attempt) * time.Minute),
		Username: "alba@example.com",
		Origin:   events.Origin{EventID: "event-1", Source: "hr", Seq: 7, Traceparent: originTrace},
	}
}

func applied(key events.Key, revision uint64) events.Outcome {
	return events.Outcome{
		Org: org, Key: key, Revision: revision, Result: events.ResultApplied,
		Failures: 1, At: epoch().Add(time.Hour),
	}
}

const originTrace = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"

// report publishes an outcome as the pusher does.
func (r *rig) report(o events.Outcome) uint64 {
	r.Helper()
	return r.commit(events.StreamRoster, bus.Write{
		Subject: events.OutcomeSubject(o.Org, o.Key), Data: encode(r, o),
		Header: bus.Header{events.HeaderTraceparent: {originTrace}},
	})
}

// outcome reports an outcome and has it handled.
func (r *rig) outcome(o events.Outcome) {
	r.Helper()
	r.report(o)
	r.handle(r.svc.handleOutcomes, r.next(events.ConsumerOutcomes, 1))
}

// ask publishes an admin's request.
func (r *rig) ask(verb events.Verb, request events.OperatorRequest) uint64 {
	r.Helper()
	request.By, request.At = "grete", epoch()
	return r.commit(events.StreamOperator, bus.Write{
		Subject: events.OperatorSubject(verb), Data: encode(r, request),
		Header: bus.Header{events.HeaderTraceparent: {requestTrace}},
	})
}

const requestTrace = "00-abcdefabcdefabcdefabcdefabcdefab-fedcba9876543210-01"

// request returns the next request of the audit log, skipping its answers.
func (r *rig) request() []*bus.Message {
	r.Helper()
	for {
		msgs := r.next(events.ConsumerOperator, 1)
		if verbOf(msgs[0].Subject).Asked() {
			return msgs
		}
	}
}

// letters returns the dead letters by subject, but for the filler.
func (r *rig) letters() map[string]bus.Entry {
	r.Helper()
	got, err := r.bus.Latest(r.Context(), events.StreamDead, []string{events.DeadFilter(org, "", ""), events.DeadFilter(events.NoOrg, "", "")})
	if err != nil {
		r.Fatal(err)
	}
	return got
}

// letter returns the one dead letter there is.
func (r *rig) letter() (events.DeadLetter, events.Target) {
	r.Helper()
	all := r.letters()
	if len(all) != 1 {
		r.Fatalf("%d dead letters: %v, want 1", len(all), slices.Collect(maps.Keys(all)))
	}
	for subject, e := range all {
		d, err := events.Decode[events.DeadLetter](e.Data)
		if err != nil {
			r.Fatal(err)
		}
		a, err := events.ParseSubject(subject)
		if err != nil {
			r.Fatal(err)
		}
		return d, events.Target{Org: a.Org, Cause: a.Cause, Key: a.Key, Seq: e.Seq}
	}
	panic("unreachable")
}

// auditLog returns what the audit log has as an answer, by verb.
func (r *rig) auditLog() map[events.Verb][]events.OperatorResult {
	r.Helper()
	out := map[events.Verb][]events.OperatorResult{}
	err := r.bus.Scan(r.Context(), events.StreamOperator, events.OperatorAll, 1, func(e bus.Entry) error {
		verb := verbOf(e.Subject)
		if verb.Asked() {
			return nil
		}
		result, err := events.Decode[events.OperatorResult](e.Data)
		result.At = time.Time{}
		out[verb] = append(out[verb], result)
		return err
	})
	if err != nil {
		r.Fatal(err)
	}
	return out
}

// roster returns the newest message of a subject.
func (r *rig) roster(subject string) (bus.Entry, bool) {
	r.Helper()
	got, err := r.bus.Latest(r.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		r.Fatal(err)
	}
	e, ok := got[subject]
	return e, ok
}

var errCrash = errors.New("crash")

// crashing is a bus that dies once, at its nth write: before it, or after it
// was stored.
type crashing struct {
	store
	mu    sync.Mutex
	left  int
	after bool
	died  bool
}

func (c *crashing) dies() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left--
	c.died = c.died || c.left == 0
	return c.left == 0
}

func (c *crashing) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	dies := c.dies()
	if dies && !c.after {
		return nil, errCrash
	}
	out, err := c.store.Commit(ctx, stream, groups)
	if dies {
		return nil, errCrash
	}
	return out, err
}

func (c *crashing) Remove(ctx context.Context, stream string, seq uint64) error {
	dies := c.dies()
	if dies && !c.after {
		return errCrash
	}
	err := c.store.Remove(ctx, stream, seq)
	if dies {
		return errCrash
	}
	return err
}
