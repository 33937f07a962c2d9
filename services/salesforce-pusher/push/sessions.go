package push

import (
	"context"
	"sync/atomic"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

// sessions hands the org's token to the client. A refused one is reported
// through the org's health, which is how token-refresher hears of it, and the
// call waits a bounded time for its successor: a session that merely expired
// costs the people of a batch nothing.
type sessions struct {
	reader *tokens.Reader
	hold   *hold
	last   atomic.Uint64
}

func (s *sessions) Session(ctx context.Context) (salesforce.Session, error) {
	return s.used(s.reader.Session(ctx))
}

func (s *sessions) Renew(ctx context.Context, refused salesforce.Session) (salesforce.Session, error) {
	if rec, ok := s.reader.Current(); !ok || rec.Generation <= refused.Generation {
		s.hold.refused(ctx, refused.Generation)
	}
	renewed, err := s.used(s.reader.Renew(ctx, refused))
	if err == nil {
		s.hold.renewed(ctx, refused.Generation)
	}
	return renewed, err
}

func (s *sessions) used(session salesforce.Session, err error) (salesforce.Session, error) {
	if err != nil {
		return session, err //nolint:wrapcheck // the client acts on its type
	}
	s.last.Store(session.Generation)
	return session, nil
}

// generation is that of the session used last, or of the record where none was.
func (s *sessions) generation() uint64 {
	if g := s.last.Load(); g > 0 {
		return g
	}
	rec, _ := s.reader.Current()
	return rec.Generation
}

// newer says whether there is a session newer than a refused one.
func (s *sessions) newer(refused uint64) bool {
	rec, ok := s.reader.Current()
	return ok && rec.State == events.TokenConnected && rec.Generation > refused
}
