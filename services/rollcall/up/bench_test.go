package up

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/rollcall/natsd"
)

const benchBatch = 200

// benchConfig is a usual mapping: a dozen fields, one permission set.
const benchConfig = `
deployment: {keyFile: deployment.key}
tokens: {keyFile: tokens.key}
serve: {listen: ""}
log: {level: error}
sources:
  hr: {correlate: enterprise.employeeNumber}
orgs:
  acme:
    connect:
      loginURL: SALESFORCE_URL
      clientID: bench
      clientSecretFile: client-secret
      allowLoopbackHTTP: true
    assign:
      rules:
        - {name: everybody, when: "true", profile: Standard User}
      fields:
        Username: person.userName
        FederationIdentifier: person.enterprise.employeeNumber
        EmployeeNumber: person.enterprise.employeeNumber
        FirstName: person.name.givenName
        LastName: person.name.familyName
        Email: person.userName
        Alias: truncate(person.enterprise.employeeNumber, 8)
        CommunityNickname: person.enterprise.employeeNumber
        TimeZoneSidKey: "'GMT'"
        LocaleSidKey: "'en_US'"
        EmailEncodingKey: "'UTF-8'"
        LanguageLocaleKey: "'en_US'"
        Title: person.title
        Department: person.enterprise.department
`

// rig is a whole installation in this process, with an org on loopback that
// answers as fast as it can.
type rig struct {
	dir  string
	nats *natsd.Server
	bus  *bus.Bus
	org  *emulator.Org
	file config.File
}

func newRig(b testing.TB) *rig {
	b.Helper()
	r := &rig{dir: b.TempDir()}
	srv := emulator.New()
	r.org = srv.AddOrg(emulator.DefaultOrg("bench", "secret"))
	web := httptest.NewServer(srv)
	b.Cleanup(web.Close)
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	write("client-secret", "secret")
	write("deployment.key", strings.Repeat("k", 64))
	write("rollcall.yaml", strings.ReplaceAll(benchConfig, "SALESFORCE_URL", web.URL))
	if _, err := seal.Create(filepath.Join(r.dir, "tokens.key")); err != nil {
		b.Fatal(err)
	}
	file, err := config.Load(filepath.Join(r.dir, "rollcall.yaml"))
	if err != nil {
		b.Fatal(err)
	}
	r.file = file
	if r.nats, err = natsd.Start(b.Context(), natsd.Options{Dir: filepath.Join(r.dir, "nats"), Log: telemetry.Discard().Log}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.nats.Close)
	if r.bus, err = bus.Connect(context.Background(), bus.Options{InProcess: r.nats.InProcess(), Name: "bench"}); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(r.bus.Close)
	if err := r.bus.Provision(context.Background(), bus.Topology{Orgs: []string{"acme"}}); err != nil {
		b.Fatal(err)
	}
	return r
}

// start runs the four services until the returned function is called.
func (r *rig) start(b testing.TB) func() {
	b.Helper()
	return r.startWith(b, telemetry.Discard())
}

func (r *rig) startWith(b testing.TB, tel *telemetry.Telemetry) func() {
	b.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	all, err := newServices(ctx, r.file, r.nats.InProcess(), tel)
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- all.crew.Run(ctx, nil) }()
	return func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		all.close()
	}
}

// publish stores events of n new people, from the first-th on.
func (r *rig) publish(b testing.TB, first, n int, lane events.Lane) {
	b.Helper()
	for start := first; start < first+n; start += 1000 {
		var groups []bus.Group
		for i := start; i < min(start+1000, first+n); i++ {
			groups = append(groups, bus.Group{{Subject: events.DirectorySubject("hr", "person"), Data: benchEvent(b, i, lane)}})
		}
		if _, err := r.bus.Commit(context.Background(), events.StreamDirectory, groups); err != nil {
			b.Fatal(err)
		}
	}
}

