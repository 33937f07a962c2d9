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
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const patience = 20 * time.Second

// bundle is one test's own NATS server, configuration and services.
type bundle struct {
	t      testing.TB
	server *bustest.Server
	bus    *bus.Bus
	keyer  *events.Keyer
	file   config.File
	ctx    context.Context
}

func newBundle(t testing.TB, orgs ...string) *bundle {
	t.Helper()
	f := sampleFile(t)
	for _, org := range orgs {
		f.Orgs[org] = config.Org{Assign: sampleAssign()}
	}
	server := bustest.Start(t, bus.Topology{Orgs: []string{"sales"}})
	keyer, err := events.NewKeyer([]byte(strings.Repeat("k", events.MinDeploymentKeyBytes)))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*patience)
	t.Cleanup(cancel)
	return &bundle{t: t, server: server, bus: server.Bus(t), keyer: keyer, file: f, ctx: ctx}
}

// sends configures what a source's events carry as sourceversion.
func (b *bundle) sends(source string, kind events.VersionKind) {
	s := b.file.Sources[source]
	s.SourceVersion = string(kind)
	b.file.Sources[source] = s
}

// service makes a service that does not run.
func (b *bundle) service(tel *telemetry.Telemetry) *Service {
	b.t.Helper()
	cfg, err := ConfigFrom(b.file)
	if err != nil {
		b.t.Fatalf("config: %v", err)
	}
	s, err := New(cfg, b.server.As(b.t, "assignment"), tel)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

// run runs a service until stop is called or the test ends.
func (b *bundle) run(s *Service) (stop func()) {
	ctx, cancel := context.WithCancel(b.ctx)
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Run(ctx); err != nil {
			b.t.Errorf("run: %v", err)
		}
	})
	stop = sync.OnceFunc(func() { cancel(); wg.Wait() })
	b.t.Cleanup(stop)
	return stop
}

func (b *bundle) start() (stop func()) { return b.run(b.service(telemetry.Discard())) }

// publish stores an event and returns its sequence.
func (b *bundle) publish(source string, e *events.Event) uint64 {
	b.t.Helper()
	return b.publishRaw(events.DirectorySubject(source, events.Kind(e.Type)), encoded(b.t, e), nil)
}

func (b *bundle) publishRaw(subject string, data []byte, h bus.Header) uint64 {
	b.t.Helper()
	out, err := b.bus.Commit(b.ctx, events.StreamDirectory, []bus.Group{{{Subject: subject, Data: data, Header: h}}})
	if err != nil || out[0].Err != nil {
		b.t.Fatalf("publish: %v %v", err, out)
	}
	return out[0].Seqs[0]
}

// read returns the newest payload of a subject, if there is one.
func read[P events.Payload](b *bundle, subject string) (P, uint64) {
	b.t.Helper()
	have, err := b.bus.Latest(b.ctx, events.StreamRoster, []string{subject})
	if err != nil {
		b.t.Fatalf("read %s: %v", subject, err)
	}
	var p P
	e, ok := have[subject]
	if !ok {
		return p, 0
	}
	if p, err = events.Decode[P](e.Data); err != nil {
		b.t.Fatal(err)
	}
	return p, e.Seq
}

// await waits until a subject's payload is as wanted.
func await[P events.Payload](b *bundle, subject string, want func(P) bool) (P, uint64) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	var found P
	var seq uint64
	err := b.bus.Watch(ctx, events.StreamRoster, subject, func(e bus.Entry) {
		p, err := events.Decode[P](e.Data)
		if err == nil && want(p) {
			found, seq = p, e.Seq
			cancel()
		}
	})
	if seq == 0 {
		last, _ := read[P](b, subject)
		b.t.Fatalf("%s never became as wanted (%v); it is %+v", subject, err, last)
	}
	return found, seq
}

func (b *bundle) key(n int) events.Key { return b.keyer.Person(fmt.Sprintf("W%05d", n)) }

func (b *bundle) desired(n int) (events.Desired, uint64) {
	b.t.Helper()
	return read[events.Desired](b, events.DesiredSubject("sales", b.key(n)))
}

func (b *bundle) awaitDesired(n int, want func(events.Desired) bool) (events.Desired, uint64) {
	b.t.Helper()
	return await(b, events.DesiredSubject("sales", b.key(n)), want)
}

// awaitFolded waits until an event of hr is what the person was last folded from.
func (b *bundle) awaitFolded(n int, seq uint64) events.PersonState {
	b.t.Helper()
	p, _ := await(b, events.PersonSubject(b.key(n)), func(p events.PersonState) bool { return p.Sources["hr"].Origin.Seq >= seq })
	return p
}

func (b *bundle) awaitRejection(seq uint64, want func(events.Rejection) bool) events.Rejection {
	b.t.Helper()
	r, _ := await(b, events.RejectionSubject(seq), want)
	return r
}

func (b *bundle) workSeq(lane events.Lane, n int) uint64 {
	b.t.Helper()
	_, seq := read[events.Work](b, events.WorkSubject("sales", lane, b.key(n)))
	return seq
}

// awaitAcked waits until nothing is left to be handled.
func (b *bundle) awaitAcked() {
	b.t.Helper()
	b.until("events are acked", func() bool {
		all, err := b.bus.Consumers(b.ctx, events.StreamDirectory)
		if err != nil {
			b.t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(c bus.ConsumerStatus) bool { return c.Name == events.ConsumerAssignment })
		return all[i].Pending == 0 && all[i].AckPending == 0
	})
}

// until looks again and again: for what nobody announces.
func (b *bundle) until(what string, is func() bool) {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-b.ctx.Done():
			b.t.Fatalf("it never came to pass that %s", what)
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
