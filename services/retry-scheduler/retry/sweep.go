package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// overdue is how late a schedule may be. The server fires within a second;
// what is this late is not going to be fired, or our clocks differ, which does
// no harm.
const overdue = 10 * time.Second

// trusted is how many sweeps leave DEAD alone that stands as it did.
const trusted = 20

// sweepTimeout bounds one sweep.
const sweepTimeout = time.Minute

// sweeper puts right what a killed NATS server left behind: it brings back
// messages that were replaced and whose successor was removed (decision 0014).
// A retry that is done then stands there as a schedule that nobody fires, and a
// dead letter that is closed as one that nobody closes.
type sweeper struct {
	*Service
	// tidied is how DEAD stood when it was last found in order. A message that
	// comes back changes the count. trust is how often that is still believed: a
	// success that looked for its letter where it was not to be seen yet changes
	// nothing in DEAD.
	tidied bus.StreamStatus
	trust  int
}

// sweep sweeps at the start and then every Config.Sweep until ctx ends.
func (s *Service) sweep(ctx context.Context) {
	w := sweeper{Service: s}
	tick := time.NewTicker(s.cfg.Sweep)
	defer tick.Stop()
	for {
		if s.Ready() == nil {
			if err := w.once(ctx); err != nil && ctx.Err() == nil {
				s.tel.Log.WarnContext(ctx, "sweep failed: the next one tries again", "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (w *sweeper) once(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	return errors.Join(w.rearm(ctx), w.tidy(ctx))
}

// rearm publishes overdue schedules again, unchanged: when one is due is for
// the server's clock to say. A person who has nothing left to do is looked at
// once more, for nothing.
func (w *sweeper) rearm(ctx context.Context) error {
	var groups []bus.Group
	err := w.store.Scan(ctx, events.StreamRoster, events.RetrySubject("*", "*"), 1, func(e bus.Entry) error {
		plan, ok := e.Scheduled()
		if !ok || w.now().Sub(plan.At) < overdue {
			return nil
		}
		groups = append(groups, bus.Group{{
			Subject: e.Subject, Data: e.Data, Header: header(telemetry.Extract(ctx, e.Header)),
			Schedule: &plan, Guarded: true, LastSeq: e.Seq,
		}})
		return nil
	})
	if err != nil {
		return fmt.Errorf("look for overdue retries: %w", err)
	}
	if len(groups) == 0 {
		return nil
	}
	done, err := w.store.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("schedule overdue retries again: %w", err)
	}
	again := 0
	for _, d := range done {
		if d.Err == nil { // otherwise it was fired or replaced meanwhile
			again++
		}
	}
	if again > 0 {
		w.metrics.rearmed.Add(ctx, int64(again))
		w.tel.Log.InfoContext(ctx, "overdue retries were scheduled again", "people", again)
	}
	return nil
}

// tidy removes the dead letters that must not be there: those whose person has
// succeeded since, whose revision an admin gave up, and all but the newest of
// one person.
func (w *sweeper) tidy(ctx context.Context) error {
	stands, err := w.store.Stream(ctx, events.StreamDead)
	if err != nil {
		return err
	}
	if w.trust > 0 && stands.Messages == w.tidied.Messages && stands.LastSeq == w.tidied.LastSeq {
		w.trust--
		return nil
	}
	newest, stale, err := w.allLetters(ctx)
	if err != nil {
		return fmt.Errorf("read dead letters: %w", err)
	}
	given, err := w.givenUp(ctx, newest)
	if err != nil {
		return err
	}
	if err := w.remove(ctx, append(stale, given...)); err != nil {
		return err
	}
	if err := w.overtaken(ctx, newest); err != nil {
		return err
	}
	w.tidied, w.trust = stands, trusted
	return nil
}

// allLetters returns each person's newest dead letter, and the others. Whose
// letter a newer version wrote is not among them.
func (w *sweeper) allLetters(ctx context.Context) (newest, stale []letter, err error) {
	by, newer := map[who]letter{}, map[who]bool{}
	err = w.store.Scan(ctx, events.StreamDead, events.DeadAll, 1, func(e bus.Entry) error {
		l, err := readLetter(e)
		if err != nil {
			return err
		}
		p := who{l.address.Org, l.address.Key}
		newer[p] = newer[p] || l.newer
		if have, ok := by[p]; ok {
			if have.Evidence > l.Evidence {
				l, have = have, l
			}
			stale = append(stale, have)
		}
		by[p] = l
		return nil
	})
	for p, l := range by {
		if !newer[p] {
			newest = append(newest, l)
		}
	}
	stale = slices.DeleteFunc(stale, func(l letter) bool { return newer[who{l.address.Org, l.address.Key}] })
	return newest, stale, err
}

// givenUp returns the letters whose revision an admin has given up.
func (w *sweeper) givenUp(ctx context.Context, letters []letter) ([]letter, error) {
	list := make([]*report, len(letters))
	for i, l := range letters {
		list[i] = &report{who: who{l.address.Org, l.address.Key}, failed: true}
	}
	given, _, err := w.discardedRevisions(ctx, list)
	if err != nil {
		return nil, err
	}
	var out []letter
	for _, l := range letters {
		if r, ok := given[who{l.address.Org, l.address.Key}]; ok && r == l.Revision {
			out = append(out, l)
		}
	}
	return out, nil
}
