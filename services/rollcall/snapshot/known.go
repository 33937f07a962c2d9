package snapshot

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

const (
	// foldPatience is how long assignment is waited for that has not read all
	// events yet, foldEvery how often it is looked at.
	foldPatience = 30 * time.Second
	foldEvery    = 200 * time.Millisecond
)

// Person is somebody whom a source has: it spoke of them, and has not removed
// them since.
type Person struct {
	ID    string
	Key   events.Key
	State events.SourceState
}

// Active says whether the source has them as active.
func (p *Person) Active() bool {
	active, said := p.State.IsActive()
	return active || !said
}

// same says whether the source has said nothing of them since.
func (p *Person) same(later Person) bool {
	return p.State.Origin.Seq == later.State.Origin.Seq && p.Active() == later.Active()
}

// Known reads everybody whom a source has, by correlation id.
func Known(ctx context.Context, b *bus.Bus, source string) (map[string]Person, error) {
	out := map[string]Person{}
	err := b.Scan(ctx, events.StreamRoster, events.PersonsAll, 1, func(e bus.Entry) error {
		p, err := events.Decode[events.PersonState](e.Data)
		if err != nil {
			return err
		}
		if s, ok := p.Sources[source]; ok && !s.Removed {
			out[p.CorrelationID] = Person{ID: p.CorrelationID, Key: p.Key, State: s}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read whom source %s has: %w", source, err)
	}
	return out, nil
}

// Folded waits until assignment has read every event there is by now: what it
// has not read yet is not known, and whoever is in it would be missed.
func Folded(ctx context.Context, b *bus.Bus) error {
	stream, err := b.Stream(ctx, events.StreamDirectory)
	if err != nil {
		return err
	}
	limited, cancel := context.WithTimeout(ctx, foldPatience)
	defer cancel()
	tick := time.NewTicker(foldEvery)
	defer tick.Stop()
	var c bus.ConsumerStatus
	for {
		now, err := b.Consumer(ctx, events.StreamDirectory, events.ConsumerAssignment)
		if err != nil && limited.Err() == nil {
			return err
		}
		if err == nil {
			c = now
		}
		if c.AckFloor >= stream.LastSeq {
			return nil
		}
		select {
		case <-tick.C:
		case <-limited.Done():
			return fmt.Errorf("assignment has not read all events yet (%d wait, %d are in hand), so who is missing from the file cannot be told: "+
				"see that it runs, and try again when `rollcall status` shows none", c.Pending, c.AckPending)
		}
	}
}
