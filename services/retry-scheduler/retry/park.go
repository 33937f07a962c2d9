package retry

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// parking is one person about to be parked, and the dead letters it replaces.
type parking struct {
	*report
	write bus.Write
	older []letter
}

// park writes the dead letter of each person and then removes the one it
// replaces. A failure that was parked before parks nothing new, but what was
// left undone then is done now.
func (s *Service) park(ctx context.Context, list []*report, letters map[who][]letter, later postponed) error {
	var (
		open  []parking
		stale []letter
	)
	for _, f := range list {
		have := letters[f.who]
		if len(have) > 0 && have[0].Evidence >= f.letter.Evidence {
			f.decided("parked before")
			stale = append(stale, have[1:]...)
			continue
		}
		p, err := parkingOf(f, have)
		if err != nil {
			return err
		}
		open = append(open, p)
	}
	written, replaced, err := s.writeLetters(ctx, open, later)
	if err != nil {
		return err
	}
	if err := s.remove(ctx, append(stale, replaced...)); err != nil {
		return err
	}
	return s.overtaken(ctx, written)
}

// parkingOf adds to the new dead letter what the older one knows.
func parkingOf(f *report, have []letter) (parking, error) {
	p := parking{report: f}
	l := &f.letter
	subject := events.DeadSubject(f.org, l.Failure.Cause, f.key)
	p.write = bus.Write{Subject: subject, Guarded: true, Header: header(f.ctx)}
	for i, old := range have {
		if i == 0 {
			l.FirstAt = earliest(old.FirstAt, l.FirstAt)
			l.Attempts = old.Attempts + attemptsSince(old.DeadLetter, *l)
		}
		if old.subject == subject {
			p.write.LastSeq = old.seq
			continue
		}
		p.older = append(p.older, old)
	}
	data, err := events.Encode(*l)
	if err != nil {
		return p, err
	}
	p.write.Data = data
	return p, nil
}

// attemptsSince returns how many attempts the new letter adds. The pusher
// counts failures in a row at one revision, so those of the same revision are
// in the older letter already.
func attemptsSince(old, l events.DeadLetter) int {
	if l.Revision == old.Revision && l.RevisionAttempts > old.RevisionAttempts {
		return l.RevisionAttempts - old.RevisionAttempts
	}
	return l.RevisionAttempts
}

// writeLetters returns what was written and the letters that it replaces.
func (s *Service) writeLetters(ctx context.Context, open []parking, later postponed) (written, replaced []letter, err error) {
	if len(open) == 0 {
		return nil, nil, nil
	}
	groups := make([]bus.Group, len(open))
	for i, p := range open {
		groups[i] = bus.Group{p.write}
	}
	results, err := s.store.Commit(ctx, events.StreamDead, groups)
	if err != nil {
		return nil, nil, fmt.Errorf("park: %w", err)
	}
	for i, p := range open {
		if results[i].Err != nil {
			later[p.msg] = s.cfg.PutBack // another replica parked the same person
			continue
		}
		p.decided("parked")
		count(ctx, s.metrics.parked, p.org, p.letter.Failure.Cause)
		s.tel.Log.InfoContext(p.ctx, "person parked", p.keys()...)
		replaced = append(replaced, p.older...)
		written = append(written, letter{
			DeadLetter: p.letter, subject: p.write.Subject, seq: results[i].Seqs[0],
			address: events.Address{Kind: "dead", Org: p.org, Cause: p.letter.Failure.Cause, Key: p.key},
		})
	}
	return written, replaced, nil
}

// overtaken closes letters whose person or event has succeeded since: while the
// letter was written, the success looked for one and found none yet.
func (s *Service) overtaken(ctx context.Context, letters []letter) error {
	if len(letters) == 0 {
		return nil
	}
	subjects := make([]string, len(letters))
	for i, l := range letters {
		subjects[i] = l.reportedAt()
	}
	newest, err := s.reportsNow(ctx, subjects)
	if err != nil {
		return fmt.Errorf("read newest outcomes: %w", err)
	}
	var over []closing
	for i, l := range letters {
		e, ok := newest[subjects[i]]
		if !ok || e.Seq <= l.Evidence {
			continue
		}
		if revision, ok := l.success(e); ok {
			over = append(over, closing{letter: l, revision: revision, header: header(telemetry.Extract(ctx, e.Header))})
		}
	}
	return s.close(ctx, over)
}
