package push

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

const (
	// casTries bounds a compare-and-set against other replicas.
	casTries = 5
	// probeSpread keeps the delays of replicas apart.
	probeSpread = 0.2
)

// hold keeps an org's health, which all replicas share. While it says held,
// nobody fetches work; one replica at a time tries whether the org is back.
type hold struct {
	bus     *bus.Bus
	cfg     OrgConfig
	worker  string
	log     *slog.Logger
	metrics *metrics
	usage   atomic.Pointer[salesforce.Usage]
	learnt  chan struct{} // usage is new
}

// read returns the health and its sequence; without any the org is well.
func (h *hold) read(ctx context.Context) (events.Health, uint64, error) {
	subject := events.HealthSubject(h.cfg.Name)
	entries, err := h.bus.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return events.Health{}, 0, fmt.Errorf("read health: %w", err)
	}
	e, ok := entries[subject]
	if !ok {
		return events.Health{State: events.HealthOK}, 0, nil
	}
	health, err := events.Decode[events.Health](e.Data)
	return health, e.Seq, err
}

// swap writes a health in place of the one with this sequence.
func (h *hold) swap(ctx context.Context, next events.Health, seq uint64) error {
	next.Org, next.At = h.cfg.Name, time.Now().UTC()
	if u := h.usage.Load(); u != nil {
		next.Used, next.Limit = int(u.Used), int(u.Limit)
	}
	data, err := events.Encode(next)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	w := bus.Write{Subject: events.HealthSubject(h.cfg.Name), Data: data, Guarded: true, LastSeq: seq,
		Header: bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}}
	done, err := h.bus.Commit(ctx, events.StreamRoster, []bus.Group{{w}})
	if err != nil {
		return fmt.Errorf("write health: %w", err)
	}
	return done[0].Err
}

// change applies f to the health until it is written; f returns false where
// nothing is to be written.
func (h *hold) change(ctx context.Context, f func(*events.Health) bool) (changed bool, err error) {
	for range casTries {
		health, seq, err := h.read(ctx)
		if err != nil {
			return false, err
		}
		if !f(&health) {
			return false, nil
		}
		err = h.swap(ctx, health, seq)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, bus.ErrConflict) {
			return false, err
		}
	}
	return false, fmt.Errorf("write health: %w", bus.ErrConflict)
}

// report says that the org is in trouble: once per trouble, whichever replica
// comes first.
func (h *hold) report(ctx context.Context, f *events.Failure, generation uint64) error {
	now := time.Now().UTC()
	changed, err := h.change(ctx, func(was *events.Health) bool {
		if covers(*was, f, generation) {
			return false
		}
		next := events.Health{State: events.HealthHeld, Failure: f, Since: now, TokenGeneration: generation}
		if was.State == events.HealthHeld {
			next.Since = was.Since
		}
		next.NextProbe = now.Add(h.delay(f, 0))
		*was = next
		return true
	})
	if changed {
		h.log.WarnContext(ctx, "org held", "org", h.cfg.Name, "cause", f.Cause, "code", f.Code, "operation", f.Operation)
	}
	return err
}

// covers says whether a health tells of a trouble already.
func covers(was events.Health, f *events.Failure, generation uint64) bool {
	return was.State == events.HealthHeld && was.Failure != nil && was.Failure.Cause == f.Cause &&
		(f.Cause != events.CauseCredentials || was.TokenGeneration >= generation)
}

// refused asks token-refresher for a successor of a session that Salesforce
// does not accept any more. That is everyday life, so it is no warning.
func (h *hold) refused(ctx context.Context, generation uint64) {
	now := time.Now().UTC()
	f := &events.Failure{Cause: events.CauseCredentials, Code: "INVALID_SESSION_ID", Message: "Session expired or invalid"}
	changed, err := h.change(ctx, func(was *events.Health) bool {
		if covers(*was, f, generation) {
			return false
		}
		*was = events.Health{State: events.HealthHeld, Failure: f, Since: now, TokenGeneration: generation,
			NextProbe: now.Add(h.delay(f, 0))}
		return true
	})
	if err != nil {
		h.log.WarnContext(ctx, "refused session not reported", "org", h.cfg.Name, "error", err)
	}
	if changed {
		h.log.InfoContext(ctx, "session refused, a new one is asked for", "org", h.cfg.Name)
	}
}

