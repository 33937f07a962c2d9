package refresh

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry/telemetrytest"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

const (
	emea     = "emea"
	clientID = "consumer-key"
	// Canaries: no log, error or stored byte may hold one of them.
	secret = "canary-right-secret-5e1c"
	wrong  = "canary-wrong-secret-9b7d"
	limit  = 20 * time.Second
)

// rig is what one test has to itself: NATS, an org, secret files.
type rig struct {
	testing.TB
	nats    *bustest.Server
	bus     *bus.Bus
	sf      *emulator.Server
	org     *emulator.Org
	log     *telemetrytest.Recorder
	sealer  *seal.Sealer
	cfg     Config
	secret  string // file
	refresh string // file
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{TB: t, sf: emulator.New(), nats: bustest.Start(t, bus.Topology{Orgs: []string{emea}}), log: telemetrytest.Recording(t)}
	r.bus = r.nats.Bus(t)
	r.org = r.sf.AddOrg(emulator.DefaultOrg(clientID, secret))
	web := httptest.NewServer(r.sf)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	r.secret, r.refresh = filepath.Join(dir, "secret"), filepath.Join(dir, "refresh")
	r.write(r.secret, secret+"\n")
	keys := filepath.Join(dir, "keys.json")
	var err error
	if r.sealer, err = seal.Create(keys); err != nil {
		t.Fatal(err)
	}
	r.cfg = Config{
		KeyFile: keys, PollEvery: 10 * time.Millisecond, CallTimeout: time.Second, LeaseFor: 1500 * time.Millisecond,
		LostReplyWait: time.Millisecond,
		Orgs: map[string]config.Connect{emea: {
			LoginURL: web.URL, Flow: config.FlowClientCredentials, ClientID: clientID, ClientSecretFile: r.secret,
			AllowLoopbackHTTP: true,
		}},
	}
	return r
}

// rotating has the org signed in by refresh tokens that change at every use.
func (r *rig) rotating() *rig {
	r.Helper()
	if err := r.org.UpdateApp(clientID, func(a *emulator.ConnectedApp) { a.RefreshRotation = true }); err != nil {
		r.Fatal(err)
	}
	token, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		r.Fatal(err)
	}
	r.write(r.refresh, token)
	c := r.cfg.Orgs[emea]
	c.Flow, c.RefreshTokenFile = config.FlowRefreshToken, r.refresh
	r.cfg.Orgs[emea] = c
	return r
}

func (r *rig) write(path, text string) {
	r.Helper()
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		r.Fatal(err)
	}
}

// service is a new replica; it does not run yet.
func (r *rig) service() *Service {
	r.Helper()
	s, err := New(r.cfg, r.nats.As(r, "token-refresher"), r.log.Telemetry)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

// run runs a replica until the test ends or stop is called.
func (r *rig) run(s *Service) (stop func()) {
	r.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	end := make(chan error, 1)
	go func() { end <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-end; err != nil {
			r.Errorf("run: %v", err)
		}
	})
	r.Cleanup(stop)
	return stop
}

// reader is a pusher's view of the org's token.
func (r *rig) reader() *tokens.Reader {
	r.Helper()
	reader := tokens.NewReader(r.nats.Bus(r), r.sealer, emea)
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	end := make(chan error, 1)
	go func() { end <- reader.Run(ctx) }()
	r.Cleanup(func() {
		cancel()
		if err := <-end; err != nil {
			r.Errorf("reader: %v", err)
		}
	})
	return reader
}

// await waits until the record is as wanted and returns it.
func (r *rig) await(what string, ok func(events.TokenRecord) bool) events.TokenRecord {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	var last events.TokenRecord
	found := false
	err := r.bus.Bucket(events.BucketTokens).Watch(ctx, emea, func(e bus.Entry) {
		if rec, err := events.Decode[events.TokenRecord](e.Data); err == nil && !found {
			if last = rec; ok(rec) {
				found = true
				cancel()
			}
		}
	})
	if err != nil || !found {
		r.Fatalf("waited for %s; the record is %+v (%+v), %v", what, last, last.Failure, err)
	}
	return last
}

func connected(generation uint64) func(events.TokenRecord) bool {
	return func(r events.TokenRecord) bool {
		return r.State == events.TokenConnected && r.Generation == generation
	}
}

func inState(s events.TokenState) func(events.TokenRecord) bool {
	return func(r events.TokenRecord) bool { return r.State == s && r.Lease == nil }
}

// complain says, as the pusher does, that a token was refused.
func (r *rig) complain(generation uint64) {
	r.Helper()
	data, err := events.Encode(events.Health{
		Org: emea, State: events.HealthHeld, TokenGeneration: generation,
		Failure: &events.Failure{Cause: events.CauseCredentials, Code: "INVALID_SESSION_ID"},
	})
	if err != nil {
		r.Fatal(err)
	}
	_, err = r.bus.Commit(r.Context(), events.StreamRoster, []bus.Group{{{Subject: events.HealthSubject(emea), Data: data}}})
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) requests() int64 { return r.sf.Counters().TokenRequests }

// tight fails if a secret stands where it must not.
func (r *rig) tight(errs ...error) {
	r.Helper()
	e, err := r.bus.Bucket(events.BucketTokens).Get(r.Context(), emea)
	if err != nil {
		r.Fatal(err)
	}
	places := map[string]string{"the log": r.log.LogText(), "the bucket": string(e.Data)}
	for _, err := range errs {
		places["an error"] += err.Error()
	}
	refresh, _ := os.ReadFile(r.refresh)
	canaries := []string{secret, wrong, string(bytes.TrimSpace(refresh))}
	if rec, err := events.Decode[events.TokenRecord](e.Data); err == nil && len(rec.Sealed) > 0 {
		t, err := r.sealer.Open(emea, rec.Sealed)
		if err != nil {
			r.Fatal(err)
		}
		canaries = append(canaries, t.AccessToken)
	}
	for place, text := range places {
		for _, c := range canaries {
			if c != "" && strings.Contains(text, c) {
				r.Errorf("%s holds a secret: %s", place, c)
			}
		}
	}
}