func benchEvent(b testing.TB, i int, lane events.Lane) []byte {
	b.Helper()
	active := true
	number := fmt.Sprintf("n%07d", i)
	data, err := events.EncodeEvent(&events.Event{
		SpecVersion: "1.0", ID: number, Source: "/bench", Type: events.TypePersonUpserted, Lane: lane,
		Person: &events.Person{
			UserName: number + "@bench.example", Title: "Tester", Active: &active,
			Name:       &events.Name{GivenName: "Given" + number, FamilyName: "Family" + number},
			Enterprise: &events.Enterprise{EmployeeNumber: number, Department: "Benches"},
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	return data
}

// applied waits until n outcomes say applied.
func (r *rig) applied(b testing.TB, n int) {
	b.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	seen := 0
	err := r.bus.Watch(ctx, events.StreamRoster, events.OutcomesAll, func(e bus.Entry) {
		o, err := events.Decode[events.Outcome](e.Data)
		if err != nil || o.Result != events.ResultApplied {
			b.Errorf("outcome: %+v %v", o.Failure, err)
			cancel()
		}
		if seen++; seen == n {
			cancel()
		}
	})
	if err != nil || seen < n {
		b.Fatalf("applied %d of %d: %v", seen, n, err)
	}
}

// BenchmarkEventsToSalesforce takes events that wait in DIRECTORY through all
// services to applied users, and beside it, on the same server, one raw durable
// hop: fetch 200, store 200 in an atomic batch, ack. Everything shares the
// machine's cores: server, services, and the org with its HTTP.
func BenchmarkEventsToSalesforce(b *testing.B) {
	for name, above := range map[string]int{"batches": 0, "bulk": 5000} {
		b.Run(name, func(b *testing.B) { eventsToSalesforce(b, above) })
	}
}

func eventsToSalesforce(b *testing.B, bulkAbove int) {
	b.Helper()
	r := newRig(b)
	acme := r.file.Orgs["acme"]
	acme.Push.BulkAbove = bulkAbove
	r.file.Orgs["acme"] = acme
	hop := r.hop(b, b.N)
	r.publish(b, 0, b.N, events.LaneBackfill)
	b.ResetTimer()
	stop := r.start(b)
	r.applied(b, b.N)
	b.StopTimer()
	stop()
	if got := r.org.Summary().UsersActive; got < b.N {
		b.Fatalf("%d users, want at least %d", got, b.N)
	}
	whole := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(whole, "events/s")
	b.ReportMetric(hop, "raw-hop/s")
	b.ReportMetric(whole/hop, "of-raw-hop")
	b.ReportMetric(float64(r.org.Summary().APICalls), "api-calls")
}

// hop measures the raw hop in messages per second, on subjects nobody reads.
func (r *rig) hop(b *testing.B, n int) float64 {
	b.Helper()
	ctx := context.Background()
	body := []byte(strings.Repeat("x", 300))
	var groups []bus.Group
	for i := range n {
		groups = append(groups, bus.Group{{Subject: events.OperatorSubject("bench"), Data: body}})
		if len(groups) == 1000 || i == n-1 {
			if _, err := r.bus.Commit(ctx, events.StreamOperator, groups); err != nil {
				b.Fatal(err)
			}
			groups = nil
		}
	}
	feed, err := r.bus.Feed(ctx, events.StreamOperator, events.ConsumerOperator, 2*benchBatch)
	if err != nil {
		b.Fatal(err)
	}
	defer feed.Close()
	start := time.Now()
	for done := 0; done < n; {
		msgs, err := feed.Next(ctx, benchBatch, 0)
		if err != nil {
			b.Fatal(err)
		}
		out := make([]bus.Group, len(msgs))
		for i := range msgs {
			out[i] = bus.Group{{Subject: events.GroupSubject(events.Key(fmt.Sprintf("bench%d", done+i))), Data: body}}
		}
		if _, err := r.bus.Commit(ctx, events.StreamRoster, out); err != nil {
			b.Fatal(err)
		}
		for _, m := range msgs {
			if err := m.Ack(); err != nil {
				b.Fatal(err)
			}
		}
		done += len(msgs)
	}
	return float64(n) / time.Since(start).Seconds()
}

// BenchmarkIdleEvent is one event at a time on an idle installation, from the
// publish to the moment its API call has been answered.
func BenchmarkIdleEvent(b *testing.B) {
	r := newRig(b)
	defer r.start(b)()
	r.publish(b, 0, 1, events.LaneChange) // warm: token, catalogue
	r.applied(b, 1)
	arrived := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		_ = r.bus.Watch(ctx, events.StreamRoster, events.OutcomesAll, func(bus.Entry) { arrived <- struct{}{} })
	}()
	<-arrived
	var took []time.Duration
	for n := 1; b.Loop(); n++ {
		start := time.Now()
		r.publish(b, n, 1, events.LaneChange)
		<-arrived
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(took[len(took)*99/100].Microseconds())/1000, "p99-ms")
}
