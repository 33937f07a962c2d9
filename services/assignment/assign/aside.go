package assign

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	// asideTries bounds a compare-and-set against other replicas.
	asideTries = 8
	// asideEvery is how often it is looked for events that wait for no paused
	// source any more, whom a replica that died would have read.
	asideEvery = 5 * time.Second
	// pausedAgain is when a request to read an event of a paused source comes again.
	pausedAgain = 10 * time.Second
)

// errPaused says that an event is of a source that is paused.
var errPaused = errors.New("the source is paused")

// setAside passes over the events of paused sources, and returns the others.
// One consumer reads all sources, so none can wait in it without the others: an
// event is acked once ROSTER says where in DIRECTORY it waits.
func (s *Service) setAside(run context.Context, msgs []*bus.Message) []*bus.Message {
	var rest []*bus.Message
	paused := map[string][]*bus.Message{}
	for _, m := range msgs {
		if source := events.SourceOf(m.Subject); source != "" && s.pauses.Source(source) {
			paused[source] = append(paused[source], m)
			continue
		}
		rest = append(rest, m)
	}
	ctx := context.WithoutCancel(run)
	for source, list := range paused {
		err := s.changeAside(ctx, source, func(a *events.Aside) bool {
			for _, m := range list {
				if a.To == 0 || m.Seq < a.From {
					a.From = m.Seq
				}
				a.To = max(a.To, m.Seq)
			}
			a.Passed += len(list)
			return true
		})
		if err != nil {
			s.log.WarnContext(ctx, "events of a paused source are undecided and will come again", "events", len(list), "error", err)
		}
		for _, m := range list {
			answer := m.Ack
			if err != nil {
				answer = func() error { return m.Nak(again) }
			}
			if err := answer(); err != nil {
				s.log.DebugContext(ctx, "event could not be acknowledged and will come again", "seq", m.Seq, "error", err)
			}
		}
	}
	return rest
}

// changeAside changes what waits of a source until that is written; change
// returns false where nothing is to be.
func (s *Service) changeAside(ctx context.Context, source string, change func(*events.Aside) bool) error {
	subject := events.AsideSubject(source)
	for range asideTries {
		a, seq, err := s.readAside(ctx, subject)
		if err != nil {
			return err
		}
		if !change(&a) {
			return nil
		}
		a.Source, a.At = source, time.Now().UTC()
		data, err := events.Encode(a)
		if err != nil {
			return err
		}
		done, err := s.roster.Commit(ctx, events.StreamRoster, []bus.Group{{{Subject: subject, Data: data, Guarded: true, LastSeq: seq,
			Header: bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}}}})
		if err != nil {
			return fmt.Errorf("write what waits of source %s: %w", source, err)
		}
		if done[0].Err == nil {
			return nil
		}
	}
	return fmt.Errorf("write what waits of source %s: %w", source, bus.ErrConflict)
}

func (s *Service) readAside(ctx context.Context, subject string) (events.Aside, uint64, error) {
	have, err := s.roster.Latest(ctx, events.StreamRoster, []string{subject})
	if err != nil {
		return events.Aside{}, 0, fmt.Errorf("read what waits of a source: %w", err)
	}
	e, ok := have[subject]
	if !ok {
		return events.Aside{}, 0, nil
	}
	a, err := events.Decode[events.Aside](e.Data)
	return a, e.Seq, err
}

// takeAsides reads what waits of sources that go on, until ctx ends.
func (s *Service) takeAsides(ctx context.Context) {
	tick := time.NewTicker(asideEvery)
	defer tick.Stop()
	gone := map[string]uint64{}
	for {
		changed := s.pauses.Changed()
		have, err := s.roster.Latest(ctx, events.StreamRoster, []string{events.AsidesAll})
		for _, e := range have {
			a, bad := events.Decode[events.Aside](e.Data)
			if bad == nil && a.To > 0 && !s.pauses.Source(a.Source) {
				bad = s.catchUp(ctx, a, gone)
			}
			err = errors.Join(err, bad)
		}
		if err != nil && ctx.Err() == nil {
			s.log.WarnContext(ctx, "events of sources that were paused wait still", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-changed:
		}
	}
}

// errCaughtUp ends a scan.
var errCaughtUp = errors.New("caught up")

// catchUp folds what waits of a source, a batch at a time, for as long as it is
// not paused again. Any number of replicas may do so at once: what is folded
// twice changes nothing, and live events may come between, for the fold has one
// order.
func (s *Service) catchUp(run context.Context, a events.Aside, gone map[string]uint64) error {
	at := a.From
	var batch []bus.Entry
	flush := func() error {
		if err := s.foldAside(run, a.Source, batch); err != nil {
			return err
		}
		if len(batch) > 0 {
			next := batch[len(batch)-1].Seq + 1
			if err := s.advance(run, a.Source, at, next, len(batch)); err != nil {
				return err
			}
			at, batch = next, batch[:0]
		}
		if at > a.To || run.Err() != nil || s.pauses.Source(a.Source) {
			return errCaughtUp
		}
		return nil
	}
	err := s.roster.Scan(run, events.StreamDirectory, events.DirectorySubject(a.Source, "*"), a.From, func(e bus.Entry) error {
		if e.Seq > a.To {
			if err := flush(); err != nil {
				return err
			}
			return errCaughtUp
		}
		if batch = append(batch, e); len(batch) < batchSize && e.Seq < a.To {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	if err != nil && !errors.Is(err, errCaughtUp) {
		return err
	}
	if at > a.To || run.Err() != nil || s.pauses.Source(a.Source) {
		delete(gone, a.Source)
		return nil //nolint:nilerr // errCaughtUp is none
	}
	return s.lost(run, a, at, gone)
}

// lost deals with events that are not in DIRECTORY, looked for twice: a server of
// a cluster may be behind.
func (s *Service) lost(ctx context.Context, a events.Aside, at uint64, gone map[string]uint64) error {
	if gone[a.Source] != a.To {
		gone[a.Source] = a.To
		return nil
	}
	s.log.WarnContext(ctx, "events of a source that was paused are no longer stored", "source", s.knownSource(a.Source), "from", at, "to", a.To)
	return s.advance(ctx, a.Source, at, a.To+1, 0)
}

// foldAside takes events to their end as if they had just come.
func (s *Service) foldAside(run context.Context, source string, batch []bus.Entry) error {
	ctx := context.WithoutCancel(run)
	all := make([]*incoming, len(batch))
	for i, e := range batch {
		in, err := s.reader.read(e)
		in.fault = err
		s.begin(telemetry.Extract(ctx, e.Header), in)
		all[i] = in
	}
	s.handle(ctx, run, all)
	for _, in := range all {
		if in.verdict == verdictUndecided {
			return fmt.Errorf("source %s: %w", s.knownSource(source), errUndecided)
		}
	}
	return nil
}

// advance says that events from one sequence up to another wait no more. Where
// another replica has changed from, it says nothing: events may have been set
// aside that are older.
func (s *Service) advance(ctx context.Context, source string, from, next uint64, folded int) error {
	return s.changeAside(context.WithoutCancel(ctx), source, func(a *events.Aside) bool {
		if a.From != from || a.To == 0 {
			return false
		}
		a.From, a.Passed = next, max(a.Passed-folded, 0)
		if a.From > a.To {
			a.From, a.To, a.Passed = 0, 0, 0
		}
		return true
	})
}
