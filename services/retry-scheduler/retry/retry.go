package retry

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// unreadableWait is how long a message waits that this version cannot read: a
// newer one, running beside it during an update, may.
const unreadableWait = 5 * time.Minute

// requestBatch is small because one request may name hundreds of dead letters.
const requestBatch = 8

// store is what the service needs of the bus.
type store interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
	LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]bus.Entry, error)
	At(ctx context.Context, stream string, seq uint64) (bus.Entry, error)
	Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error
	Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error)
	Remove(ctx context.Context, stream string, seq uint64) error
	Feed(ctx context.Context, stream, consumer string, prefetch int) (*bus.Feed, error)
	Stream(ctx context.Context, name string) (bus.StreamStatus, error)
	Ready() error
	Time() time.Time
}

// Service is retry-scheduler. Any number may run at once.
type Service struct {
	cfg     Config
	store   store
	tel     *telemetry.Telemetry
	metrics *metrics
	now     func() time.Time
	// watch keeps metrics that are looked at as long as the service runs.
	watch func() ([]metric.Registration, error)
}

// New returns a Service; Run starts it.
func New(cfg Config, b *bus.Bus, t *telemetry.Telemetry) (*Service, error) {
	if b == nil || t == nil {
		return nil, errors.New("retry-scheduler needs a bus and telemetry")
	}
	s, err := newService(cfg, b, t)
	if err != nil {
		return nil, err
	}
	s.watch = func() ([]metric.Registration, error) {
		parked, errParked := watchParked(b, t.Meter)
		paused, errPaused := watchPaused(b, t.Meter)
		return []metric.Registration{parked, paused}, errors.Join(errParked, errPaused)
	}
	return s, nil
}

func newService(cfg Config, s store, t *telemetry.Telemetry) (*Service, error) {
	m, err := newMetrics(t.Meter)
	if err != nil {
		return nil, err
	}
	return &Service{cfg: cfg.withDefaults(), store: s, tel: t, metrics: m, now: s.Time}, nil
}

// Ready returns nil while the service can do its work.
func (s *Service) Ready() error { return s.store.Ready() }

// Run works until ctx ends and returns nil then, having finished its batches.
func (s *Service) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	if s.watch != nil {
		watches, err := s.watch()
		for _, w := range watches {
			if w != nil {
				defer func() { _ = w.Unregister() }() // nothing else can be done about it
			}
		}
		if err != nil {
			return err
		}
	}
	var all sync.WaitGroup
	for _, in := range []struct {
		stream, consumer string
		batch            int
		handle           handler
	}{
		{events.StreamRoster, events.ConsumerOutcomes, s.cfg.Batch, s.handleOutcomes},
		{events.StreamRoster, events.ConsumerRejections, s.cfg.Batch, s.handleRejections},
		{events.StreamOperator, events.ConsumerOperator, requestBatch, s.handleRequests},
	} {
		all.Go(func() {
			if err := s.consume(ctx, in.stream, in.consumer, in.batch, in.handle); err != nil {
				cancel(fmt.Errorf("consume %s: %w", in.consumer, err))
			}
		})
	}
	all.Go(func() { s.sweep(ctx) })
	all.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return nil
}

// handler handles a batch. What it puts into later comes again; the rest is
// acknowledged. After an error the whole batch comes again.
type handler func(ctx context.Context, msgs []*bus.Message, later postponed) error

// postponed are the messages that come again, and when.
type postponed map[*bus.Message]time.Duration

func (s *Service) consume(ctx context.Context, stream, consumer string, batch int, handle handler) error {
	feed, err := s.store.Feed(ctx, stream, consumer, 2*batch)
	if err != nil {
		return err
	}
	defer feed.Close()
	for {
		msgs, err := feed.Next(ctx, batch, s.cfg.Linger)
		if ctx.Err() != nil && len(msgs) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		s.step(ctx, consumer, msgs, handle)
	}
}

// step handles one batch and answers it, also when ctx ends meanwhile.
func (s *Service) step(ctx context.Context, consumer string, msgs []*bus.Message, handle handler) {
	work, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.StepTimeout)
	defer cancel()
	later := postponed{}
	if err := handle(work, msgs, later); err != nil {
		s.tel.Log.WarnContext(work, "batch is put back", "consumer", consumer, "messages", len(msgs), "error", err)
		for _, m := range msgs {
			later[m] = s.cfg.PutBack
		}
	}
	for _, m := range msgs {
		delay, again := later[m]
		answer := m.Ack
		if again {
			answer = func() error { return m.Nak(delay) }
		}
		if err := answer(); err != nil {
			// It comes again by itself, and is handled to the same end.
			s.tel.Log.DebugContext(work, "message was not settled", "consumer", consumer, "error", err)
		}
	}
}

// postpone puts a message back that cannot be read. The error is logged at the
// first delivery only.
func (s *Service) postpone(ctx context.Context, m *bus.Message, later postponed, err error) {
	later[m] = unreadableWait
	if m.Deliveries == 1 {
		s.tel.Log.ErrorContext(ctx, "message cannot be read and is put back", "seq", m.Seq, "error", err)
	}
}
