package register

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
)

const (
	// silentLooks is how many looks in a row hear nothing new of somebody who
	// counts as gone. Looks are counted rather than time: a process that stood
	// still has not been looking.
	silentLooks = int(inforce.Silence / inforce.Every)
	// surelyLooks are enough where the server's clock says as well that nothing
	// was heard for so long: somebody may have gone long before we came. One look
	// is not, for that clock may jump when another server of a cluster leads.
	surelyLooks = 2
	// abandoned is how many times the silence of one who is gone it takes until
	// somebody else may have their number.
	abandoned = 10
	// leaveTimeout bounds the last word of a replica that ends.
	leaveTimeout = 2 * time.Second
)

// silence listens for somebody.
type silence struct {
	heard uint64
	looks int
}

// look says whether they count as gone: heard is the sequence of their newest
// sign of life, which is older than the server's newest by age.
func (q *silence) look(heard uint64, age, every time.Duration) bool {
	if q.heard != heard {
		*q = silence{heard: heard}
		return false
	}
	q.looks++
	return q.looks >= silentLooks || q.looks >= surelyLooks && age >= time.Duration(silentLooks)*every
}

// beat is this replica's sign of life, to be stored only if the register is
// still as in t; of one that stands by, t is nil.
func (k *Keeper) beat(t *term, subject string) (bus.Write, error) {
	b := events.Beat{Replica: k.replica, ConfigurationID: k.id, Refused: k.refused.Load()}
	w := bus.Write{Subject: subject, Header: bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}}
	if t != nil {
		b.Generation = t.generation
		w.Guarded, w.GuardSubject, w.LastSeq = true, events.ConfigurationSubject(), t.seq
	}
	var err error
	w.Data, err = events.Encode(b)
	return w, err
}

// sit gives the replica a number for its beats: the first that nobody has, or
// had for long. It is looked at again each time, for a replica that stood still
// long enough has lost its number.
func (k *Keeper) sit(ctx context.Context, s inforce.State) error {
	own := k.seat.Load()
	if own != nil && slices.ContainsFunc(s.Beats, func(b inforce.Beat) bool { return b.Subject == *own && b.Replica == k.replica }) {
		return nil
	}
	subject, last := free(s, time.Duration(abandoned*silentLooks)*k.every)
	w, err := k.beat(nil, subject)
	if err != nil {
		return err
	}
	w.Guarded, w.LastSeq = true, last
	results, err := k.bus.Commit(ctx, events.StreamRoster, []bus.Group{{w}})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return fmt.Errorf("take a number for beats: %w", err)
	}
	k.seat.Store(&subject)
	return nil
}

// free is the first subject of beats that nobody has, and its newest sequence.
func free(s inforce.State, after time.Duration) (subject string, last uint64) {
	for n := 1; ; n++ {
		subject = events.BeatSubject(n)
		i := slices.IndexFunc(s.Beats, func(b inforce.Beat) bool { return b.Subject == subject })
		switch {
		case i < 0:
			return subject, 0
		case s.Newest().Sub(s.Beats[i].At) >= after:
			return subject, s.Beats[i].Seq
		}
	}
}

// signal stores a sign of life between commits.
func (k *Keeper) signal(ctx context.Context, t *term) error {
	w, err := k.beat(t, *k.seat.Load())
	if err != nil {
		return err
	}
	results, err := k.bus.Commit(ctx, events.StreamRoster, []bus.Group{{w}})
	if err != nil {
		return fmt.Errorf("give a sign of life: %w", err)
	}
	if errors.Is(results[0].Err, bus.ErrConflict) {
		return k.confirm(ctx, t)
	}
	return nil
}

// leave says that the replica ends. Whoever stands by need not find out by its
// silence, and takes over sooner. It is only a word: who is killed leaves none.
func (k *Keeper) leave(ctx context.Context) {
	seat := k.seat.Load()
	if seat == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTimeout)
	defer cancel()
	data, err := events.Encode(events.Beat{Replica: k.replica, ConfigurationID: k.id, Left: true})
	if err != nil {
		return
	}
	_, _ = k.bus.Commit(ctx, events.StreamRoster, []bus.Group{{{
		Subject: *seat, Data: data, Header: bus.Header{events.HeaderContentType: {events.ContentTypeJSON}},
	}}})
}
