package doctor

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

const (
	emea = "emea"
	// Canaries: no finding may hold one of them.
	clientSecret = "canary-client-secret-4d0a"
	refreshToken = "canary-refresh-token-91cc"
)

// rig is what one test has to itself: NATS, an org that is signed in, and a
// configuration in which nothing is wrong.
type rig struct {
	testing.TB
	nats   *bustest.Server
	bus    *bus.Bus
	sf     *emulator.Server
	org    *emulator.Org
	sealer *seal.Sealer
	dir    string
	token  string
	doctor Doctor
	canned map[string]string // query, in part: the answer's body
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, sf: emulator.New(), nats: bustest.Start(t, bus.Topology{Orgs: []string{emea}}), dir: t.TempDir(), canned: map[string]string{}}
	r.bus = r.nats.Bus(t)
	r.org = r.sf.AddOrg(emulator.DefaultOrg("key", clientSecret))
	r.file("secret", clientSecret)
	r.file("deployment.key", strings.Repeat("k", 64))
	var err error
	if r.sealer, err = seal.Create(filepath.Join(r.dir, "tokens.json")); err != nil {
		t.Fatal(err)
	}
	r.doctor = Doctor{
		Timeout: 5 * time.Second, Transport: r,
		Connect: func(ctx context.Context) (*bus.Bus, error) {
			return bus.Connect(ctx, bus.Options{URL: r.nats.URL(), Name: t.Name()})
		},
		File: config.File{
			Deployment: config.Deployment{KeyFile: filepath.Join(r.dir, "deployment.key")},
			Tokens:     config.Tokens{KeyFile: filepath.Join(r.dir, "tokens.json")},
			NATS:       config.NATS{Replicas: 1},
			Orgs: map[string]config.Org{emea: {Push: config.Push{Protect: []string{"admin@acme.example"}}, Assign: config.Assign{
				Rules: []config.Rule{{Name: "all", Profile: emulator.StandardUserProfile, Role: "Sales Rep",
					Assignments: config.Assignments{"permissionSets": {"Sales_Base", "Sales_All"}, "groups": {"All_Staff"}}}},
				Match: []string{"external_id"}, ExternalIDField: "Rollcall_Key__c",
				Fields: map[string]string{"Department": "''", "Rollcall_Key__c": "''"},
			}}},
		},
	}
	r.serve()
	return r
}

// serve serves the org and signs in to it.
func (r *rig) serve() {
	r.Helper()
	web := httptest.NewServer(r.sf)
	r.Cleanup(web.Close)
	r.connect(func(c *config.Connect) {
		*c = config.Connect{LoginURL: web.URL, Flow: config.FlowClientCredentials, ClientID: "key", ClientSecretFile: filepath.Join(r.dir, "secret"),
			APIVersion: "63.0", AllowLoopbackHTTP: true, HostSuffixes: []string{".salesforce.com"}}
	})
	var err error
	if r.token, err = r.org.AccessToken(emulator.IntegrationUsername); err != nil {
		r.Fatal(err)
	}
	user, _ := r.org.UserByUsername(emulator.IntegrationUsername)
	sealed, err := r.sealer.Seal(emea, events.Token{AccessToken: r.token, InstanceURL: web.URL, OrgID: r.org.ID(), UserID: user.ID, Scope: "api id"})
	if err != nil {
		r.Fatal(err)
	}
	r.record(func(rec *events.TokenRecord) {
		*rec = events.TokenRecord{Org: emea, State: events.TokenConnected, Generation: 1, Sealed: sealed, Since: time.Now(), At: time.Now()}
	})
}

// anotherOrg replaces the org by one with other fields and the like.
func (r *rig) anotherOrg(change func(*emulator.OrgConfig)) {
	r.Helper()
	cfg := emulator.DefaultOrg("key", clientSecret)
	change(&cfg)
	r.sf = emulator.New()
	r.org = r.sf.AddOrg(cfg)
	r.serve()
}

func (r *rig) connect(change func(*config.Connect)) {
	o := r.doctor.File.Orgs[emea]
	change(&o.Connect)
	r.doctor.File.Orgs[emea] = o
}

func (r *rig) assign(change func(*config.Assign)) {
	o := r.doctor.File.Orgs[emea]
	change(&o.Assign)
	r.doctor.File.Orgs[emea] = o
}

func (r *rig) push(change func(*config.Push)) {
	o := r.doctor.File.Orgs[emea]
	change(&o.Push)
	r.doctor.File.Orgs[emea] = o
}

func (r *rig) file(name, text string) {
	r.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

// record changes what token-refresher keeps.
func (r *rig) record(change func(*events.TokenRecord)) {
	r.Helper()
	k := r.bus.Bucket(events.BucketTokens)
	var rec events.TokenRecord
	e, err := k.Get(r.Context(), emea)
	if err == nil {
		rec, err = events.Decode[events.TokenRecord](e.Data)
	}
	if err != nil && !errors.Is(err, bus.ErrNotFound) {
		r.Fatal(err)
	}
	change(&rec)
	data, err := events.Encode(rec)
	if err != nil {
		r.Fatal(err)
	}
	if _, err = k.Set(r.Context(), emea, data, e.Seq); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) health(h events.Health) {
	r.Helper()
	h.Org = emea
	data, err := events.Encode(h)
	if err != nil {
		r.Fatal(err)
	}
	if _, err = r.bus.Commit(r.Context(), events.StreamRoster, []bus.Group{{{Subject: events.HealthSubject(emea), Data: data}}}); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) deny(what emulator.Denial) {
	r.Helper()
	if err := r.org.Deny(emulator.IntegrationUsername, what); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// RoundTrip answers what is canned, and lets everything else through.
func (r *rig) RoundTrip(req *http.Request) (*http.Response, error) {
	q := req.URL.Query().Get("q")
	for part, body := range r.canned {
		if !strings.Contains(q, part) && !strings.HasSuffix(req.URL.Path, part) {
			continue
		}
		status := http.StatusOK
		if strings.HasPrefix(body, `[{"message"`) {
			status = http.StatusBadRequest
		}
		return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: req,
			Body: io.NopCloser(bytes.NewBufferString(body)), ContentLength: int64(len(body))}, nil
	}
	return http.DefaultTransport.RoundTrip(req)
}

// rows is the answer to a query.
func rows(list ...string) string {
	body := `{"totalSize":` + string(rune('0'+len(list))) + `,"done":true,"records":[`
	return body + strings.Join(list, ",") + `]}`
}

func (r *rig) examine() Report {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), time.Minute)
	defer cancel()
	return r.doctor.Examine(ctx)
}

// of are the findings of one check.
func (rep Report) of(check string) []Finding {
	var out []Finding
	for _, f := range rep.Findings {
		if f.Check == check {
			out = append(out, f)
		}
	}
	return out
}
