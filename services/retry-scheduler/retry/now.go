package retry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// errBehind says that a replica of NATS has not everything yet. Nothing is
// decided by its word: what is at hand comes again.
var errBehind = errors.New("the server asked is behind the others")

// firstTries bounds the looks for the first dead letter, which others may be
// removing.
const firstTries = 4

// takeFor stores the letters again, each for the request: only one that is there
// as the admin saw it can be. A replica that is behind shows what is closed by
// now, or replaced.
func (s *Service) takeFor(ctx context.Context, r *request, act []letter) ([]letter, error) {
	groups := make([]bus.Group, len(act))
	for i, l := range act {
		h := header(ctx)
		h[events.HeaderTaken] = []string{r.taken(l.target())}
		groups[i] = bus.Group{{Subject: l.subject, Data: l.data, Header: h, Guarded: true, LastSeq: l.seq}}
	}
	done, err := s.store.Commit(ctx, events.StreamDead, groups)
	if err != nil {
		return nil, fmt.Errorf("take dead letters: %w", err)
	}
	for i := range act {
		if done[i].Err != nil {
			return nil, fmt.Errorf("take dead letter %d: %w", act[i].seq, done[i].Err)
		}
		act[i].seen, act[i].seq = act[i].target().Seq, done[i].Seqs[0]
	}
	return act, nil
}

func (r *request) taken(t events.Target) string { return r.ID + " " + strconv.FormatUint(t.Seq, 10) }

// took says whether the letter is the target, stored again for this very request.
func (r *request) took(l letter, t events.Target) bool {
	said := l.header[events.HeaderTaken]
	return len(said) == 1 && said[0] == r.taken(t)
}

// mark notes the revisions that were given up, over none that is newer.
func (s *Service) mark(ctx context.Context, r *request, act []letter) error {
	subjects := make([]string, len(act))
	for i, l := range act {
		subjects[i] = events.DiscardedSubject(l.address.Org, l.address.Key)
	}
	have, err := s.store.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return fmt.Errorf("read what was discarded: %w", err)
	}
	var groups []bus.Group
	for i, l := range act {
		before, err := events.Decode[events.Discarded](have[subjects[i]].Data)
		if errors.Is(err, events.ErrNewer) {
			return fmt.Errorf("discard marker: %w", err)
		}
		if err == nil && before.Revision > l.Revision {
			continue
		}
		data, err := events.Encode(events.Discarded{Revision: l.Revision, By: r.By, At: r.At, Request: r.ID})
		if err != nil {
			return err
		}
		groups = append(groups, bus.Group{{Subject: subjects[i], Data: data, Header: header(ctx), Guarded: true, LastSeq: have[subjects[i]].Seq}})
	}
	done, err := s.store.Commit(ctx, events.StreamRoster, groups)
	if err != nil {
		return fmt.Errorf("mark what was discarded: %w", err)
	}
	for _, d := range done {
		if d.Err != nil {
			return fmt.Errorf("mark what was discarded: %w", d.Err)
		}
	}
	return nil
}

// lettersNow reads dead letters from a replica that has all there are.
func (s *Service) lettersNow(ctx context.Context, subjects []string) (map[string]bus.Entry, error) {
	for range firstTries {
		stands, err := s.store.Stream(ctx, events.StreamDead)
		if err != nil || stands.Messages == 0 {
			return nil, err
		}
		first, err := s.store.At(ctx, events.StreamDead, stands.FirstSeq)
		if errors.Is(err, bus.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.store.LatestAsOf(ctx, events.StreamDead, subjects, first.Subject, stands.LastSeq)
	}
	return nil, errBehind
}

// reportsNow reads the newest reports, from a replica that has all there are.
func (s *Service) reportsNow(ctx context.Context, subjects []string) (map[string]bus.Entry, error) {
	have, err := s.store.Latest(ctx, events.StreamRoster, subjects)
	if err != nil || len(have) == 0 {
		return have, err // never reported: no success either
	}
	stands, err := s.store.Stream(ctx, events.StreamRoster)
	if err != nil {
		return nil, err
	}
	for subject := range have { // one that a replica can show
		return s.store.LatestAsOf(ctx, events.StreamRoster, subjects, subject, stands.LastSeq)
	}
	return have, nil
}

// scanNow is a scan up to the last message there is.
func (s *Service) scanNow(ctx context.Context, stream, filter string, from uint64, each func(bus.Entry) error) error {
	stands, err := s.store.Stream(ctx, stream)
	if err != nil {
		return err
	}
	seen := from - 1
	err = s.store.Scan(ctx, stream, filter, from, func(e bus.Entry) error {
		seen = e.Seq
		return each(e)
	})
	if err == nil && seen < stands.LastSeq {
		return errBehind
	}
	return err
}

// ofThisRoster has letters prove nothing whose evidence ROSTER has never had: it was
// restored from a backup, and its sequences began again before it. What is
// reported now is newer, whatever its number.
func (s *Service) ofThisRoster(ctx context.Context, list []*report, letters map[who][]letter) error {
	ahead := func(f *report) bool {
		return slices.ContainsFunc(letters[f.who], func(l letter) bool { return l.Evidence > f.msg.Seq })
	}
	if !slices.ContainsFunc(list, ahead) {
		return nil
	}
	stands, err := s.store.Stream(ctx, events.StreamRoster)
	if err != nil {
		return err
	}
	for _, of := range letters {
		for i := range of {
			if of[i].Evidence > stands.LastSeq {
				of[i].Evidence = 0
			}
		}
	}
	return nil
}
