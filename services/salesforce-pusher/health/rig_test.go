package health

import (
	"context"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

const acme = "acme"

// rig is a NATS server and an emulated org.
type rig struct {
	testing.TB
	nats   *bustest.Server
	bus    *bus.Bus
	emu    *emulator.Server
	org    *emulator.Org
	url    string
	sealer *seal.Sealer
	// callTimeout is how long one call may take.
	callTimeout time.Duration
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, nats: bustest.Start(t, bus.Topology{Orgs: []string{acme}}), emu: emulator.New(), callTimeout: 10 * time.Second}
	r.bus = r.nats.Bus(t)
	r.org = r.emu.AddOrg(emulator.DefaultOrg("client", "secret"))
	web := httptest.NewServer(r.emu)
	t.Cleanup(web.Close)
	r.url = web.URL
	var err error
	if r.sealer, err = seal.Create(filepath.Join(t.TempDir(), "keyset.json")); err != nil {
		t.Fatal(err)
	}
	r.token(1)
	return r
}

// token gives the org a session of this generation, as token-refresher would.
func (r *rig) token(generation uint64) {
	r.Helper()
	access, err := r.org.AccessToken(emulator.IntegrationUsername)
	if err != nil {
		r.Fatal(err)
	}
	sealed, err := r.sealer.Seal(acme, events.Token{AccessToken: access, InstanceURL: r.url, OrgID: r.org.ID()})
	if err != nil {
		r.Fatal(err)
	}
	data, err := events.Encode(events.TokenRecord{Org: acme, State: events.TokenConnected, Generation: generation, Sealed: sealed})
	if err != nil {
		r.Fatal(err)
	}
	k := r.bus.Bucket(events.BucketTokens)
	var last uint64
	if e, err := k.Get(r.Context(), acme); err == nil {
		last = e.Seq
	}
	if _, err := k.Set(r.Context(), acme, data, last); err != nil {
		r.Fatal(err)
	}
}

// replica is one worker's view of the org, and its client.
type replica struct {
	*Org
	client *salesforce.Client
}

// replica joins; wrap stands between it and the bus where it is given.
func (r *rig) replica(worker string, wrap ...func(Roster) Roster) replica {
	r.Helper()
	var roster Roster = r.bus
	for _, w := range wrap {
		roster = w(roster)
	}
	reader := tokens.NewReader(r.nats.As(r, "salesforce-pusher"), r.sealer, acme)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	var reading sync.WaitGroup
	reading.Go(func() { _ = reader.Run(ctx) }) // ends with the test
	r.Cleanup(func() { cancel(); reading.Wait() })
	h, err := New(Config{Org: acme, CallTimeout: r.callTimeout, Called: func(context.Context, string, error) {},
		Probe: Probe{Daily: time.Hour, Concurrent: time.Minute, Outage: time.Minute, Max: 24 * time.Hour, Poll: 10 * time.Millisecond}},
		worker, roster, reader, telemetry.Discard())
	if err != nil {
		r.Fatal(err)
	}
	client, err := salesforce.NewClient(salesforce.Config{APIVersion: "63.0", Sessions: h.Sessions(), AllowLoopbackHTTP: true, OnUsage: h.Learn,
		CallTimeout: r.callTimeout})
	if err != nil {
		r.Fatal(err)
	}
	first, giveUp := context.WithTimeout(r.Context(), time.Minute)
	defer giveUp()
	began := h.now(first) // as Held does, which a pusher asks first
	h.began.Store(&began)
	if err := h.FirstSession(first); err != nil {
		r.Fatal(err)
	}
	return replica{Org: h, client: client}
}

// now is the org's health as it is written, and where.
func (r *rig) now() (events.Health, uint64) {
	r.Helper()
	subject := events.HealthSubject(acme)
	got, err := r.bus.Latest(r.Context(), events.StreamRoster, []string{subject})
	if err != nil || len(got) == 0 {
		r.Fatalf("no health: %v", err)
	}
	h, err := events.Decode[events.Health](got[subject].Data)
	if err != nil {
		r.Fatal(err)
	}
	return h, got[subject].Seq
}

// write puts a health there, as another replica would.
func (r *rig) write(h events.Health) {
	r.Helper()
	h.Org = acme
	data, err := events.Encode(h)
	if err != nil {
		r.Fatal(err)
	}
	if _, err := r.bus.Commit(context.Background(), events.StreamRoster, []bus.Group{{{Subject: events.HealthSubject(acme), Data: data}}}); err != nil {
		r.Error(err)
	}
}

func (r *rig) calls(operation string) int64 { return r.org.Counters().ByOperation[operation] }

// meddling is a roster in which another replica acts between our read and our
// write.
type meddling struct {
	Roster
	afterRead func()
}

func (m *meddling) wrap(r Roster) Roster { m.Roster = r; return m }

func (m *meddling) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	out, err := m.Roster.Latest(ctx, stream, subjects)
	m.afterRead()
	return out, err
}

func trouble(cause events.Cause, value string) *events.Failure {
	return &events.Failure{Cause: cause, Value: value, Code: "CODE", Message: "Salesforce's words"}
}
