package health

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// probeSpread keeps the delays of replicas apart.
const probeSpread = 0.2

// Heal waits until the org is worked on again, which client tries. It returns ctx's error when ctx ends first.
func (h *Org) Heal(ctx context.Context, client *salesforce.Client) error {
	h.metrics.hold(ctx, true)
	for {
		changed := h.tokens.Changed()
		wait, err := h.tryHeal(ctx, client)
		if err == nil && wait == 0 {
			h.metrics.hold(ctx, false)
			return nil
		}
		if err != nil {
			h.log.DebugContext(ctx, "health could not be settled, trying again", "org", h.cfg.Org, "error", err)
			wait = h.cfg.Probe.Poll
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return ctx.Err()
		case <-changed:
			t.Stop()
		case <-t.C:
		}
	}
}

// tryHeal looks once: zero when the org is well, otherwise how long to wait.
func (h *Org) tryHeal(ctx context.Context, client *salesforce.Client) (time.Duration, error) {
	health, seq, err := h.read(ctx)
	if err != nil {
		return 0, err
	}
	if health.State != events.HealthHeld {
		return 0, nil
	}
	now := h.now(ctx)
	if !h.news(health) && now.Before(health.NextProbe) {
		return min(health.NextProbe.Sub(now)+time.Millisecond, h.cfg.Probe.Poll), nil
	}
	// Whoever wins this write probes; the others wait until the probe is over.
	health.Prober, health.NextProbe = h.worker, now.Add(h.cfg.CallTimeout+h.cfg.Probe.Poll).UTC()
	if err := h.swap(ctx, health, seq); err != nil {
		if errors.Is(err, bus.ErrConflict) {
			return h.cfg.Probe.Poll / 4, nil
		}
		return 0, err
	}
	h.looked.Store(true)
	f := h.probeUntilNews(ctx, client, health.Failure)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return h.probed(ctx, f)
}

// news says whether a held org is probed before its time: with a session newer
// than the last one used, which may be of another place, and by a worker that has
// just started, for what stood in the way may have gone while nobody ran. Whoever
// began before the first of several wrote leaves it to that one; who began later
// probes as well, once: a probe that is under way may be that of a worker that is
// gone.
func (h *Org) news(health events.Health) bool {
	began := h.began.Load()
	return h.newer(health.TokenGeneration) || !h.looked.Load() && began != nil && health.At.Before(*began)
}

// probeUntilNews is a probe that waits for no answer any more once there is a newer
// session: the org may have moved, and where it was nobody answers. A probe that
// waits for that very session has a moment to go on with it.
func (h *Org) probeUntilNews(ctx context.Context, client *salesforce.Client, was *events.Failure) *events.Failure {
	begun, _ := h.tokens.Current()
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	watching.Go(func() {
		for {
			changed := h.tokens.Changed()
			if h.newer(begun.Generation) {
				late := time.AfterFunc(h.cfg.Probe.Poll, cancel)
				defer late.Stop()
				<-ctx.Done()
				return
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
	return h.probe(ctx, client, was)
}

// probe tries what failed, cheaply, and returns what still holds the org; was is
// what held it until now.
func (h *Org) probe(ctx context.Context, client *salesforce.Client, was *events.Failure) *events.Failure {
	f := h.probeBy(ctx, func(ctx context.Context) error { _, err := client.Limits(ctx); return err })
	if f == nil && writes(was) {
		f = h.probeBy(ctx, func(ctx context.Context) error { return TryWrite(ctx, client) })
	}
	if f == nil && writes(was) && was.Code == codeReadOnly {
		f = h.probeBy(ctx, func(ctx context.Context) error { return stillReadOnly(ctx, client) })
	}
	if f == nil {
		return stillDemoted(ctx, client, was)
	}
	if writes(was) {
		f.Operation = was.Operation // the next probe tries it too
	}
	return f
}

// probeBy makes one call and returns what trouble of the org it met.
func (h *Org) probeBy(ctx context.Context, call func(context.Context) error) *events.Failure {
	err := h.timed(ctx, call)
	if TooLate(err) {
		err = h.timed(ctx, call) // the new session is at hand by now
	}
	if err == nil {
		return nil
	}
	if f := Trouble(err, plan.OpProbe); f != nil {
		return f
	}
	if f := plan.Diagnose(plan.Refusal{Err: plan.ErrorIn(err), Operation: plan.OpProbe, Probe: true}); f.Cause.OrgWide() {
		return f
	}
	return nil // refused for lack of a right, say: somebody answers
}

// timed makes a call within the time of one.
func (h *Org) timed(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.CallTimeout)
	defer cancel()
	err := call(ctx)
	h.cfg.Called(ctx, plan.OpProbe, err)
	return err
}

// probed writes what a probe found.
func (h *Org) probed(ctx context.Context, f *events.Failure) (time.Duration, error) {
	now := h.now(ctx)
	wait := time.Duration(0)
	was := events.Cause("")
	_, err := h.change(ctx, func(health *events.Health) bool {
		if health.Failure != nil {
			was = health.Failure.Cause
		}
		if f == nil {
			*health = events.Health{State: events.HealthOK, Since: now}
			return true
		}
		health.State, health.Failure, health.Prober = events.HealthHeld, f, ""
		health.Probes++
		health.TokenGeneration = max(h.generation(), health.TokenGeneration)
		wait = h.delay(f, health.Probes)
		health.NextProbe = now.Add(wait)
		wait = min(wait, h.cfg.Probe.Poll)
		return true
	})
	switch {
	case err != nil:
		return 0, err
	case f == nil:
		h.log.InfoContext(ctx, "org is worked on again", "org", h.cfg.Org)
	case f.Cause != was:
		h.log.WarnContext(ctx, "org held", "org", h.cfg.Org, "cause", f.Cause, "code", f.Code, "operation", f.Operation)
	}
	return wait, nil
}

// delay is how long a held org is left alone after so many vain probes.
func (h *Org) delay(f *events.Failure, probes int) time.Duration {
	first := h.cfg.Probe.Outage
	switch {
	case f.Cause == events.CauseThrottled && f.Value == salesforce.KindDailyLimit.String():
		first = h.cfg.Probe.Daily
	case f.Cause == events.CauseThrottled:
		first = h.cfg.Probe.Concurrent
	case f.Cause == events.CauseCredentials:
		first = h.cfg.Probe.Daily // a new token is not waited for by time
	}
	b := backoff.NewExponentialBackOff(backoff.WithInitialInterval(first), backoff.WithMultiplier(2),
		backoff.WithMaxInterval(h.cfg.Probe.Max), backoff.WithRandomizationFactor(probeSpread), backoff.WithMaxElapsedTime(0))
	d := b.NextBackOff()
	for range min(probes, 20) {
		d = b.NextBackOff()
	}
	return d
}
