package refresh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// errTakenOver marks a record that another replica has replaced meanwhile.
var errTakenOver = errors.New("another replica took the lease over")

// lease stores the intent to ask the token endpoint, and which refresh token is
// to be presented. It returns the record and its revision, which only its holder
// may replace while the lease lasts; or false when another replica was first or
// the record could not be written.
func (o *org) lease(ctx context.Context, a attempt) (events.TokenRecord, uint64, bool) {
	next := events.TokenRecord{Org: o.name}
	if a.before != nil {
		next = *a.before
	}
	// A held org is asked about now and then; it stays held meanwhile, unless
	// there is new hope. A token that is renewed early stays in use.
	if !a.early && (next.State != events.TokenHeld || parseMark(next.CredentialMark) != a.creds) {
		setState(&next, events.TokenRefreshing, a.begun)
	}
	next.Lease = &events.Lease{Holder: o.holder, Until: a.begun.Add(o.cfg.LeaseFor).UTC()}
	if a.mark != "" && !a.unknown {
		next.Intent = &events.Intent{Mark: a.mark, At: a.begun.UTC()}
	}
	if !a.early {
		next.At = a.begun.UTC()
	}
	stored, err := o.set(ctx, next, a.rev)
	if err == nil {
		return next, stored, true
	}
	if !errors.Is(err, bus.ErrConflict) {
		o.tel.Log.WarnContext(ctx, "token lease cannot be stored", "org", o.name, "error", err)
		o.pause(ctx, errorWait)
	}
	if err := o.reread(ctx); err != nil && ctx.Err() == nil {
		o.pause(ctx, errorWait)
	}
	return events.TokenRecord{}, 0, false
}

// release stores what came of it, and ends the lease. It does not give up while
// the process may live: with rotation, a token that is not stored is lost.
func (o *org) release(ctx context.Context, a attempt, next events.TokenRecord, rev uint64) bool {
	next.Lease = nil
	until := time.Now().Add(o.cfg.LeaseFor)
	for {
		err := o.store(ctx, a, next, &rev)
		switch {
		case err == nil:
			return true
		case errors.Is(err, errTakenOver), ctx.Err() != nil && time.Now().After(until):
			o.tel.Log.ErrorContext(ctx, "token was not stored", "org", o.name, "error", err)
			return false
		}
		o.tel.Log.WarnContext(ctx, "token cannot be stored yet", "org", o.name, "error", err)
		o.pause(context.WithoutCancel(ctx), errorWait)
	}
}

// store tries once to write what came of an attempt. Where somebody else wrote
// meanwhile, rev becomes the revision to replace, if it is ours to replace.
func (o *org) store(ctx context.Context, a attempt, next events.TokenRecord, rev *uint64) error {
	call, cancel := context.WithTimeout(context.WithoutCancel(ctx), o.cfg.CallTimeout)
	defer cancel()
	_, err := o.set(call, next, *rev)
	if !errors.Is(err, bus.ErrConflict) {
		return err
	}
	if err := o.reread(call); err != nil {
		return err
	}
	rec, now, _ := o.view()
	granted := next.State == events.TokenConnected && next.Generation == a.generation()+1
	switch {
	case rec == nil, o.standsBy():
		return errTakenOver
	case bytes.Equal(rec.Sealed, next.Sealed) && rec.Generation == next.Generation && rec.Lease == nil:
		return nil // it was stored, and the answer was lost
	case granted && rec.Generation == a.generation() && rec.Intent != nil && rec.Intent.Mark == a.mark:
		// Whoever took the lease over has no token, and cannot get one with the
		// refresh token we have spent.
		*rev = now
		return err
	}
	return errTakenOver
}

// set stores a record by compare-and-set and takes it in.
func (o *org) set(ctx context.Context, rec events.TokenRecord, rev uint64) (uint64, error) {
	data, err := events.Encode(rec)
	if err != nil {
		return 0, err
	}
	stored, err := o.bucket.Set(ctx, o.name, data, rev)
	if err != nil {
		return 0, fmt.Errorf("store token record: %w", err)
	}
	o.observe(ctx, bus.Entry{Subject: o.name, Seq: stored, Data: data})
	return stored, nil
}

func setState(rec *events.TokenRecord, s events.TokenState, at time.Time) {
	if rec.State != s {
		rec.State, rec.Since = s, at.UTC()
	}
}
