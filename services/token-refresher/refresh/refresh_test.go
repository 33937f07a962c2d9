package refresh

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

func TestOneRequestHoweverManyAsk(t *testing.T) {
	t.Parallel()
	const replicas, askers = 3, 50
	r := newRig(t)
	for range replicas {
		r.run(r.service())
	}
	r.await("the first token", connected(1))
	readers := make([]*tokens.Reader, replicas)
	for i := range readers {
		readers[i] = r.reader()
	}
	old, err := readers[0].Session(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	r.org.ExpireSessions()

	var all sync.WaitGroup
	for i := range askers {
		all.Go(func() {
			r.complain(old.Generation)
			got, err := readers[i%replicas].Renew(t.Context(), old)
			if err != nil || got.Generation != 2 || got.AccessToken == old.AccessToken {
				t.Errorf("asker %d got %v generation %d, %v", i, got, got.Generation, err)
			}
		})
	}
	all.Wait()
	if n := r.requests(); n != 2 {
		t.Fatalf("%d token requests, want 1 at the start and 1 for the expired token", n)
	}
	r.tight()
}

func TestWrongSecretHoldsTheOrgUntilTheFileIsMended(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(r.secret, wrong)
	r.run(r.service())
	rec := r.await("held", inState(events.TokenHeld))
	if rec.Failure.Code != "invalid_client" || rec.Failure.Message != "invalid client credentials" ||
		!strings.Contains(rec.Advice, "secret") || rec.Failure.Cause != events.CauseCredentials {
		t.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	var held *tokens.Held
	_, err := r.reader().Session(t.Context())
	if !errors.As(err, &held) || held.Advice != rec.Advice {
		t.Fatalf("the pusher is told %v", err)
	}
	r.tight(err)

	r.complain(0) // complaints do not make it ask again
	r.complain(0)
	if n := r.requests(); n != 1 {
		t.Fatalf("%d token requests with one wrong secret", n)
	}
	r.write(r.secret, secret)
	r.await("connected", connected(1))
	if n := r.requests(); n != 2 {
		t.Fatalf("%d token requests", n)
	}
	if n := strings.Count(r.log.LogText(), "org cannot sign in"); n != 1 {
		t.Fatalf("%d log lines for one state", n)
	}
	r.tight()
}

func TestMissingSecretFileHoldsUntilItAppears(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if err := os.Remove(r.secret); err != nil {
		t.Fatal(err)
	}
	r.run(r.service())
	rec := r.await("held", inState(events.TokenHeld))
	if rec.Failure.Code != salesforce.CodeNoSecret || !strings.Contains(rec.Advice, "clientSecretFile") && !strings.Contains(rec.Advice, "secret") {
		t.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	if n := r.requests(); n != 0 {
		t.Fatalf("%d requests without a secret", n)
	}
	r.write(r.secret, secret)
	r.await("connected", connected(1))
}

// dying is a bucket whose owner dies before it has stored a new token.
type dying struct {
	bucket
	dead chan struct{}
	once sync.Once
}

func (d *dying) Set(ctx context.Context, key string, data []byte, last uint64) (uint64, error) {
	rec, err := events.Decode[events.TokenRecord](data)
	if err == nil && rec.State != events.TokenConnected {
		return d.bucket.Set(ctx, key, data, last)
	}
	d.once.Do(func() { close(d.dead) })
	<-ctx.Done() // the process is gone; nothing comes back
	return 0, ctx.Err()
}

func TestLeaseOfADeadReplicaIsTakenOver(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	first := r.service()
	grave := &dying{bucket: first.bucket, dead: make(chan struct{})}
	first.bucket = grave
	r.run(first)
	<-grave.dead
	rec := r.await("a lease", func(rec events.TokenRecord) bool { return rec.Lease != nil })
	if rec.State != events.TokenRefreshing {
		t.Fatalf("the intent was stored as %s", rec.State)
	}
	begin := time.Now()
	r.run(r.service())
	r.await("connected", connected(1))
	if waited := time.Since(begin); waited > limit/2 {
		t.Fatalf("taken over after %s", waited)
	}
	if n := r.requests(); n != 2 {
		t.Fatalf("%d token requests, want one by each replica", n)
	}
}

func TestOutageIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault, err := r.sf.Plan(emulator.Fault{Operation: "token", Effect: emulator.EffectUnavailable, Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.run(r.service())
	rec := r.await("trouble", func(rec events.TokenRecord) bool { return rec.Failure != nil })
	if rec.State != events.TokenRefreshing || rec.Failure.Cause != events.CauseUnavailable || rec.RetryAt.IsZero() {
		t.Fatalf("trouble is %+v: %+v", rec, rec.Failure)
	}
	if rec = r.await("connected", connected(1)); rec.Failure != nil || rec.Advice != "" {
		t.Fatalf("still says %+v", rec.Failure)
	}
	if f, _ := r.sf.Fault(fault.ID); f.Used != 1 {
		t.Fatalf("the fault struck %d times", f.Used)
	}
}

func TestRotatedRefreshTokenIsKept(t *testing.T) {
	t.Parallel()
	r := newRig(t).rotating()
	stop := r.run(r.service())
	r.await("the first token", connected(1))
	r.complain(1)
	r.await("the second token", connected(2))
	stop()
	r.run(r.service()) // knows the rotated token from the bucket, not from the file
	r.complain(2)
	r.await("the third token", connected(3))
	if n := r.requests(); n != 3 {
		t.Fatalf("%d token requests for 3 tokens", n)
	}
	r.tight()
}

func TestLostReplyUnderRotationEndsHeldNotLooping(t *testing.T) {
	t.Parallel()
	r := newRig(t).rotating()
	r.run(r.service())
	r.await("the first token", connected(1))
	fault, err := r.sf.Plan(emulator.Fault{Operation: "token", Effect: emulator.EffectDropAfter, Times: 1})
	if err != nil {
		t.Fatal(err)
	}
	r.complain(1)
	rec := r.await("held", inState(events.TokenHeld))
	if rec.Failure.Code != CodeTokenSpent || !strings.Contains(rec.Advice, "rollcall connect emea") || !rec.RetryAt.IsZero() {
		t.Fatalf("held as %+v until %s: %s", rec.Failure, rec.RetryAt, rec.Advice)
	}
	if f, _ := r.sf.Fault(fault.ID); f.Used != 1 || r.requests() != 2 {
		t.Fatalf("the fault struck %d times, %d requests; want the first and the lost one", f.Used, r.requests())
	}
	token, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	r.write(r.refresh, token) // the admin signed in again
	r.await("connected", connected(2))
	r.tight()
}

func TestAnotherAppIsSignedInAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	stop := r.run(r.service())
	r.await("the first token", connected(1))
	stop()
	const other = "other-consumer-key"
	if err := r.org.AddApp(emulator.ConnectedApp{ClientID: other, ClientSecret: secret, RunAsUsername: emulator.IntegrationUsername}); err != nil {
		t.Fatal(err)
	}
	c := r.cfg.Orgs[emea]
	c.ClientID = other
	r.cfg.Orgs[emea] = c
	r.run(r.service())
	r.await("a token of the other app", connected(2))
}

func TestEndpointThatEchoesSecretsIsNotQuoted(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	if _, err := r.sf.Plan(emulator.Fault{
		Operation: "token", Effect: emulator.EffectTokenError, Times: 1,
		Code: "invalid_grant", Message: "authentication failure for " + secret,
	}); err != nil {
		t.Fatal(err)
	}
	r.run(r.service())
	rec := r.await("held", inState(events.TokenHeld))
	if !strings.Contains(rec.Failure.Message, "[removed]") {
		t.Fatalf("held as %q", rec.Failure.Message)
	}
	r.tight()
}

func TestDecide(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	creds := mark{"i", "s", "r"}
	record := func(change func(*events.TokenRecord)) *events.TokenRecord {
		r := &events.TokenRecord{State: events.TokenConnected, Generation: 4, CredentialMark: creds.String(), At: at.Add(-time.Hour)}
		change(r)
		return r
	}
	refusal := func(generation uint64) *events.Health {
		return &events.Health{State: events.HealthHeld, TokenGeneration: generation, Failure: &events.Failure{Cause: events.CauseCredentials}}
	}
	nothing, refresh := decision{}, decision{refresh: true}
	asIs := func(*events.TokenRecord) {}
	held := func(retry time.Time) func(*events.TokenRecord) {
		return func(r *events.TokenRecord) { r.State, r.RetryAt = events.TokenHeld, retry }
	}
	for name, c := range map[string]struct {
		rec    *events.TokenRecord
		health *events.Health
		now    mark
		want   decision
		renew  time.Time
	}{
		"no record":                       {nil, nil, creds, refresh, time.Time{}},
		"connected":                       {record(asIs), nil, creds, nothing, time.Time{}},
		"refused":                         {record(asIs), refusal(4), creds, refresh, time.Time{}},
		"an older token was refused":      {record(asIs), refusal(3), creds, nothing, time.Time{}},
		"org held for another reason":     {record(asIs), &events.Health{State: events.HealthHeld, TokenGeneration: 4, Failure: &events.Failure{Cause: events.CauseThrottled}}, creds, nothing, time.Time{}},
		"new secret, token still good":    {record(asIs), nil, mark{"i", "s2", "r"}, nothing, time.Time{}},
		"another app":                     {record(asIs), nil, mark{"i2", "s", "r"}, refresh, time.Time{}},
		"held":                            {record(held(time.Time{})), refusal(4), creds, nothing, time.Time{}},
		"held, new secret":                {record(held(time.Time{})), nil, mark{"i", "s2", "r"}, refresh, time.Time{}},
		"held, may heal later":            {record(held(at.Add(time.Minute))), nil, creds, decision{wait: at.Add(time.Minute)}, time.Time{}},
		"held, may have healed":           {record(held(at)), nil, creds, refresh, time.Time{}},
		"a lease":                         {record(func(r *events.TokenRecord) { r.Lease = &events.Lease{Until: at.Add(time.Second)} }), refusal(4), creds, decision{wait: at.Add(time.Second)}, time.Time{}},
		"a lease that ran out":            {record(func(r *events.TokenRecord) { r.State, r.Lease = events.TokenRefreshing, &events.Lease{Until: at} }), nil, creds, refresh, time.Time{}},
		"refreshing, retry later":         {record(func(r *events.TokenRecord) { r.State, r.RetryAt = events.TokenRefreshing, at.Add(time.Second) }), nil, creds, decision{wait: at.Add(time.Second)}, time.Time{}},
		"first token refused at once":     {record(func(r *events.TokenRecord) { r.At = at }), refusal(4), creds, refresh, time.Time{}},
		"second token refused at once":    {record(func(r *events.TokenRecord) { r.At, r.Tries = at, 1 }), refusal(4), creds, decision{wait: at.Add(5 * time.Second)}, time.Time{}},
		"renewed later":                   {record(asIs), nil, creds, decision{wait: at.Add(time.Hour)}, at.Add(time.Hour)},
		"renewed now":                     {record(asIs), nil, creds, decision{refresh: true, early: true}, at},
		"renewal failed a moment ago":     {record(func(r *events.TokenRecord) { r.RetryAt = at.Add(time.Minute) }), nil, creds, decision{wait: at.Add(time.Minute)}, at},
		"refused when a renewal is due":   {record(asIs), refusal(4), creds, refresh, at},
		"twentieth token refused at once": {record(func(r *events.TokenRecord) { r.At, r.Tries = at, 19 }), refusal(4), creds, decision{wait: at.Add(5 * time.Minute)}, time.Time{}},
	} {
		if got := decide(c.rec, c.health, c.now, c.renew, at); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestConfigFromListsEveryFault(t *testing.T) {
	t.Parallel()
	_, err := ConfigFrom(config.File{Orgs: map[string]config.Org{
		"emea": {Connect: config.Connect{Flow: "magic"}}, "apac": {Connect: config.Connect{Flow: "wand"}},
	}})
	for _, want := range []string{"tokens.keyFile", "orgs.emea.connect", "orgs.apac.connect"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %s", err, want)
		}
	}
}

var _ bucket = (*bus.Bucket)(nil)

func TestConfigurationMendedInSalesforceIsFoundOnASlowSchedule(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	runAs := func(username string) {
		if err := r.org.UpdateApp(clientID, func(a *emulator.ConnectedApp) { a.RunAsUsername = username }); err != nil {
			t.Fatal(err)
		}
	}
	runAs("")
	var ahead atomic.Int64
	s := r.service()
	s.now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	r.run(s)
	rec := r.await("held", inState(events.TokenHeld))
	if wait := rec.RetryAt.Sub(rec.At); wait < 40*time.Second || wait > 80*time.Second || !strings.Contains(rec.Advice, "Run-As") {
		t.Fatalf("held for %s: %s", wait, rec.Advice)
	}
	ahead.Store(int64(2 * time.Minute)) // the second request: nothing has changed
	rec = r.await("held longer", func(rec events.TokenRecord) bool { return rec.Lease == nil && rec.Tries == 2 })
	if rec.State != events.TokenHeld {
		t.Fatalf("state %s while nothing has changed", rec.State)
	}
	runAs(emulator.IntegrationUsername)
	ahead.Store(int64(10 * time.Minute))
	r.await("connected", connected(1))
	if n := r.requests(); n != 3 {
		t.Fatalf("%d token requests", n)
	}
	if n := strings.Count(r.log.LogText(), "org cannot sign in"); n != 1 {
		t.Fatalf("%d log lines for one state", n)
	}
}
