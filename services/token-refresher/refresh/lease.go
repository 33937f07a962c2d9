package refresh

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// lease stores the intent to ask the token endpoint. It returns the record and
// its revision, which only its holder may replace while the lease lasts; or
// false when another replica was first or the record could not be written.
func (o *org) lease(ctx context.Context, rec *events.TokenRecord, rev uint64, creds mark) (events.TokenRecord, uint64, bool) {
	at := o.now()
	next := events.TokenRecord{V: events.Version, Org: o.name}
	if rec != nil {
		next = *rec
	}
	// A held org is asked about now and then; it stays held meanwhile, unless
	// there is new hope.
	if next.State != events.TokenHeld || parseMark(next.CredentialMark) != creds {
		setState(&next, events.TokenRefreshing, at)
	}
	next.Lease = &events.Lease{Holder: o.holder, Until: at.Add(o.cfg.LeaseFor).UTC()}
	next.At = at.UTC()
	stored, err := o.set(ctx, next, rev)
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
// the lease is ours: with rotation, a token that is not stored is lost.
func (o *org) release(ctx context.Context, next events.TokenRecord, rev uint64) bool {
	next.Lease = nil
	for {
		_, err := o.set(ctx, next, rev)
		switch {
		case err == nil:
			return true
		case errors.Is(err, bus.ErrConflict):
			o.tel.Log.ErrorContext(ctx, "token was not stored: another replica took the lease over", "org", o.name)
			return false
		case ctx.Err() != nil:
			o.tel.Log.ErrorContext(ctx, "token was not stored", "org", o.name, "error", err)
			return false
		}
		o.tel.Log.WarnContext(ctx, "token cannot be stored yet", "org", o.name, "error", err)
		o.pause(ctx, errorWait)
	}
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
