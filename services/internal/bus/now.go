package bus

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

const (
	// clockAge is how long a look at the server's clock is relied on.
	clockAge = time.Minute
	// clockTry is how long a server that did not answer is not asked again.
	clockTry = 5 * time.Second
	// clockSlip is how far our two clocks may go apart meanwhile: one stands still
	// while a machine does, the other is set.
	clockSlip = 250 * time.Millisecond
)

// clock is the server's, as of the last look at it.
type clock struct {
	mu sync.Mutex
	// server is what it was at our time here; zero before the first look.
	server, here time.Time
	// tried is when it was asked last, in vain.
	tried time.Time
}

// Now is the server's time. Whatever one process stores and another acts on is said
// in it: how long a claim lasts, when to look again. It stamps the messages, too, so
// that it does not matter what the clocks of the processes say. It is asked for once
// a minute, and again when ours was set or stood still; an error says that it
// could not be.
func (b *Bus) Now(ctx context.Context) (time.Time, error) { return b.nowBy(ctx, events.StreamRoster) }

// Now is [Bus.Now] for whoever may look up the bucket and not ROSTER.
func (k *Bucket) Now(ctx context.Context) (time.Time, error) { return k.bus.nowBy(ctx, k.stream()) }

func (b *Bus) nowBy(ctx context.Context, stream string) (time.Time, error) {
	c := &b.clock
	c.mu.Lock()
	defer c.mu.Unlock()
	here := time.Now()
	since := here.Sub(c.here)
	steady := agree(since, here.Round(0).Sub(c.here.Round(0)))
	if c.server.IsZero() || !steady || since > clockAge && here.Sub(c.tried) > clockTry {
		ahead, _, err := b.clockBy(ctx, stream)
		switch {
		case err == nil:
			c.here = time.Now()
			c.server, since = c.here.Add(ahead), 0
		case c.server.IsZero():
			return time.Time{}, fmt.Errorf("ask for the server's time: %w", err)
		case !steady:
			return c.server.Add(since).UTC().Round(0), fmt.Errorf("ask for the server's time again: %w", err)
		default:
			c.tried = here // what was seen last is good for longer
		}
	}
	return c.server.Add(since).UTC().Round(0), nil
}

// Time is [Bus.Now] where a moment more or less does no harm: where the server's
// time cannot be had, it goes on from when it was had last; before, it is ours.
func (b *Bus) Time() time.Time { return b.timeBy(events.StreamRoster) }

// Time is [Bus.Time] for whoever may look up the bucket and not ROSTER.
func (k *Bucket) Time() time.Time { return k.bus.timeBy(k.stream()) }

func (b *Bus) timeBy(stream string) time.Time {
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	now, err := b.nowBy(ctx, stream)
	if err != nil {
		b.log.DebugContext(ctx, "the server's time is not known", "error", err)
	}
	if now.IsZero() {
		return time.Now().UTC()
	}
	return now
}

// agree says whether our monotonic clock and the one on the wall tell the same of the
// time since the last look.
func agree(monotonic, wall time.Duration) bool { return (wall - monotonic).Abs() <= clockSlip }
