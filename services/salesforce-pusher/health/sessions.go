package health

import (
	"context"
	"errors"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// errTooLate keeps a call from being sent again with hardly any time left: given
// up half way, it could take effect after we have read back that it did not.
var errTooLate = errors.New("the new session came too late for this call")

// TooLate says whether a call was not sent again because its session was renewed
// with hardly any time left. The new session has not been tried: there is nothing
// to be said against it, nor against the org.
func TooLate(err error) bool { return errors.Is(err, errTooLate) }

// sessions hands the org's token to the client. A refused one is reported
// through the org's health, which is how token-refresher hears of it, and the
// call waits a bounded time for its successor: a session that merely expired
// costs the people of a batch nothing.
type sessions struct{ *Org }

// Sessions are the org's, for the client.
func (h *Org) Sessions() salesforce.Sessions { return sessions{h} }

// FirstSession waits until there is a token, or ctx ends.
func (h *Org) FirstSession(ctx context.Context) error {
	_, err := h.Sessions().Session(ctx)
	return err
}

func (s sessions) Session(ctx context.Context) (salesforce.Session, error) {
	return s.used(s.tokens.Session(ctx))
}

func (s sessions) Renew(ctx context.Context, refused salesforce.Session) (salesforce.Session, error) {
	if rec, ok := s.tokens.Current(); !ok || rec.Generation <= refused.Generation {
		s.refused(ctx, refused.Generation)
	}
	renewed, err := s.used(s.tokens.Renew(ctx, refused))
	if err != nil {
		return renewed, err
	}
	s.renewed(ctx, refused.Generation)
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < s.cfg.CallTimeout/2 {
		return salesforce.Session{}, errTooLate
	}
	return renewed, nil
}

func (h *Org) used(session salesforce.Session, err error) (salesforce.Session, error) {
	if err != nil {
		return session, err
	}
	h.last.Store(session.Generation)
	return session, nil
}

// generation is that of the session used last, or of the record where none was.
func (h *Org) generation() uint64 {
	if g := h.last.Load(); g > 0 {
		return g
	}
	rec, _ := h.tokens.Current()
	return rec.Generation
}

// newer says whether there is a session newer than the one used when the org was
// last found in trouble.
func (h *Org) newer(used uint64) bool {
	rec, ok := h.tokens.Current()
	return ok && rec.State == events.TokenConnected && rec.Generation > used
}
