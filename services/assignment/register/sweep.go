package register

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
)

// Swept says how a sweep ended.
type Swept struct {
	People, Changed int
	// By is the replica that did it.
	By string
}

// Sweep sees to it that do is done once after the switch to the configuration in
// force, by one of all replicas; when that one is gone before the end, by another.
// It returns when it is done, or ctx ends. do gets the register's sequence: what
// is newer was worked out under this configuration already.
func (k *Keeper) Sweep(ctx context.Context, do func(ctx context.Context, before uint64) (people, changed int, err error)) (Swept, error) {
	t := k.term.Load()
	holder := &silence{}
	for t != nil {
		done, err := k.sweepOnce(ctx, t, holder, do)
		if err == nil && done.By != "" {
			return done, nil
		}
		if err != nil && ctx.Err() == nil {
			k.log.WarnContext(ctx, "comparing everybody with the configuration will start over", "error", err)
		}
		if err := k.rest(ctx, k.every, nil); err != nil {
			return Swept{}, err
		}
	}
	return Swept{}, ErrSuperseded
}

// sweepOnce does the sweep if nobody else does. By is empty while it is not done.
func (k *Keeper) sweepOnce(ctx context.Context, t *term, holder *silence, do func(context.Context, uint64) (int, int, error)) (Swept, error) {
	s, err := inforce.Read(ctx, k)
	if err != nil || s.Seq != t.seq {
		return Swept{}, err // of a switch, whoever holds the term hears by itself
	}
	if s.Swept() {
		return Swept{s.Sweep.People, s.Sweep.Changed, s.Sweep.Replica}, nil
	}
	if s.Sweep.Generation == t.generation && s.Sweep.Replica != k.replica {
		seq, at := s.HeardOf(s.Sweep.Replica)
		if !holder.look(max(seq, s.Sweep.Seq), s.Newest().Sub(at), k.every) {
			return Swept{}, nil
		}
	}
	record := events.Sweep{Generation: t.generation, Replica: k.replica}
	claim, ours, err := k.record(ctx, record, s.Sweep.Seq)
	if err != nil || !ours {
		return Swept{}, err
	}
	people, changed, err := do(ctx, t.seq)
	if err != nil {
		return Swept{}, err
	}
	record.Done, record.People, record.Changed = true, people, changed
	if _, ours, err = k.record(ctx, record, claim); err != nil || !ours {
		return Swept{}, err
	}
	return Swept{people, changed, k.replica}, nil
}

// record stores how far the sweep is, unless somebody else did meanwhile.
func (k *Keeper) record(ctx context.Context, r events.Sweep, last uint64) (seq uint64, ours bool, err error) {
	data, err := events.Encode(r)
	if err != nil {
		return 0, false, err
	}
	results, err := k.Commit(ctx, events.StreamRoster, []bus.Group{{{
		Subject: events.SweepSubject(), Data: data, Guarded: true, LastSeq: last,
		Header: bus.Header{events.HeaderContentType: {events.ContentTypeJSON}},
	}}})
	if err != nil {
		return 0, false, fmt.Errorf("record the sweep: %w", err)
	}
	if results[0].Err != nil {
		return 0, false, nil //nolint:nilerr // somebody else was first: it is theirs
	}
	return results[0].Seqs[0], true, nil
}
