package pauses

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// readEvery is how late a pause is heard of: within a second, whatever else a
// read takes. The table is asked for rather than listened to: it takes the one
// right without which nobody could work at all, so that a service which lacks a
// right cannot miss a pause in silence.
const readEvery = 250 * time.Millisecond

// Bus is what is needed of the bus; [bus.Bus] has it.
type Bus interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
}

// Watch knows what is paused. Until the table has been read, and while it cannot
// be understood, everything is. It is safe for concurrent use.
type Watch struct {
	bus Bus
	log *slog.Logger

	mu      sync.Mutex
	looked  bool
	known   bool
	pauses  events.Pauses
	seq     uint64
	changed chan struct{}
}

// New returns a Watch that has read nothing yet.
func New(b Bus, log *slog.Logger) *Watch {
	return &Watch{bus: b, log: log, changed: make(chan struct{})}
}

// Read reads the table, which whoever takes messages waits for before the first.
// It tries until that succeeds, and returns ctx's error when ctx ends first.
func (w *Watch) Read(ctx context.Context) error {
	failing := false
	for {
		err := w.read(ctx)
		if err == nil {
			return nil
		}
		if !failing {
			w.log.WarnContext(ctx, "nothing is taken: whether it is paused cannot be read", "error", err)
		}
		failing = true
		if err := rest(ctx); err != nil {
			return err
		}
	}
}

// Run follows the table until ctx ends. While NATS is away, what was known last
// is so still.
func (w *Watch) Run(ctx context.Context) {
	for rest(ctx) == nil {
		if err := w.read(ctx); err != nil && ctx.Err() == nil {
			w.log.DebugContext(ctx, "what is paused could not be read", "error", err)
		}
	}
}

func rest(ctx context.Context) error {
	t := time.NewTimer(readEvery)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (w *Watch) read(ctx context.Context) error {
	found, err := w.bus.Latest(ctx, events.StreamRoster, []string{events.PausesSubject()})
	if err == nil {
		w.take(ctx, found[events.PausesSubject()])
	}
	return err
}

// take takes a table in; one that is older than what is known is not believed:
// it may come from a server that is behind.
func (w *Watch) take(ctx context.Context, e bus.Entry) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if e.Seq < w.seq || e.Seq == w.seq && w.looked {
		return
	}
	w.looked = true
	var p events.Pauses
	var err error
	if e.Seq > 0 {
		p, err = events.Decode[events.Pauses](e.Data)
	}
	w.seq, w.known, w.pauses = e.Seq, err == nil, p
	if err != nil {
		w.log.ErrorContext(ctx, "nothing is taken: what is paused cannot be understood", "error", err)
	}
	close(w.changed)
	w.changed = make(chan struct{})
}

// Changed is closed when something is paused or resumed.
func (w *Watch) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Org says whether a lane of an org is paused, by itself or with its org.
func (w *Watch) Org(org string, lane events.Lane) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.known || w.pauses.Org(org, lane)
}

// Source says whether a source is paused.
func (w *Watch) Source(source string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.known || w.pauses.Source(source)
}
