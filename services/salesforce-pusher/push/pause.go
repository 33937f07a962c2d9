package push

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// paused says whether a lane of the org is left alone.
func (o *org) paused(lane events.Lane) bool { return o.pauses.Org(o.cfg.Name, lane) }

// heed wakes whoever waits for messages whenever something is paused or resumed,
// until ctx ends.
func (o *org) heed(ctx context.Context, feeds *bus.Priority) {
	for {
		changed := o.pauses.Changed()
		feeds.Wake()
		select {
		case <-ctx.Done():
			return
		case <-changed:
		}
	}
}

// orPaused ends the calls of a load whose lane was paused meanwhile: it may have
// thousands of people to go. Whoever is left is given back.
func (l *load) orPaused(halted error) error {
	if halted == nil && l.org.paused(events.LaneBackfill) {
		return &halt{}
	}
	return halted
}
