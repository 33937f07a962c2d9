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

// bundle is what one test has to itself: NATS, an org, secret files.
type bundle struct {
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

func newBundle(t testing.TB) *bundle {
	t.Helper()
	b := &bundle{TB: t, sf: emulator.New(), nats: bustest.Start(t, bus.Topology{Orgs: []string{emea}}), log: telemetrytest.Recording(t)}
	b.bus = b.nats.Bus(t)
	b.org = b.sf.AddOrg(emulator.DefaultOrg(clientID, secret))
	web := httptest.NewServer(b.sf)
	t.Cleanup(web.Close)
	dir := t.TempDir()
	b.secret, b.refresh = filepath.Join(dir, "secret"), filepath.Join(dir, "refresh")
	b.write(b.secret, secret+"\n")
	keys := filepath.Join(dir, "keys.json")
	var err error
	if b.sealer, err = seal.Create(keys); err != nil {
		t.Fatal(err)
	}
	b.cfg = Config{
		KeyFile: keys, PollEvery: 10 * time.Millisecond, CallTimeout: time.Second, LeaseFor: 1500 * time.Millisecond,
		LostReplyWait: time.Millisecond,
		Orgs: map[string]config.Connect{emea: {
			LoginURL: web.URL, Flow: config.FlowClientCredentials, ClientID: clientID, ClientSecretFile: b.secret,
			AllowLoopbackHTTP: true,
		}},
	}
	return b
}

// rotating has the org signed in by refresh tokens that change at every use.
func (b *bundle) rotating() *bundle {
	b.Helper()
	if err := b.org.UpdateApp(clientID, func(a *emulator.ConnectedApp) { a.RefreshRotation = true }); err != nil {
		b.Fatal(err)
	}
	token, err := b.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		b.Fatal(err)
	}
	b.write(b.refresh, token)
	c := b.cfg.Orgs[emea]
	c.Flow, c.RefreshTokenFile = config.FlowRefreshToken, b.refresh
	b.cfg.Orgs[emea] = c
	return b
}

func (b *bundle) write(path, text string) {
	b.Helper()
	tmp := path + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		b.Fatal(err)
	}
}

// service is a new replica; it does not run yet.
func (b *bundle) service() *Service {
	b.Helper()
	s, err := New(b.cfg, b.nats.As(b, "token-refresher"), b.log.Telemetry)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

// run runs a replica until the test ends or stop is called.
func (b *bundle) run(s *Service) (stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	end := make(chan error, 1)
	go func() { end <- s.Run(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-end; err != nil {
			b.Errorf("run: %v", err)
		}
	})
	b.Cleanup(stop)
	return stop
}

// reader is a pusher's view of the org's token.
func (b *bundle) reader() *tokens.Reader {
	b.Helper()
	r := tokens.NewReader(b.nats.Bus(b), b.sealer, emea)
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	end := make(chan error, 1)
	go func() { end <- r.Run(ctx) }()
	b.Cleanup(func() {
		cancel()
		if err := <-end; err != nil {
			b.Errorf("reader: %v", err)
		}
	})
	return r
}

// await waits until the record is as wanted and returns it.
func (b *bundle) await(what string, ok func(events.TokenRecord) bool) events.TokenRecord {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), limit)
	defer cancel()
	var last events.TokenRecord
	found := false
	err := b.bus.Bucket(events.BucketTokens).Watch(ctx, emea, func(e bus.Entry) {
		if rec, err := events.Decode[events.TokenRecord](e.Data); err == nil && !found {
			if last = rec; ok(rec) {
				found = true
				cancel()
			}
		}
	})
	if err != nil || !found {
		b.Fatalf("waited for %s; the record is %+v (%+v), %v", what, last, last.Failure, err)
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
func (b *bundle) complain(generation uint64) {
	b.Helper()
	data, err := events.Encode(events.Health{
		Org: emea, State: events.HealthHeld, TokenGeneration: generation,
		Failure: &events.Failure{Cause: events.CauseCredentials, Code: "INVALID_SESSION_ID"},
	})
	if err != nil {
		b.Fatal(err)
	}
	_, err = b.bus.Commit(b.Context(), events.StreamRoster, []bus.Group{{{Subject: events.HealthSubject(emea), Data: data}}})
	if err != nil {
		b.Fatal(err)
	}
}

func (b *bundle) requests() int64 { return b.sf.Counters().TokenRequests }

// tight fails if a secret stands where it must not.
func (b *bundle) tight(errs ...error) {
	b.Helper()
	e, err := b.bus.Bucket(events.BucketTokens).Get(b.Context(), emea)
	if err != nil {
		b.Fatal(err)
	}
	places := map[string]string{"the log": b.log.LogText(), "the bucket": string(e.Data)}
	for _, err := range errs {
		places["an error"] += err.Error()
	}
	refresh, _ := os.ReadFile(b.refresh)
	canaries := []string{secret, wrong, string(bytes.TrimSpace(refresh))}
	if rec, err := events.Decode[events.TokenRecord](e.Data); err == nil && len(rec.Sealed) > 0 {
		t, err := b.sealer.Open(emea, rec.Sealed)
		if err != nil {
			b.Fatal(err)
		}
		canaries = append(canaries, t.AccessToken)
	}
	for place, text := range places {
		for _, c := range canaries {
			if c != "" && strings.Contains(text, c) {
				b.Errorf("%s holds a secret: %s", place, c)
			}
		}
	}
}