// renewed takes the report of a refused session back.
func (h *hold) renewed(ctx context.Context, generation uint64) {
	_, err := h.change(ctx, func(was *events.Health) bool {
		if was.State != events.HealthHeld || was.Failure == nil || was.Failure.Cause != events.CauseCredentials || was.TokenGeneration > generation {
			return false
		}
		*was = events.Health{State: events.HealthOK, Since: time.Now().UTC()}
		return true
	})
	if err != nil {
		h.log.WarnContext(ctx, "renewed session not reported", "org", h.cfg.Name, "error", err)
	}
}

// heal waits until the org is worked on again. It returns ctx's error when ctx
// ends first.
func (o *org) heal(ctx context.Context) error {
	if o.trouble == nil {
		return nil
	}
	o.metrics.hold(ctx, true)
	for {
		changed := o.reader.Changed()
		wait, err := o.tryHeal(ctx)
		if err == nil && wait == 0 {
			o.trouble = nil
			o.metrics.hold(ctx, false)
			return nil
		}
		if err != nil {
			o.log.DebugContext(ctx, "health could not be settled, trying again", "org", o.cfg.Name, "error", err)
			wait = o.cfg.Probe.Poll
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
func (o *org) tryHeal(ctx context.Context) (time.Duration, error) {
	h, seq, err := o.hold.read(ctx)
	if err != nil {
		return 0, err
	}
	if h.State != events.HealthHeld {
		return 0, nil
	}
	now := time.Now()
	fresh := h.Failure != nil && h.Failure.Cause == events.CauseCredentials && o.sessions.newer(h.TokenGeneration)
	if !fresh && now.Before(h.NextProbe) {
		return min(h.NextProbe.Sub(now)+time.Millisecond, o.cfg.Probe.Poll), nil
	}
	// Whoever wins this write probes; the others wait until the probe is over.
	h.Prober, h.NextProbe = o.worker, now.Add(o.cfg.CallTimeout+o.cfg.Probe.Poll).UTC()
	if err := o.hold.swap(ctx, h, seq); err != nil {
		if errors.Is(err, bus.ErrConflict) {
			return o.cfg.Probe.Poll / 4, nil
		}
		return 0, err
	}
	f := o.probe(ctx, h.Failure)
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	return o.hold.probed(ctx, f, o.sessions.generation())
}

// probe makes one cheap call and returns what still holds the org; was is what
// held it until now.
func (o *org) probe(ctx context.Context, was *events.Failure) *events.Failure {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.CallTimeout)
	defer cancel()
	_, err := o.client.Limits(ctx)
	o.metrics.call(ctx, opProbe, err)
	if err == nil {
		return o.stillDemoted(ctx, was)
	}
	if f := trouble(err, opProbe); f != nil {
		return f
	}
	e := salesforceError(err)
	if e.Class == salesforce.Timeout || e.Status >= 500 {
		f := failureOf(e, opProbe)
		f.Cause = events.CauseUnavailable
		return f
	}
	return nil // refused for lack of a right, say: somebody answers
}

// probed writes what a probe found.
func (h *hold) probed(ctx context.Context, f *events.Failure, generation uint64) (time.Duration, error) {
	now := time.Now().UTC()
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
		health.TokenGeneration = max(generation, health.TokenGeneration)
		wait = h.delay(f, health.Probes)
		health.NextProbe = now.Add(wait)
		wait = min(wait, h.cfg.Probe.Poll)
		return true
	})
	switch {
	case err != nil:
		return 0, err
	case f == nil:
		h.log.InfoContext(ctx, "org is worked on again", "org", h.cfg.Name)
	case f.Cause != was:
		h.log.WarnContext(ctx, "org held", "org", h.cfg.Name, "cause", f.Cause, "code", f.Code, "operation", f.Operation)
	}
	return wait, nil
}

// delay is how long a held org is left alone after so many vain probes.
func (h *hold) delay(f *events.Failure, probes int) time.Duration {
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
