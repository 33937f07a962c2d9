package health

import (
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

func TestTroubleIsReportedOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	h := r.replica("a")
	if f, err := h.Held(t.Context()); f != nil || err != nil {
		t.Fatalf("held for %+v, %v, before anything was said", f, err)
	}
	report := func(f *events.Failure) (events.Health, uint64) {
		if err := h.Report(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		return r.now()
	}
	first, seq := report(trouble(events.CauseThrottled, salesforce.KindDailyLimit.String()))
	if first.State != events.HealthHeld || first.Failure.Cause != events.CauseThrottled || first.TokenGeneration != 1 || first.Since.IsZero() {
		t.Fatalf("health %+v", first)
	}
	if wait := time.Until(first.NextProbe); wait < 40*time.Minute || wait > 80*time.Minute {
		t.Errorf("left alone for %s after a daily limit, want an hour or so", wait)
	}
	if f, err := h.Held(t.Context()); err != nil || f == nil || f.Cause != events.CauseThrottled {
		t.Errorf("held for %+v, %v", f, err)
	}
	if _, again := report(trouble(events.CauseThrottled, "")); again != seq {
		t.Error("the same trouble was written twice")
	}
	other, _ := report(trouble(events.CauseUnavailable, ""))
	if other.Failure.Cause != events.CauseUnavailable || !other.Since.Equal(first.Since) {
		t.Errorf("another trouble of a held org: %+v, want it told, and held since %s", other, first.Since)
	}
	creds, seq := report(trouble(events.CauseCredentials, ""))
	if _, again := report(trouble(events.CauseCredentials, "")); again != seq || creds.TokenGeneration != 1 {
		t.Errorf("a refused session was written twice, or of generation %d", creds.TokenGeneration)
	}
	r.token(2)
	h.until(t, 2)
	if newer, _ := report(trouble(events.CauseCredentials, "")); newer.TokenGeneration != 2 {
		t.Errorf("a newer session was refused, and the health says %d", newer.TokenGeneration)
	}
}

// until waits for a session of this generation, and uses it.
func (h replica) until(t *testing.T, generation uint64) {
	t.Helper()
	for {
		changed := h.tokens.Changed()
		if rec, _ := h.tokens.Current(); rec.Generation == generation {
			if err := h.FirstSession(t.Context()); err != nil {
				t.Fatal(err)
			}
			return
		}
		<-changed
	}
}

// TestTroubleIsToldOverAnothersWrite: a replica writes the calls it used while
// another one reports; the report is not lost, and nor is what it was about.
func TestTroubleIsToldOverAnothersWrite(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	once := sync.OnceFunc(func() { r.write(events.Health{State: events.HealthOK, Used: 5, Limit: 100}) })
	m := &meddling{afterRead: once}
	h := r.replica("a", m.wrap)
	if err := h.Report(t.Context(), trouble(events.CauseUnavailable, "")); err != nil {
		t.Fatal(err)
	}
	if got, _ := r.now(); got.State != events.HealthHeld {
		t.Errorf("health %+v", got)
	}
	// Another replica comes first with the same trouble: it is told once.
	r.write(events.Health{State: events.HealthOK})
	var theirs uint64
	m.afterRead = sync.OnceFunc(func() {
		r.write(events.Health{State: events.HealthHeld, Failure: trouble(events.CauseUnavailable, "")})
		_, theirs = r.now()
	})
	if err := h.Report(t.Context(), trouble(events.CauseUnavailable, "")); err != nil {
		t.Fatal(err)
	}
	if _, seq := r.now(); seq != theirs {
		t.Error("what the other replica wrote was replaced")
	}
}

// TestOneReplicaProbes: two see at the same moment that a probe is due.
func TestOneReplicaProbes(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(events.Health{State: events.HealthHeld, Failure: trouble(events.CauseUnavailable, ""), NextProbe: time.Now().Add(-time.Minute)})
	r.plan(emulator.Fault{Operation: "limits", Effect: emulator.EffectUnavailable})
	var met sync.WaitGroup
	met.Add(2)
	var replicas []replica
	for _, worker := range []string{"a", "b"} {
		m := &meddling{afterRead: sync.OnceFunc(func() { met.Done(); met.Wait() })}
		replicas = append(replicas, r.replica(worker, m.wrap))
	}
	var all sync.WaitGroup
	for _, h := range replicas {
		all.Go(func() {
			if wait, err := h.tryHeal(t.Context(), h.client); err != nil || wait <= 0 {
				t.Errorf("waits %s, %v", wait, err)
			}
		})
	}
	all.Wait()
	if n := r.calls("limits"); n != 1 {
		t.Errorf("%d probes, want one replica's alone", n)
	}
}

func (r *rig) plan(f emulator.Fault) {
	r.Helper()
	if _, err := r.emu.Plan(f); err != nil {
		r.Fatal(err)
	}
}

// TestAHeldOrgIsLeftAlone until a probe is due, but for a session that is newer
// than the one used last, and by a worker that has just started.
func TestAHeldOrgIsLeftAlone(t *testing.T) {
	t.Parallel()
	soon := time.Now().Add(time.Hour)
	held := func(cause events.Cause, change func(h *events.Health)) events.Health {
		h := events.Health{State: events.HealthHeld, Failure: trouble(cause, ""), NextProbe: soon, TokenGeneration: 1, At: soon}
		change(&h)
		return h
	}
	as := func(*events.Health) {}
	for name, c := range map[string]struct {
		health events.Health
		probes int64
		healed bool
	}{
		"well":                     {events.Health{State: events.HealthOK}, 0, true},
		"a probe is due":           {held(events.CauseThrottled, func(h *events.Health) { h.NextProbe = time.Time{} }), 1, true},
		"not due":                  {held(events.CauseThrottled, as), 0, false},
		"credentials, none newer":  {held(events.CauseCredentials, as), 0, false},
		"credentials, a newer one": {held(events.CauseCredentials, func(h *events.Health) { h.TokenGeneration = 0 }), 1, true},
		"a limit, a newer one":     {held(events.CauseThrottled, func(h *events.Health) { h.TokenGeneration = 0 }), 1, true},
		"held while nobody ran":    {held(events.CauseThrottled, func(h *events.Health) { h.At = time.Time{} }), 1, true},
		"somebody probes already":  {held(events.CauseThrottled, func(h *events.Health) { h.Prober = "b" }), 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.write(c.health)
			h := r.replica("a")
			wait, err := h.tryHeal(t.Context(), h.client)
			if err != nil || (wait == 0) != c.healed || wait > h.cfg.Probe.Poll {
				t.Errorf("waits %s, %v", wait, err)
			}
			if n := r.calls("limits"); n != c.probes {
				t.Errorf("%d probes, want %d", n, c.probes)
			}
			if got, _ := r.now(); (got.State == events.HealthOK) != c.healed {
				t.Errorf("health %+v", got)
			}
		})
	}
}

