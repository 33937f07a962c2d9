package push_test

import (
	"context"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// rarely has a held org probed no more than once in the time of a test: whoever
// is quick does not wait for the next probe.
func rarely(s *setup) {
	s.cfg.Probe.Daily, s.cfg.Probe.Outage, s.cfg.Probe.Max = time.Hour, time.Hour, time.Hour
}

// holdLong holds the org for an hour, as an earlier run left it.
func (r *rig) holdLong(f events.Failure) {
	r.t.Helper()
	h := events.Health{V: 1, Org: orgName, State: events.HealthHeld, Failure: &f, Since: time.Now(), At: time.Now(),
		TokenGeneration: 1, NextProbe: time.Now().Add(time.Hour), Probes: 9}
	_, err := r.bus.Commit(context.Background(), events.StreamRoster, []bus.Group{{{Subject: events.HealthSubject(orgName), Data: encode(r.t, h)}}})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) healed() {
	r.t.Helper()
	r.until("the org to be worked on", func() bool { return r.health.State == events.HealthOK })
}

// TestHeldOrgIsProbedAtTheStart has an earlier run leave the org held for long,
// for any reason.
func TestHeldOrgIsProbedAtTheStart(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]events.Failure{
		"outage":      {Cause: events.CauseUnavailable, Operation: "lookup", Message: "no answer"},
		"credentials": {Cause: events.CauseCredentials, Operation: "lookup", Message: "refused"},
		"daily limit": {Cause: events.CauseThrottled, Operation: "lookup", Value: "daily_limit", Message: "too many"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			r.holdLong(f)
			revisions := r.want(person(1))
			r.start(rarely)
			r.awaitOutcomes(revisions)
			r.nobodyFailed()
			r.healed()
		})
	}
}

// TestStartersProbeOnce has several replicas start while the org is held: each
// probes once at the most, and whoever began before another wrote not at all.
func TestStartersProbeOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	fault := r.plan(emulator.Fault{Effect: emulator.EffectDailyLimit})
	r.holdLong(events.Failure{Cause: events.CauseThrottled, Value: "daily_limit", Operation: "lookup", Message: "too many"})
	for range 3 {
		r.start(rarely)
	}
	r.until("a vain probe", func() bool { return r.health.Probes >= 10 && r.health.Prober == "" })
	<-time.After(10 * r.config().Probe.Poll)
	if f, _ := r.emu.Fault(fault); f.Used < 1 || f.Used > 3 {
		t.Errorf("three starters probed %d times", f.Used)
	}
	r.emu.RemoveFault(fault)
	revisions := r.want(person(1))
	r.token(2)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
}

// TestNewTokenBringsTheProbeForward has the org answer again with the next token
// only, whatever it was held for.
func TestNewTokenBringsTheProbeForward(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.start(rarely)
	r.push(person(0))
	fault := r.plan(emulator.Fault{Effect: emulator.EffectUnavailable})
	revisions := r.want(person(1))
	r.held(events.CauseUnavailable)
	r.emu.RemoveFault(fault)
	r.token(2)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
	r.healed()
}

// TestLateTokenIsNotBlamed has the successor of a refused session come when its
// call has hardly any time left: it was not tried, and holds nothing.
func TestLateTokenIsNotBlamed(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const call = 4 * time.Second
	r.start(rarely, func(s *setup) { s.cfg.CallTimeout, s.cfg.ClaimTTL = call, 2*call })
	r.push(person(0))
	r.org.ExpireSessions()
	revisions := r.want(person(1))
	r.held(events.CauseCredentials)
	<-time.After(call/2 + call/10)
	r.token(2)
	r.awaitOutcomes(revisions)
	r.nobodyFailed()
	r.healed()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.history) != 2 {
		t.Errorf("health %v, want it held once and healed once", r.history)
	}
}
