package register

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	jitter "math/rand/v2"
	"os"
	"sync/atomic"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
)

// conflictWait bounds how long a replica waits after another was first.
const conflictWait = 20 * time.Millisecond

// store is what is needed of the bus; [bus.Bus] has it.
type store interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
	LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]bus.Entry, error)
	Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error)
	CommitSummed(ctx context.Context, stream string, groups []bus.Group, sum bus.Sum) ([]bus.Committed, error)
	At(ctx context.Context, stream string, seq uint64) (bus.Entry, error)
	Now(ctx context.Context) (time.Time, error)
	Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error
	Follow(ctx context.Context, stream string, subjects []string, each func(bus.Entry)) error
}

// Keeper is one replica's part in keeping one configuration in force.
type Keeper struct {
	bus     store
	id      events.ConfigurationID
	replica string
	log     *slog.Logger
	every   time.Duration

	// term is set while the replica's configuration is in force, seat once it has
	// a number for its beats.
	term atomic.Pointer[term]
	seat atomic.Pointer[string]
	// ahead is what is in force instead; nil while nothing is.
	ahead   atomic.Pointer[events.Configuration]
	refused atomic.Bool
}

// term is the time in which one configuration is in force: from one sequence of
// the register to the next.
type term struct {
	generation, seq uint64
	end             context.CancelFunc
}

// New makes a Keeper for a replica with this configuration. every is how often
// it looks and gives a sign of life; 0 is [inforce.Every].
func New(b store, id events.ConfigurationID, every time.Duration, log *slog.Logger) *Keeper {
	if every <= 0 {
		every = inforce.Every
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return &Keeper{bus: b, id: id, replica: host + "/" + rand.Text()[:6], log: log, every: every}
}

// Refused is told whether a changed configuration file was refused, so that the
// replica's beats say it.
func (k *Keeper) Refused(is bool) { k.refused.Store(is) }

// StandsBy says for what the replica stands by; empty while it does not.
func (k *Keeper) StandsBy() string {
	c := k.ahead.Load()
	if c == nil {
		return ""
	}
	return fmt.Sprintf("configuration %s is superseded and stands by: %s of generation %d is in force", k.id.Hash, c.Hash, c.Generation)
}

// Run calls work whenever the replica's configuration comes into force, and ends
// work's context when it no longer is; until ctx ends, or work fails.
func (k *Keeper) Run(ctx context.Context, work func(context.Context) error) error {
	news := make(chan struct{}, 1)
	following, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		err := k.bus.Follow(following, events.StreamRoster, []string{events.ConfigurationSubject()}, func(bus.Entry) {
			select {
			case news <- struct{}{}:
			default:
			}
		})
		if err != nil { // each look finds what it would have told
			k.log.WarnContext(ctx, "a change of the configuration in force will be seen late", "error", err)
		}
	}()
	defer k.leave(ctx)
	for {
		t, err := k.await(ctx, news)
		if err != nil {
			return nil // ctx has ended
		}
		if err := k.hold(ctx, t, news, work); err != nil || ctx.Err() != nil {
			return err
		}
	}
}

// await stands by until the replica's configuration is in force.
func (k *Keeper) await(ctx context.Context, news <-chan struct{}) (*term, error) {
	current := &silence{}
	for {
		t, err := k.attend(ctx, current)
		if t != nil {
			return t, nil
		}
		wait := k.every
		switch {
		case errors.Is(err, bus.ErrConflict): // another replica was first: look at once
			wait = jitter.N(conflictWait) + time.Millisecond //nolint:gosec // jitter, not a secret
		case err != nil && ctx.Err() == nil:
			k.log.WarnContext(ctx, "which configuration is in force cannot be seen", "error", err)
		}
		if err := k.rest(ctx, wait, news); err != nil {
			return nil, err
		}
	}
}