// TestAVainProbeSaysWhatIsWrongNow, and is waited for longer.
func TestAVainProbeSaysWhatIsWrongNow(t *testing.T) {
	t.Parallel()
	for effect, c := range map[emulator.Effect]struct {
		cause events.Cause
		wait  time.Duration
	}{
		emulator.EffectDailyLimit:      {events.CauseThrottled, time.Hour},
		emulator.EffectConcurrentLimit: {events.CauseThrottled, time.Minute},
		emulator.EffectUnavailable:     {events.CauseUnavailable, time.Minute},
		emulator.EffectDropBefore:      {events.CauseUnavailable, time.Minute},
		emulator.EffectGack:            {events.CauseUnavailable, time.Minute}, // which would be one person's elsewhere
	} {
		t.Run(string(effect), func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			since := time.Now().Add(-time.Hour).UTC().Truncate(time.Second)
			r.write(events.Health{State: events.HealthHeld, Failure: trouble(events.CauseLocked, ""), Since: since, Probes: 2, TokenGeneration: 7})
			r.plan(emulator.Fault{Operation: "limits", Effect: effect})
			h := r.replica("a")
			wait, err := h.tryHeal(t.Context(), h.client)
			got, _ := r.now()
			if err != nil || wait <= 0 || got.State != events.HealthHeld || got.Failure.Cause != c.cause {
				t.Fatalf("waits %s, %v; health %+v", wait, err, got)
			}
			if got.Probes != 3 || got.Prober != "" || got.TokenGeneration != 7 || !got.Since.Equal(since) {
				t.Errorf("health %+v", got)
			}
			if next := time.Until(got.NextProbe); next < 5*c.wait || next > 10*c.wait {
				t.Errorf("left alone for %s after three vain probes, want eight times %s or so", next, c.wait)
			}
		})
	}
}

