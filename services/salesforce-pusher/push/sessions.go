package push

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/tokens"
)

// errTooLate keeps a call from being sent again with hardly any time left: given
// up half way, it could take effect after we have read back that it did not.
var errTooLate = errors.New("the new session came too late for this call")

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
	if err != nil {
		return renewed, err
	}
	s.hold.renewed(ctx, refused.Generation)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.hold.cfg.CallTimeout/2 {
		return salesforce.Session{}, errTooLate
	}
	return renewed, nil
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
