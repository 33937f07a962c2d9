package refresh

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// errorWait is between two tries to read or write the record itself.
const errorWait = time.Second

// org keeps one org signed in.
type org struct {
	*Service
	name    string
	connect config.Connect
	flow    flow
	oauth   *salesforce.OAuth
	wake    chan struct{}

	mu     sync.Mutex
	rev    uint64 // of rec; 0 where there is none
	rec    *events.TokenRecord
	health *events.Health
	// newer is the revision of a record of a version this one does not know.
	newer uint64
}

// run keeps the org signed in until ctx ends.
func (o *org) run(ctx context.Context) {
	if !o.firstLook(ctx) {
		return
	}
	for ctx.Err() == nil {
		if o.standsBy() {
			o.rest(ctx, time.Time{})
			continue
		}
		rec, rev, health := o.view()
		if o.reseal(ctx, rec, rev) {
			continue
		}
		creds := markOf(o.sealer, o.connect)
		// Whoever asks where the org is keeps the token in use: it may be back as it was.
		renew := sooner(o.renewAt(rec), askWhere(rec, health, o.cfg.MovedAfter))
		d := decide(rec, health, creds, renew, o.now())
		if d.refresh {
			o.refresh(ctx, rec, rev, creds, d.early)
			continue
		}
		o.rest(ctx, d.wait)
	}
}

// firstLook reads the record, and the server's time, before anything is decided:
// that there is none is something only reading can tell, and by a clock that is
// hours off another's lease looks as if it had ended.
func (o *org) firstLook(ctx context.Context) bool {
	for ctx.Err() == nil {
		_, err := o.bucket.Now(ctx)
		if err == nil {
			err = o.reread(ctx)
		}
		if err == nil {
			return true
		}
		o.tel.Log.WarnContext(ctx, "token record cannot be read", "org", o.name, "error", err)
		o.pause(ctx, errorWait)
	}
	return false
}

// reread reads the record as it is now.
func (o *org) reread(ctx context.Context) error {
	e, err := o.bucket.Get(ctx, o.name)
	if errors.Is(err, bus.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	o.observe(ctx, e)
	return nil
}

// rest waits until something happens, a time comes, or the files are to be
// looked at again.
func (o *org) rest(ctx context.Context, until time.Time) {
	d := o.cfg.PollEvery
	if !until.IsZero() {
		d = min(d, max(until.Sub(o.now()), time.Millisecond))
	}
	o.pause(ctx, d)
}

func (o *org) pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-o.wake:
	case <-t.C:
	}
}

func (o *org) view() (rec *events.TokenRecord, rev uint64, health *events.Health) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rec, o.rev, o.health
}

// observe takes in a record as stored; an older one than known is ignored.
func (o *org) observe(ctx context.Context, e bus.Entry) {
	rec, err := events.Decode[events.TokenRecord](e.Data)
	if errors.Is(err, events.ErrNewer) {
		o.giveWay(ctx, e.Seq, err)
		return
	}
	if err != nil {
		// It is replaced by the next one, under compare-and-set.
		o.tel.Log.ErrorContext(ctx, "token record cannot be read", "org", o.name, "error", err)
		rec = events.TokenRecord{Org: o.name, State: events.TokenRefreshing}
	}
	o.plausible(&rec, e.Time)
	o.mu.Lock()
	if e.Seq > o.rev {
		o.rec, o.rev = &rec, e.Seq
		o.metrics.stands(ctx, o.name, rec.State)
	}
	o.mu.Unlock()
	o.nudge()
}

// giveWay leaves the org to whoever knows the version of its record.
func (o *org) giveWay(ctx context.Context, rev uint64, why error) {
	o.mu.Lock()
	news := rev > o.newer
	o.newer = max(o.newer, rev)
	o.mu.Unlock()
	if news {
		o.tel.Log.WarnContext(ctx, "token record is left to a newer version of Rollcall", "org", o.name, "error", why)
	}
}

// standsBy says whether the newest record is one that this version may not
// replace: a replica that knows it keeps the org signed in.
func (o *org) standsBy() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.newer > o.rev
}

// listen takes in what Salesforce last said of the org as a whole.
func (o *org) listen(h events.Health) {
	o.mu.Lock()
	o.health = &h
	o.mu.Unlock()
	o.nudge()
}

func (o *org) nudge() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}
