package assign

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/trace"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/register"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/pauses"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	// batchSize is the most events of one step: with one org (person, desired
	// and work) it just fills one atomic batch, whose fsync they share.
	batchSize = 330
	// prefetch keeps a next batch ready while one is worked on.
	prefetch = 2 * batchSize
	// again is when an undecided event comes again; unreadableAgain when it waits
	// for somebody who can read the stored state.
	again           = time.Second
	unreadableAgain = time.Minute
)

// roster is what is needed of the bus; [bus.Bus] has it.
type roster interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
	Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error)
	CommitSummed(ctx context.Context, stream string, groups []bus.Group, sum bus.Sum) ([]bus.Committed, error)
	Now(ctx context.Context) (time.Time, error)
	At(ctx context.Context, stream string, seq uint64) (bus.Entry, error)
	Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error
}

// Service is assignment. Any number of replicas may run.
type Service struct {
	file   config.File
	reader *reader
	rules  *rules.Rules
	gates  map[string]orgGate
	bursts bursts

	bus *bus.Bus
	// register lets events be taken only while this configuration is in force;
	// roster reads and stores through it.
	register *register.Keeper
	roster   roster
	pauses   *pauses.Watch

	log     *slog.Logger
	tracer  trace.Tracer
	metrics *metrics
	// watchHeld keeps a metric that is looked at as long as the service runs.
	watchHeld func() (metric.Registration, error)
	lull      *lull
	// work is the body of every work message.
	work []byte
	// unreadableAgain is the constant, but in tests.
	unreadableAgain time.Duration

	open atomic.Bool
	// swept is closed when everybody has been compared with the configuration.
	swept     chan struct{}
	sweptOnce sync.Once
}

// New returns a Service; it reads nothing before Run.
func New(cfg Config, b *bus.Bus, t *telemetry.Telemetry) (*Service, error) {
	if cfg.reader == nil || b == nil || t == nil {
		return nil, errors.New("new assignment: config (from ConfigFrom), bus and telemetry are all needed")
	}
	work, err := events.Encode(events.Work{Reason: events.ReasonChanged})
	if err != nil {
		return nil, err
	}
	m, err := newMetrics(t.Meter)
	if err != nil {
		return nil, fmt.Errorf("register metrics: %w", err)
	}
	keeper := register.New(b, cfg.id, cfg.beat, t.Log)
	return &Service{
		file: cfg.file, reader: cfg.reader, rules: cfg.rules, gates: cfg.gates,
		bus: b, register: keeper, roster: keeper, pauses: pauses.New(b, t.Log), log: t.Log, tracer: t.Tracer, metrics: m, lull: newLull(),
		watchHeld: func() (metric.Registration, error) { return watchHeld(b, t.Meter) },
		work:      work, unreadableAgain: unreadableAgain, swept: make(chan struct{}),
	}, nil
}

// Ready returns nil while events are being taken, or another replica takes them
// under the configuration that is in force.
func (s *Service) Ready() error {
	if !s.open.Load() && s.register.StandsBy() == "" {
		return errors.New("assignment has not opened its consumers yet")
	}
	return s.bus.Ready()
}

// Remark says that the service is ready and takes nothing, and why.
func (s *Service) Remark() string { return s.register.StandsBy() }

// Refused is told whether a changed configuration file was refused.
func (s *Service) Refused(is bool) { s.register.Refused(is) }

// Run takes events while its configuration is in force, until ctx ends; the
// batch in hand is finished then.
func (s *Service) Run(ctx context.Context) error {
	watch, err := s.watchHeld()
	if err != nil {
		return err
	}
	defer func() { _ = watch.Unregister() }() // nothing else can be done about it
	return s.register.Run(ctx, s.take)
}

// feeds are what the service takes.
type feeds struct{ events, reconsider, releases *bus.Feed }

// openFeeds opens all feeds; those that are open are in what it returns also where
// one fails.
func (s *Service) openFeeds(ctx context.Context) (f feeds, err error) {
	if f.events, err = s.bus.Feed(ctx, events.StreamDirectory, events.ConsumerAssignment, prefetch); err != nil {
		return f, fmt.Errorf("open events: %w", err)
	}
	if f.reconsider, err = s.bus.Feed(ctx, events.StreamRoster, events.ConsumerReconsider, batchSize); err != nil {
		return f, fmt.Errorf("open reconsiderations: %w", err)
	}
	if f.releases, err = s.bus.Feed(ctx, events.StreamRoster, events.ConsumerReleases, batchSize); err != nil {
		return f, fmt.Errorf("open releases: %w", err)
	}
	return f, nil
}

func (f feeds) close() {
	for _, one := range []*bus.Feed{f.events, f.reconsider, f.releases} {
		if one != nil {
			one.Close()
		}
	}
}

// take takes events until ctx ends.
func (s *Service) take(ctx context.Context) error {
	if s.pauses.Read(ctx) != nil {
		return nil // told to stop before anything began
	}
	feeds, err := s.openFeeds(ctx)
	defer feeds.close()
	switch {
	case err != nil && ctx.Err() != nil:
		return nil // told to stop while they were opened
	case err != nil:
		return err
	}
	if s.rules.Assumed() {
		s.log.WarnContext(ctx, "authority is not configured: who is employed is decided by precedence; write which sources decide it, the most trusted first")
	}
	s.open.Store(true)
	defer s.open.Store(false)

	var wg sync.WaitGroup
	wg.Go(func() { s.pauses.Run(ctx) })
	wg.Go(func() { s.takeEvents(ctx, feeds.events) })
	wg.Go(func() { s.takeAsides(ctx) })
	wg.Go(func() { s.takeReconsiderations(ctx, feeds.reconsider) })
	wg.Go(func() { s.takeReleases(ctx, feeds.releases) })
	wg.Go(func() { s.sweepUp(ctx) })
	wg.Wait()
	return nil
}

// takeEvents runs one step after the other, without waiting for a batch to
// fill: the first event and whatever is there with it.
func (s *Service) takeEvents(ctx context.Context, feed *bus.Feed) {
	for {
		msgs := feed.TryNext(batchSize)
		if len(msgs) == 0 {
			s.lull.setIdle(true)
			var err error
			if msgs, err = feed.Next(ctx, batchSize, 0); err != nil {
				return
			}
			s.lull.setIdle(false)
		}
		if msgs = s.setAside(ctx, msgs); len(msgs) > 0 {
			s.step(ctx, msgs)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// lull lets background work wait for a quiet moment.
type lull struct {
	mu   sync.Mutex
	idle chan struct{} // closed while idle
	is   bool
}

func newLull() *lull { return &lull{idle: make(chan struct{})} }

func (l *lull) setIdle(idle bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.is == idle {
		return
	}
	l.is = idle
	if idle {
		close(l.idle)
		return
	}
	l.idle = make(chan struct{})
}

// wait returns in a quiet moment, or after limit: background work must not
// starve.
func (l *lull) wait(ctx context.Context, limit time.Duration) error {
	l.mu.Lock()
	idle := l.idle
	l.mu.Unlock()
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait for a quiet moment: %w", ctx.Err())
	case <-idle:
	case <-t.C:
	}
	return nil
}
