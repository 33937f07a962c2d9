package push_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/health"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"
)

const (
	orgName  = "acme"
	patience = time.Minute
)

// rig is a NATS server, an emulated org, and what stands around the pusher.
type rig struct {
	t      testing.TB
	nats   *bustest.Server
	bus    *bus.Bus
	emu    *emulator.Server
	org    *emulator.Org
	url    string
	sealer *seal.Sealer
	tel    *telemetry.Telemetry

	mu       sync.Mutex
	changed  chan struct{}
	outcomes map[events.Key]events.Outcome
	seqs     map[events.Key]uint64
	health   events.Health
	history  []events.HealthState
}

func newRig(t testing.TB, opts ...emulator.Option) *rig {
	t.Helper()
	r := &rig{t: t, nats: bustest.Start(t, bus.Topology{Orgs: []string{orgName}}), tel: telemetry.Discard(),
		changed: make(chan struct{}), outcomes: map[events.Key]events.Outcome{}, seqs: map[events.Key]uint64{}}
	r.bus = r.nats.Bus(t)
	r.emu = emulator.New(opts...)
	r.org = r.emu.AddOrg(emulator.DefaultOrg("client", "secret"))
	srv := httptest.NewServer(r.emu)
	t.Cleanup(srv.Close)
	r.url = srv.URL
	var err error
	if r.sealer, err = seal.Create(filepath.Join(t.TempDir(), "keyset.json")); err != nil {
		t.Fatal(err)
	}
	r.token(1)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	t.Cleanup(func() { cancel(); wg.Wait() })
	wg.Go(func() { _ = r.bus.Watch(ctx, events.StreamRoster, events.OutcomesAll, r.sawOutcome) })
	wg.Go(func() { _ = r.bus.Watch(ctx, events.StreamRoster, events.HealthAll, r.sawHealth) })
	return r
}

