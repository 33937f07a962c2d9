package refresh

import (
	"context"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// reseal seals what is kept under the newest key, once one was added. It says
// whether the record was looked at anew.
func (o *org) reseal(ctx context.Context, rec *events.TokenRecord, rev uint64) bool {
	if _, err := o.sealer.Reload(); err != nil {
		o.tel.Log.WarnContext(ctx, "token key file cannot be read again", "org", o.name, "error", err)
		return false
	}
	if rec == nil || rec.Lease != nil || !o.sealer.Stale(rec.Sealed) && !o.sealer.Stale(rec.SealedRefresh) {
		return false
	}
	next := *rec
	if err := o.sealAnew(&next); err != nil {
		return false // under no key of ours: said where it is needed
	}
	if _, err := o.set(ctx, next, rev); err != nil {
		return false // another replica was first, or it is done at the next look
	}
	o.tel.Log.InfoContext(ctx, "token was sealed under the new key", "org", o.name)
	return true
}

func (o *org) sealAnew(rec *events.TokenRecord) error {
	if len(rec.Sealed) > 0 {
		t, err := o.sealer.Open(o.name, rec.Sealed)
		if err != nil {
			return err
		}
		if rec.Sealed, err = o.sealer.Seal(o.name, t); err != nil {
			return err
		}
	}
	if len(rec.SealedRefresh) > 0 {
		t, err := o.sealer.OpenRefresh(o.name, rec.SealedRefresh)
		if err != nil {
			return err
		}
		if rec.SealedRefresh, err = o.sealer.SealRefresh(o.name, t); err != nil {
			return err
		}
	}
	return nil
}
