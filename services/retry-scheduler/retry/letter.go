package retry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// removers is how many dead letters are removed at once.
const removers = 8

// letter is a dead letter as it stands in DEAD.
type letter struct {
	events.DeadLetter
	subject string
	seq     uint64
	address events.Address
	// newer says that a newer version of Rollcall wrote it: it is left to one
	// that knows it.
	newer bool
	// data and header are the message's, and seen is the sequence under which an admin
	// saw it, where it was stored again since for their request.
	data   []byte
	header bus.Header
	seen   uint64
}

func (l letter) target() events.Target {
	return events.Target{Org: l.address.Org, Cause: l.address.Cause, Key: l.address.Key, Seq: cmp.Or(l.seen, l.seq)}
}

// reportedAt is the subject of the reports about the letter's person, or about
// its event.
func (l letter) reportedAt() string {
	if l.address.Org == events.NoOrg {
		return events.RejectionSubject(l.Origin.Seq)
	}
	return events.OutcomeSubject(l.address.Org, l.address.Key)
}

// success returns the revision that a report calls done; false for a failure.
func (l letter) success(report bus.Entry) (uint64, bool) {
	if l.address.Org == events.NoOrg {
		r, err := events.Decode[events.Rejection](report.Data)
		return r.Origin.Seq, err == nil && r.Resolved
	}
	o, err := events.Decode[events.Outcome](report.Data)
	return o.Revision, err == nil && o.Result == events.ResultApplied
}

// readLetter reads a dead letter. One that cannot be read still has its place
// and sequence, so that it can be replaced, closed or discarded.
func readLetter(e bus.Entry) (letter, error) {
	address, err := events.ParseSubject(e.Subject)
	if err != nil {
		return letter{}, err
	}
	l := letter{subject: e.Subject, seq: e.Seq, address: address, data: e.Data, header: e.Header}
	d, err := events.Decode[events.DeadLetter](e.Data)
	if err == nil {
		l.DeadLetter = d
	}
	l.newer = errors.Is(err, events.ErrNewer)
	return l, nil
}

// lettersOf returns the dead letters of each person, newest evidence first.
// There is one, or two where somebody stopped between writing the new one and
// removing the old.
func (s *Service) lettersOf(ctx context.Context, list []*report) (map[who][]letter, error) {
	if len(list) == 0 {
		return map[who][]letter{}, nil
	}
	filters := make([]string, 0, len(list))
	for _, f := range list {
		filters = append(filters, events.DeadFilter(f.org, "", f.key))
	}
	found, err := s.store.Latest(ctx, events.StreamDead, filters)
	if err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	out := make(map[who][]letter, len(found))
	for _, e := range found {
		l, err := readLetter(e)
		if err != nil {
			return nil, fmt.Errorf("read dead letters: %w", err)
		}
		w := who{l.address.Org, l.address.Key}
		out[w] = append(out[w], l)
	}
	if err := s.ofThisRoster(ctx, list, out); err != nil {
		return nil, fmt.Errorf("read dead letters: %w", err)
	}
	for _, letters := range out {
		slices.SortFunc(letters, func(a, b letter) int {
			return int(b.Evidence) - int(a.Evidence) //nolint:gosec // sequences are far below the limit
		})
	}
	return out, nil
}

// known returns those reports whose dead letters this version knows. The others
// are put back: what is there is neither replaced nor closed.
func (s *Service) known(ctx context.Context, list []*report, letters map[who][]letter, later postponed) []*report {
	return slices.DeleteFunc(list, func(f *report) bool {
		newer := slices.ContainsFunc(letters[f.who], func(l letter) bool { return l.newer })
		if newer {
			s.postpone(ctx, f.msg, later, fmt.Errorf("dead letter: %w", events.ErrNewer))
		}
		return newer
	})
}

// remove takes dead letters away, several at once.
func (s *Service) remove(ctx context.Context, letters []letter) error {
	var (
		all    sync.WaitGroup
		turn   = make(chan struct{}, removers)
		faults = make([]error, len(letters))
	)
	for i, l := range letters {
		turn <- struct{}{}
		all.Go(func() {
			defer func() { <-turn }()
			faults[i] = s.store.Remove(ctx, events.StreamDead, l.seq)
		})
	}
	all.Wait()
	if err := errors.Join(faults...); err != nil {
		return fmt.Errorf("remove dead letters: %w", err)
	}
	return nil
}