func (r *rig) sawOutcome(e bus.Entry) {
	o, err := events.Decode[events.Outcome](e.Data)
	if err != nil {
		r.t.Errorf("outcome: %v", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Seq > r.seqs[o.Key] {
		r.seqs[o.Key], r.outcomes[o.Key] = e.Seq, o
	}
	r.signal()
}

func (r *rig) sawHealth(e bus.Entry) {
	h, err := events.Decode[events.Health](e.Data)
	if err != nil {
		r.t.Errorf("health: %v", err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	was := r.health.State
	if r.health = h; h.State != was && (was != "" || h.State != events.HealthOK) {
		r.history = append(r.history, h.State)
	}
	r.signal()
}

func (r *rig) signal() { close(r.changed); r.changed = make(chan struct{}) }

// until waits for a condition over what was seen on the bus, for as long as
// something new is seen there.
func (r *rig) until(what string, ok func() bool) {
	r.t.Helper()
	deadline, last := time.NewTimer(patience), time.Now().Add(5*patience)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		done, changed := ok(), r.changed
		r.mu.Unlock()
		if done {
			return
		}
		select {
		case <-changed:
			deadline.Reset(max(0, min(patience, time.Until(last)))) // a busy machine is slow, and gets on
		case <-deadline.C:
			r.mu.Lock()
			defer r.mu.Unlock()
			r.t.Fatalf("waited %s in vain for %s; %d outcomes, health %+v", patience, what, len(r.outcomes), r.health)
		}
	}
}

// token gives the org a session of this generation, as token-refresher would.
func (r *rig) token(generation uint64) {
	r.t.Helper()
	r.tokenOf(emulator.IntegrationUsername, r.self(), generation)
}

// tokenOf gives the org a session of that user, whose id the token says.
func (r *rig) tokenOf(username, id string, generation uint64) {
	r.t.Helper()
	access, err := r.org.AccessToken(username)
	if err != nil {
		r.t.Fatal(err)
	}
	sealed, err := r.sealer.Seal(orgName, events.Token{AccessToken: access, InstanceURL: r.url, OrgID: r.org.ID(), UserID: id})
	if err != nil {
		r.t.Fatal(err)
	}
	data, err := events.Encode(events.TokenRecord{V: 1, Org: orgName, State: events.TokenConnected, Generation: generation, Sealed: sealed})
	if err != nil {
		r.t.Fatal(err)
	}
	k := r.bus.Bucket(events.BucketTokens)
	var last uint64
	if e, err := k.Get(r.t.Context(), orgName); err == nil {
		last = e.Seq
	}
	if _, err := k.Set(r.t.Context(), orgName, data, last); err != nil && r.t.Context().Err() == nil { // else the test is over
		r.t.Fatal(err)
	}
}

// self is the id of the integration user.
func (r *rig) self() string {
	for _, u := range r.org.Users() {
		if u.Username == emulator.IntegrationUsername {
			return u.ID
		}
	}
	return ""
}

// worker is a running pusher.
type worker struct {
	*push.Service
	bus  *bus.Bus
	stop func()
}

type setup struct {
	cfg       push.OrgConfig
	transport http.RoundTripper
	// roster, where set, stands between the pusher and its bus.
	roster func(push.Roster) push.Roster
}

func (r *rig) config() push.OrgConfig {
	return push.OrgConfig{
		Name: orgName, APIVersion: "63.0", AllowLoopbackHTTP: true, Match: []string{"federation_id", "username"},
		Create: true, Update: true, Deactivate: true, Protected: map[string]bool{}, Holds: held(),
		CallTimeout: 10 * time.Second, ClaimTTL: 20 * time.Second, Linger: 20 * time.Millisecond,
		Probe: health.Probe{Daily: 50 * time.Millisecond, Concurrent: 20 * time.Millisecond, Outage: 20 * time.Millisecond,
			Max: 200 * time.Millisecond, Poll: 20 * time.Millisecond},
	}
}

// held are the names that the configuration of tests gives to people.
func held() plan.Names {
	n := plan.Names{}
	n.Add(plan.KindProfile, emulator.StandardUserProfile, emulator.MinimumAccessProfile, emulator.PlatformUserProfile, emulator.AdminProfile, "No Such Profile")
	n.Add(plan.KindRole, "Sales Rep", "Support Agent", "HR")
	n.Add("psl", "SalesUserPsl", "SalesforceAPIIntegrationPsl")
	n.Add(plan.KindPermissionSet, "Sales_Base", "Support_Base", "HR_Data", "API_Enabled", "Sales_All", "Reports_Export", "Salesforce_Only", "Sales_Bse", "No_Such_Set")
	n.Add("group", "Sales_Team", "Support_Team", "All_Staff", "Support_Queue")
	return n
}

// start runs a pusher until the test ends or stop is called, which waits.
func (r *rig) start(change ...func(*setup)) *worker {
	r.t.Helper()
	s := setup{cfg: r.config(), transport: &http.Transport{DisableCompression: true}}
	for _, c := range change {
		c(&s)
	}
	w := &worker{bus: r.nats.As(r.t, "salesforce-pusher")}
	svc, err := push.New(push.Config{Orgs: []push.OrgConfig{s.cfg}}, w.bus, r.tel, push.WithSealer(r.sealer), push.WithTransport(s.transport))
	if err != nil {
		r.t.Fatal(err)
	}
	if s.roster != nil {
		push.WrapRoster(svc, s.roster)
	}
	w.Service = svc
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := svc.Run(ctx); err != nil {
			r.t.Errorf("pusher: %v", err)
		}
	}()
	w.stop = sync.OnceFunc(func() { cancel(); <-done })
	r.t.Cleanup(w.stop)
	return w
}

// want publishes what people should have, and the work, as assignment does. It
// returns the revisions.
func (r *rig) want(people ...events.Desired) map[events.Key]uint64 {
	r.t.Helper()
	groups := make([]bus.Group, len(people))
	for i, d := range people {
		if d.Lane == "" {
			d.Lane = events.LaneChange
		}
		groups[i] = bus.Group{
			{Subject: events.DesiredSubject(orgName, d.Key), Data: encode(r.t, d)},
			{Subject: events.WorkSubject(orgName, d.Lane, d.Key), Data: encode(r.t, events.Work{V: 1, Reason: events.ReasonChanged})},
		}
	}
	done, err := r.bus.Commit(context.Background(), events.StreamRoster, groups)
	if err != nil {
		r.t.Fatal(err)
	}
	out := map[events.Key]uint64{}
	for i, d := range people {
		out[d.Key] = done[i].Seqs[0]
	}
	return out
}

// poke publishes work without a new revision.
func (r *rig) poke(keys ...events.Key) {
	r.t.Helper()
	groups := make([]bus.Group, len(keys))
	for i, k := range keys {
		groups[i] = bus.Group{{Subject: events.WorkSubject(orgName, events.LaneChange, k), Data: encode(r.t, events.Work{V: 1, Reason: events.ReasonReplay})}}
	}
	if _, err := r.bus.Commit(context.Background(), events.StreamRoster, groups); err != nil {
		r.t.Fatal(err)
	}
}

// awaitOutcomes waits until every person has an outcome for at least their revision.
func (r *rig) awaitOutcomes(revisions map[events.Key]uint64) {
	r.t.Helper()
	left := maps.Clone(revisions)
	r.until("outcomes", func() bool {
		for k, rev := range left {
			if r.outcomes[k].Revision < rev {
				return false
			}
			delete(left, k)
		}
		return true
	})
}

// push publishes, waits and returns the outcome of one person.
func (r *rig) push(d events.Desired) events.Outcome {
	r.t.Helper()
	r.awaitOutcomes(r.want(d))
	return r.outcome(d.Key)
}

func (r *rig) outcome(k events.Key) events.Outcome {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.outcomes[k]
}

// repoke publishes work again and waits for a newer outcome.
func (r *rig) repoke(k events.Key) events.Outcome {
	r.t.Helper()
	r.mu.Lock()
	was := r.seqs[k]
	r.mu.Unlock()
	r.poke(k)
	r.until("a newer outcome", func() bool { return r.seqs[k] > was })
	return r.outcome(k)
}

// idle waits until no work is left.
func (r *rig) idle() {
	r.t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	last := uint64(0)
	for left := r.left(); left > 0; left = r.left() {
		if left != last { // it gets on
			deadline.Reset(patience)
		}
		last = left
		select {
		case <-tick.C:
		case <-deadline.C:
			r.t.Fatalf("%d pieces of work left", left)
		}
	}
}

// left is how much work is left, that of busy people counted, which is scheduled; a
// server that is too busy to say has some.
func (r *rig) left() uint64 {
	r.t.Helper()
	n := r.inLanes()
	err := r.bus.Scan(r.t.Context(), events.StreamRoster, events.TurnsAll, 1, func(bus.Entry) error { n++; return nil })
	if err != nil {
		return math.MaxUint64
	}
	if n > 0 {
		return n
	}
	return r.inLanes() // whose turn came between the two
}

func (r *rig) inLanes() uint64 {
	r.t.Helper()
	n := uint64(0)
	for _, lane := range events.Lanes() {
		c, err := r.bus.Consumer(r.t.Context(), events.StreamRoster, events.WorkConsumer(orgName, lane))
		if errors.Is(err, context.DeadlineExceeded) && r.t.Context().Err() == nil {
			return math.MaxUint64
		}
		if err != nil {
			r.t.Fatal(err)
		}
		n += c.Pending + uint64(c.AckPending)
	}
	return n
}

func (r *rig) link(k events.Key) events.Link {
	r.t.Helper()
	subject := events.LinkSubject(orgName, k)
	got, err := r.bus.Latest(r.t.Context(), events.StreamRoster, []string{subject})
	if err != nil {
		r.t.Fatal(err)
	}
	if len(got) == 0 {
		return events.Link{}
	}
	l, err := events.Decode[events.Link](got[subject].Data)
	if err != nil {
		r.t.Fatal(err)
	}
	return l
}

func (r *rig) user(name string) emulator.User {
	r.t.Helper()
	u, ok := r.org.UserByUsername(name)
	if !ok {
		r.t.Fatalf("no user %s", name)
	}
	return u
}

func (r *rig) plan(f emulator.Fault) string {
	r.t.Helper()
	planned, err := r.emu.Plan(f)
	if err != nil {
		r.t.Fatal(err)
	}
	return planned.ID
}

// struck fails the test unless the fault acted as often as said.
func (r *rig) struck(id string, times int) {
	r.t.Helper()
	if f, _ := r.emu.Fault(id); f.Used != times {
		r.t.Errorf("fault %s struck %d times, want %d", id, f.Used, times)
	}
}

func encode[P events.Payload](t testing.TB, p P) []byte {
	t.Helper()
	data, err := events.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// person is somebody who should have a user.
func person(i int, change ...func(*events.Desired)) events.Desired {
	username := fmt.Sprintf("person%04d@example.com", i)
	d := events.Desired{
		V: 1, Org: orgName, Key: events.Key(fmt.Sprintf("key%04d", i)), Rule: "staff", Active: true,
		Match: events.Match{Username: username, FederationID: fmt.Sprintf("fed%04d", i)},
		Fields: map[string]any{
			"Username": username, "FederationIdentifier": fmt.Sprintf("fed%04d", i), "Email": username,
			"LastName": fmt.Sprintf("Person%04d", i), "FirstName": "Pat", "Alias": fmt.Sprintf("p%04d", i), "Title": "Clerk",
			"TimeZoneSidKey": "Europe/Paris", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US",
		},
		Profile: emulator.StandardUserProfile, Assignments: sets("Sales_Base"),
		Origin: events.Origin{EventID: fmt.Sprintf("event%d", i)},
	}
	for _, c := range change {
		c(&d)
	}
	return hashed(d)
}

// sets are assignments of permission sets.
func sets(names ...string) map[string][]string {
	return map[string][]string{events.KeyPermissionSets: names}
}

func hashed(d events.Desired) events.Desired {
	h, err := events.HashDesired(d)
	if err != nil {
		panic(err)
	}
	d.Hash = h
	return d
}

// leaver is what assignment says of somebody who should not be active.
func leaver(i int) events.Desired {
	d := person(i)
	return hashed(events.Desired{V: 1, Org: orgName, Key: d.Key, Match: d.Match, Lane: events.LaneLeaver, Origin: d.Origin})
}

func crowd(n int) []events.Desired {
	out := make([]events.Desired, n)
	for i := range out {
		out[i] = person(i)
	}
	return out
}

func keysOf(people []events.Desired) []events.Key {
	out := make([]events.Key, len(people))
	for i, p := range people {
		out[i] = p.Key
	}
	return out
}

// discard does what retry-scheduler does when an admin gives a revision up.
func (r *rig) discard(k events.Key, revision uint64) {
	r.t.Helper()
	data := encode(r.t, events.Discarded{V: 1, Revision: revision, By: "admin", At: time.Now().UTC()})
	if _, err := r.bus.Commit(context.Background(), events.StreamRoster, []bus.Group{{{Subject: events.DiscardedSubject(orgName, k), Data: data}}}); err != nil {
		r.t.Fatal(err)
	}
}
