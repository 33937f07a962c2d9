package assign

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules/rulestest"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const patience = 20 * time.Second

// rig is one test's own NATS server, configuration and services.
type rig struct {
	t      testing.TB
	server *bustest.Server
	bus    *bus.Bus
	keyer  *events.Keyer
	file   config.File
	ctx    context.Context
	kept   kept
	beat   time.Duration // of services made from now on; 0 for as usual
}

func newRig(t testing.TB, orgs ...string) *rig {
	t.Helper()
	f := rulestest.File(t)
	for _, org := range orgs {
		f.Orgs[org] = config.Org{Assign: rulestest.Assign()}
	}
	server := bustest.Start(t, bus.Topology{Orgs: []string{"sales"}})
	keyer, err := events.NewKeyer([]byte(strings.Repeat("k", events.MinDeploymentKeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	return &rig{t: t, server: server, bus: server.Bus(t), keyer: keyer, file: f, ctx: ctx, kept: kept{}}
}

// sends configures what a source's events carry as sourceversion.
func (r *rig) sends(source string, kind events.VersionKind) {
	s := r.file.Sources[source]
	s.SourceVersion = string(kind)
	r.file.Sources[source] = s
}

// service makes a service that does not run.
func (r *rig) service(tel *telemetry.Telemetry) *Service {
	r.t.Helper()
	cfg, err := ConfigFrom(r.file)
	if err != nil {
		r.t.Fatalf("config: %v", err)
	}
	cfg.beat = r.beat
	s, err := New(cfg, r.server.As(r.t, "assignment"), tel)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// inForce puts the configuration of a service into force that does not run, and
// has it know that nothing is paused.
func (r *rig) inForce(s *Service) {
	r.t.Helper()
	if s.Ready() == nil || !r.kept.add(s) {
		return
	}
	if err := s.pauses.Read(r.ctx); err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(r.ctx)
	held, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_ = s.register.Run(ctx, func(ctx context.Context) error {
			close(held)
			<-ctx.Done()
			return nil
		})
	}()
	r.t.Cleanup(func() { cancel(); <-done })
	<-held
}

// kept are services whose configuration is kept in force.
type kept map[*Service]bool

func (k kept) add(s *Service) bool {
	was := k[s]
	k[s] = true
	return !was
}

// run runs a service until stop is called or the test ends.
func (r *rig) run(s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(r.ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			r.t.Errorf("run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	r.t.Cleanup(stop)
	return stop
}

func (r *rig) start() (stop func()) { return r.run(r.service(telemetry.Discard())) }

// publish stores an event and returns its sequence.
func (r *rig) publish(source string, e *events.Event) uint64 {
	r.t.Helper()
	return r.publishRaw(events.DirectorySubject(source, events.Kind(e.Type)), rulestest.Encoded(r.t, e), nil)
}

func (r *rig) publishRaw(subject string, data []byte, h bus.Header) uint64 {
	r.t.Helper()
	out, err := r.bus.Commit(r.ctx, events.StreamDirectory, []bus.Group{{{Subject: subject, Data: data, Header: h}}})
	if err != nil || out[0].Err != nil {
		r.t.Fatalf("publish: %v %v", err, out)
	}
	return out[0].Seqs[0]
}

// read returns the newest payload of a subject, if there is one.
func read[P events.Payload](r *rig, subject string) (P, uint64) {
	r.t.Helper()
	have, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{subject})
	if err != nil {
		r.t.Fatalf("read %s: %v", subject, err)
	}
	var p P
	e, ok := have[subject]
	if !ok {
		return p, 0
	}
	if p, err = events.Decode[P](e.Data); err != nil {
		r.t.Fatal(err)
	}
	return p, e.Seq
}

// await waits until a subject's payload is as wanted.
func await[P events.Payload](r *rig, subject string, want func(P) bool) (P, uint64) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(r.ctx, patience)
	defer cancel()
	var found P
	var seq uint64
	err := r.bus.Watch(ctx, events.StreamRoster, subject, func(e bus.Entry) {
		p, err := events.Decode[P](e.Data)
		if err == nil && want(p) {
			found, seq = p, e.Seq
			cancel()
		}
	})
	if seq == 0 {
		last, _ := read[P](r, subject)
		r.t.Fatalf("%s never became as wanted (%v); it is %+v", subject, err, last)
	}
	return found, seq
}

func (r *rig) key(n int) events.Key { return r.keyer.Person(fmt.Sprintf("W%05d", n)) }

func (r *rig) desired(n int) (events.Desired, uint64) {
	r.t.Helper()
	return read[events.Desired](r, events.DesiredSubject("sales", r.key(n)))
}

func (r *rig) awaitDesired(n int, want func(events.Desired) bool) (events.Desired, uint64) {
	r.t.Helper()
	return await(r, events.DesiredSubject("sales", r.key(n)), want)
}

// awaitFolded waits until an event of hr is what the person was last folded from.
func (r *rig) awaitFolded(n int, seq uint64) events.PersonState {
	r.t.Helper()
	p, _ := await(r, events.PersonSubject(r.key(n)), func(p events.PersonState) bool { return p.Sources["hr"].Origin.Seq >= seq })
	return p
}

func (r *rig) awaitRejection(seq uint64, want func(events.Rejection) bool) events.Rejection {
	r.t.Helper()
	rejection, _ := await(r, events.RejectionSubject(seq), want)
	return rejection
}

func (r *rig) workSeq(lane events.Lane, n int) uint64 {
	r.t.Helper()
	_, seq := read[events.Work](r, events.WorkSubject("sales", lane, r.key(n)))
	return seq
}

// awaitAcked waits until nothing is left to be handled.
func (r *rig) awaitAcked() {
	r.t.Helper()
	stream, err := r.bus.Stream(r.ctx, events.StreamDirectory)
	if err != nil {
		r.t.Fatal(err)
	}
	r.until("events are acked", func() bool {
		all, err := r.bus.Consumers(r.ctx, events.StreamDirectory)
		if err != nil {
			r.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.ConsumerAssignment })
		// A consumer hears of a message a moment after its publisher: nothing
		// pending may mean that it has not heard yet.
		return all[i].Pending == 0 && all[i].AckPending == 0 && all[i].AckFloor >= stream.LastSeq
	})
}

// until looks again and again: for what nobody announces.
func (r *rig) until(what string, is func() bool) {
	r.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-r.ctx.Done():
			r.t.Fatalf("it never came to pass that %s", what)
		}
	}
}

func titled(title string) func(*events.Event) {
	return func(e *events.Event) { e.Person.Title = title }
}

func versioned(v string) func(*events.Event) {
	return func(e *events.Event) { e.SourceVersion = v }
}

func active(is bool) func(*events.Event) {
	return func(e *events.Event) { e.Person.Active = &is }
}
