package register

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// ErrSuperseded says that nothing may be stored: another configuration is in
// force. What was to be stored is for another replica to work out.
var ErrSuperseded = errors.New("another configuration is in force")

// Commit is [bus.Bus.Commit] under the configuration in force.
func (k *Keeper) Commit(ctx context.Context, stream string, groups []bus.Group) ([]bus.Committed, error) {
	return k.CommitSummed(ctx, stream, groups, nil)
}

// CommitSummed is [bus.Bus.CommitSummed] under the configuration in force: each
// batch carries a beat that names the register's sequence, and so nothing is
// stored after a switch. The error is [ErrSuperseded] then.
func (k *Keeper) CommitSummed(ctx context.Context, stream string, groups []bus.Group, sum bus.Sum) ([]bus.Committed, error) {
	t := k.term.Load()
	if t == nil {
		return make([]bus.Committed, len(groups)), ErrSuperseded
	}
	asked := false
	return k.bus.CommitSummed(ctx, stream, groups, func(ctx context.Context, in []int) (bus.Group, error) {
		if asked { // the batch before was refused, maybe for the register's sake
			if err := k.confirm(ctx, t); err != nil {
				return nil, err
			}
		}
		asked = true
		beat, err := k.beat(t, *k.seat.Load())
		if err != nil || sum == nil {
			return bus.Group{beat}, err
		}
		more, err := sum(ctx, in)
		return append(bus.Group{beat}, more...), err
	})
}

// confirm looks whether the register is as in t, and gives the term up if not.
func (k *Keeper) confirm(ctx context.Context, t *term) error {
	subject := events.ConfigurationSubject()
	have, err := k.bus.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return fmt.Errorf("read which configuration is in force: %w", err)
	}
	if have[subject].Seq > t.seq { // one that is behind proves nothing
		k.lose(t)
		return ErrSuperseded
	}
	return nil
}

// Latest reads as of the switch to this configuration, or later: what an older
// one left is seen, whichever server of a cluster answers.
func (k *Keeper) Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error) {
	t := k.term.Load()
	if t == nil || stream != events.StreamRoster {
		return k.bus.Latest(ctx, stream, subjects)
	}
	return k.bus.LatestAsOf(ctx, stream, subjects, events.ConfigurationSubject(), t.seq)
}

// Now is [bus.Bus.Now].
func (k *Keeper) Now(ctx context.Context) (time.Time, error) { return k.bus.Now(ctx) }

// At is [bus.Bus.At].
func (k *Keeper) At(ctx context.Context, stream string, seq uint64) (bus.Entry, error) {
	return k.bus.At(ctx, stream, seq)
}

// Scan is [bus.Bus.Scan].
func (k *Keeper) Scan(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error {
	return k.bus.Scan(ctx, stream, filter, from, each)
}
