package health

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

// casTries bounds a compare-and-set against other replicas.
const casTries = 5

// Roster is what health needs of the bus.
type Roster interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
	Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error)
	Now(ctx context.Context) (time.Time, error)
}

// Org is the health of one org, as one worker sees and reports it. It is safe
// for concurrent use.
type Org struct {
	cfg     Config
	worker  string
	roster  Roster
	tokens  *tokens.Reader
	log     *slog.Logger
	metrics *metrics
	usage   atomic.Pointer[salesforce.Usage]
	learnt  chan struct{} // usage is new
	last    atomic.Uint64 // the generation of the session used last
	began   atomic.Pointer[time.Time]
	looked  atomic.Bool // this worker has probed the org
}

// New is the health of the org that cfg names.
func New(cfg Config, worker string, roster Roster, reader *tokens.Reader, t *telemetry.Telemetry) (*Org, error) {
	m, err := newMetrics(t.Meter, cfg.Org)
	if err != nil {
		return nil, err
	}
	m.hold(context.Background(), false) // said from the start: a metric that is missing looks like one that is well
	return &Org{cfg: cfg, worker: worker, roster: roster, tokens: reader, log: t.Log, metrics: m, learnt: make(chan struct{}, 1)}, nil
}

// Held returns what holds the org as other replicas, or an earlier run, know it;
// nil if it is well.
func (h *Org) Held(ctx context.Context) (*events.Failure, error) {
	began := h.now(ctx)
	h.began.CompareAndSwap(nil, &began)
	health, _, err := h.read(ctx)
	if err != nil || health.State != events.HealthHeld {
		return nil, err
	}
	return health.Failure, nil
}

// read returns the health and its sequence; without any the org is well.
func (h *Org) read(ctx context.Context) (events.Health, uint64, error) {
	subject := events.HealthSubject(h.cfg.Org)
	entries, err := h.roster.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return events.Health{}, 0, fmt.Errorf("read health: %w", err)
	}
	e, ok := entries[subject]
	if !ok {
		return events.Health{State: events.HealthOK}, 0, nil
	}
	health, err := events.Decode[events.Health](e.Data)
	// By a clock that was hours ahead, older versions wrote that hours have to pass.
	if latest := e.Time.Add(h.longest()); health.NextProbe.After(latest) {
		health.NextProbe = latest
	}
	return health, e.Seq, err
}

// longest is longer than any time for which a held org is left alone.
func (h *Org) longest() time.Duration {
	return max(2*h.cfg.Probe.Max, h.cfg.Probe.Daily, h.cfg.CallTimeout+h.cfg.Probe.Poll)
}

// now is the server's time; ours where it cannot be had: a probe sooner or later
// does no harm.
func (h *Org) now(ctx context.Context) time.Time {
	now, err := h.roster.Now(ctx)
	if err != nil {
		h.log.DebugContext(ctx, "the server's time is not known", "org", h.cfg.Org, "error", err)
		return time.Now().UTC()
	}
	return now
}

// swap writes a health in place of the one with this sequence.
func (h *Org) swap(ctx context.Context, next events.Health, seq uint64) error {
	next.Org, next.At = h.cfg.Org, h.now(ctx)
	if u := h.usage.Load(); u != nil {
		next.Used, next.Limit = int(u.Used), int(u.Limit)
	}
	data, err := events.Encode(next)
	if err != nil {
		return fmt.Errorf("health: %w", err)
	}
	w := bus.Write{Subject: events.HealthSubject(h.cfg.Org), Data: data, Guarded: true, LastSeq: seq,
		Header: bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}}
	done, err := h.roster.Commit(ctx, events.StreamRoster, []bus.Group{{w}})
	if err != nil {
		return fmt.Errorf("write health: %w", err)
	}
	return done[0].Err
}

// change applies f to the health until it is written; f returns false where
// nothing is to be written.
func (h *Org) change(ctx context.Context, f func(*events.Health) bool) (changed bool, err error) {
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