// TestARefusalMeansThatSomebodyAnswers: the integration user may lack the right
// to ask for limits.
func TestARefusalMeansThatSomebodyAnswers(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write(events.Health{State: events.HealthHeld, Failure: trouble(events.CauseUnavailable, "")})
	r.plan(emulator.Fault{Operation: "limits", Effect: emulator.EffectStatus, Status: 403, Body: `[{"errorCode":"INSUFFICIENT_ACCESS","message":"no"}]`})
	h := r.replica("a")
	if wait, err := h.tryHeal(t.Context(), h.client); err != nil || wait != 0 {
		t.Errorf("waits %s, %v", wait, err)
	}
}

// TestALostRightHoldsUntilItIsBack: limits are answered all the while.
func TestALostRightHoldsUntilItIsBack(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	lost := trouble(events.CauseCredentials, plan.ValueRights)
	lost.Operation = plan.OpUpdate
	r.write(events.Health{State: events.HealthHeld, Failure: lost})
	if err := r.org.Deny(emulator.IntegrationUsername, emulator.DenyManageUsers); err != nil {
		t.Fatal(err)
	}
	h := r.replica("a")
	if wait, err := h.tryHeal(t.Context(), h.client); err != nil || wait == 0 {
		t.Errorf("worked on again without the right: %v", err)
	}
	if err := r.org.Allow(emulator.IntegrationUsername); err != nil {
		t.Fatal(err)
	}
	got, _ := r.now()
	got.NextProbe = time.Time{}
	r.write(got)
	if wait, err := h.tryHeal(t.Context(), h.client); err != nil || wait != 0 {
		t.Errorf("waits %s, %v, although the right is back", wait, err)
	}
}

func TestRightsCoverWhatTheyAreFor(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rights    Rights
		operation string
		want      bool
	}{
		{Rights{users: true, sets: true}, plan.OpAssign, true}, {Rights{users: true}, plan.OpAssign, false}, {Rights{users: true}, plan.OpUnassign, false},
		{Rights{sets: true}, plan.OpAssign, false}, {Rights{users: true}, plan.OpUpdate, true}, {Rights{sets: true}, plan.OpUpdate, false},
		{Rights{sets: true}, plan.OpDeactivate, false}, {AllRights(), plan.OpCreate, true},
	} {
		if c.rights.Cover(c.operation) != c.want {
			t.Errorf("%+v cover %s: %v", c.rights, c.operation, !c.want)
		}
	}
}

// TestDelaysGrowToTheirMaximum, and a limit of a moment is not waited for like
// that of a day.
func TestDelaysGrowToTheirMaximum(t *testing.T) {
	t.Parallel()
	h := &Org{cfg: Config{Probe: Probe{Daily: time.Hour, Concurrent: time.Second, Outage: time.Minute, Max: 3 * time.Hour}}}
	for name, c := range map[string]struct {
		f      *events.Failure
		probes int
		want   time.Duration
	}{
		"daily limit":             {trouble(events.CauseThrottled, salesforce.KindDailyLimit.String()), 0, time.Hour},
		"concurrent limit":        {trouble(events.CauseThrottled, salesforce.KindConcurrentLimit.String()), 0, time.Second},
		"concurrent, fourth time": {trouble(events.CauseThrottled, ""), 3, 8 * time.Second},
		"outage":                  {trouble(events.CauseUnavailable, ""), 0, time.Minute},
		"outage, second time":     {trouble(events.CauseUnavailable, ""), 1, 2 * time.Minute},
		"outage, for ever":        {trouble(events.CauseUnavailable, ""), 1000, 3 * time.Hour},
		"credentials":             {trouble(events.CauseCredentials, ""), 0, time.Hour},
	} {
		if d := h.delay(c.f, c.probes); d < c.want*8/10 || d > c.want*12/10 {
			t.Errorf("%s: %s, want %s or so", name, d, c.want)
		}
	}
}