// attend looks once. It returns a term if the replica's configuration is in
// force, or could be put into force.
func (k *Keeper) attend(ctx context.Context, current *silence) (*term, error) {
	s, err := inforce.Read(ctx, k.bus)
	if err != nil {
		return nil, err
	}
	if err := k.sit(ctx, s); err != nil {
		return nil, err
	}
	heard, at := s.Heard()
	gone := current.look(heard, s.Newest().Sub(at), k.every)
	switch {
	case s.Seq > 0 && s.ConfigurationID == k.id:
		return &term{generation: s.Generation, seq: s.Seq}, nil
	case s.Seq > 0 && s.Knows(k.id) && !gone:
		k.standBy(ctx, s.Configuration)
		return nil, k.signal(ctx, nil)
	}
	return k.put(ctx, s, gone)
}

// standBy notes what is in force instead, and says it once.
func (k *Keeper) standBy(ctx context.Context, c events.Configuration) {
	if before := k.ahead.Swap(&c); before == nil || before.Generation != c.Generation {
		k.log.WarnContext(ctx, "another configuration is in force: this replica stands by",
			"hash", k.id.Hash, "in_force", c.Hash, "program", c.Program, "generation", c.Generation)
	}
}

// put puts the replica's configuration into force.
func (k *Keeper) put(ctx context.Context, s inforce.State, gone bool) (*term, error) {
	next := s.Next(k.id, k.replica)
	data, err := events.Encode(next)
	if err != nil {
		return nil, err
	}
	results, err := k.bus.Commit(ctx, events.StreamRoster, []bus.Group{{{
		Subject: events.ConfigurationSubject(), Data: data, Guarded: true, LastSeq: s.Seq,
		Header: bus.Header{events.HeaderContentType: {events.ContentTypeJSON}},
	}}})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return nil, fmt.Errorf("put the configuration into force: %w", err)
	}
	k.log.InfoContext(ctx, "configuration is in force", "hash", k.id.Hash, "generation", next.Generation,
		"before", s.Hash, "taken_over", gone && s.Knows(k.id))
	return &term{generation: next.Generation, seq: results[0].Seqs[0]}, nil
}

// hold does the work of a term until it ends.
func (k *Keeper) hold(ctx context.Context, t *term, news <-chan struct{}, work func(context.Context) error) error {
	running, end := context.WithCancel(ctx)
	defer end()
	t.end = end
	k.term.Store(t)
	k.ahead.Store(nil)
	if err := k.signal(running, t); err != nil {
		k.log.DebugContext(ctx, "first sign of life got lost", "error", err)
	}
	done := make(chan error, 1)
	go func() { done <- work(running) }()
	for {
		select {
		case err := <-done:
			// A term that was lost is none any more. Of one that ends with the
			// replica, the batch in hand was still to be stored.
			k.term.CompareAndSwap(t, nil)
			return err
		case <-news:
			_ = k.confirm(ctx, t) // it gives the term up if need be
		case <-time.After(k.every):
			k.tend(running, t)
		}
	}
}

// tend gives a sign of life, under a number that is ours.
func (k *Keeper) tend(ctx context.Context, t *term) {
	if k.term.Load() != t || ctx.Err() != nil {
		return
	}
	s, err := inforce.Read(ctx, k.bus)
	if err == nil {
		err = k.sit(ctx, s)
	}
	if err == nil {
		err = k.signal(ctx, t)
	}
	if err != nil && ctx.Err() == nil && !errors.Is(err, ErrSuperseded) {
		k.log.DebugContext(ctx, "sign of life got lost", "error", err)
	}
}

// lose ends a term before its work knows.
func (k *Keeper) lose(t *term) {
	if k.term.CompareAndSwap(t, nil) {
		k.log.Warn("another configuration has come into force: nothing more is stored under this one",
			"hash", k.id.Hash, "generation", t.generation)
		t.end()
	}
}

// rest waits for the time of the next look, or for news.
func (k *Keeper) rest(ctx context.Context, d time.Duration, news <-chan struct{}) error {
	wait := time.NewTimer(d)
	defer wait.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait for the next look: %w", ctx.Err())
	case <-wait.C:
	case <-news:
	}
	return nil
}

// Hash is of the replica's configuration.
func (k *Keeper) Hash() string { return k.id.Hash }
