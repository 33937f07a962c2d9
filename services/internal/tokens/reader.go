package tokens

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

// defaultRenewWait bounds how long Renew waits for a newer token: a healthy refresh
// takes one round trip, and a longer trouble is the org's, not the caller's.
const defaultRenewWait = 30 * time.Second

// ErrNoNewer is returned by Renew when no newer token came in time.
var ErrNoNewer = errors.New("no newer token came in time")

// Held is the error of an org whose credentials token-refresher holds: waiting
// does not help, somebody has to act.
type Held struct {
	Org     string
	Failure events.Failure
	Advice  string
	Since   time.Time
}

func (h *Held) Error() string {
	return fmt.Sprintf("org %s is not signed in: %s (%s)", h.Org, h.Failure.Message, h.Advice)
}

// Reader hands out one org's sessions. Run must be running; everything else is
// safe for concurrent use.
type Reader struct {
	bucket *bus.Bucket
	sealer *seal.Sealer
	org    string
	// renewWait bounds Renew.
	renewWait time.Duration

	mu      sync.Mutex
	seen    uint64 // revision of the entry below
	record  events.TokenRecord
	session salesforce.Session
	user    Identity
	err     error // why the entry cannot be used, if it cannot
	changed chan struct{}
}

// NewReader returns a Reader of one org's token.
func NewReader(b *bus.Bus, s *seal.Sealer, org string) *Reader {
	return &Reader{
		bucket: b.Bucket(events.BucketTokens), sealer: s, org: org, renewWait: defaultRenewWait, changed: make(chan struct{}),
	}
}

// Run follows the org's entry until ctx ends.
func (r *Reader) Run(ctx context.Context) error {
	err := r.bucket.Follow(ctx, []string{r.org}, r.observe)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("watch token of %s: %w", r.org, err)
	}
	return nil
}

// Session returns the org's session, waiting while there is none yet or it is
// being renewed. It returns a *[Held] where waiting does not help.
func (r *Reader) Session(ctx context.Context) (salesforce.Session, error) {
	return r.await(ctx, 0)
}

// Renew returns a session newer than the refused one. It waits a bounded time
// and then returns [ErrNoNewer]; a *[Held] where waiting does not help.
func (r *Reader) Renew(ctx context.Context, refused salesforce.Session) (salesforce.Session, error) {
	bounded, cancel := context.WithTimeoutCause(ctx, r.renewWait, ErrNoNewer)
	defer cancel()
	return r.await(bounded, refused.Generation)
}

// Current returns the org's record as last seen; false while there is none.
func (r *Reader) Current() (events.TokenRecord, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.record, r.seen > 0
}

// Identity is whom a session acts as.
type Identity struct {
	// UserID is empty where the token does not say.
	UserID     string
	Generation uint64
}

// Identity is that of the newest session there has been, whatever has become of it.
func (r *Reader) Identity() Identity {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.user
}

// Changed returns a channel that is closed at the next change of the record.
func (r *Reader) Changed() <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.changed
}

func (r *Reader) await(ctx context.Context, after uint64) (salesforce.Session, error) {
	for {
		changed := r.Changed() // before looking, so that no change is missed
		s, final, err := r.look(after)
		if final {
			return s, err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return salesforce.Session{}, fmt.Errorf("wait for a token of %s: %w", r.org, context.Cause(ctx))
		}
	}
}

// look returns the session or why there will be none; final is false where
// waiting may help.
func (r *Reader) look(after uint64) (s salesforce.Session, final bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.err != nil:
		return salesforce.Session{}, true, r.err
	case r.record.State == events.TokenHeld:
		return salesforce.Session{}, true, r.held()
	case r.record.State == events.TokenConnected && r.record.Generation > after:
		return r.session, true, nil
	}
	return salesforce.Session{}, false, nil
}

func (r *Reader) held() *Held {
	h := &Held{Org: r.org, Advice: r.record.Advice, Since: r.record.Since}
	if r.record.Failure != nil {
		h.Failure = *r.record.Failure
	}
	return h
}

func (r *Reader) observe(e bus.Entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e.Seq <= r.seen {
		return // seen before a reconnect
	}
	r.seen = e.Seq
	record, token, err := r.open(e.Data)
	r.record, r.session, r.err = record, sessionOf(token, record), err
	if token.AccessToken != "" {
		r.user = Identity{UserID: token.UserID, Generation: record.Generation}
	}
	close(r.changed)
	r.changed = make(chan struct{})
}

func (r *Reader) open(data []byte) (events.TokenRecord, events.Token, error) {
	rec, err := events.Decode[events.TokenRecord](data)
	if err != nil {
		return events.TokenRecord{}, events.Token{}, fmt.Errorf("read token record of %s: %w", r.org, err)
	}
	if rec.State != events.TokenConnected {
		return rec, events.Token{}, nil
	}
	t, err := r.sealer.Open(r.org, rec.Sealed)
	if err != nil {
		return rec, events.Token{}, err
	}
	return rec, t, nil
}

func sessionOf(t events.Token, rec events.TokenRecord) salesforce.Session {
	if t.AccessToken == "" {
		return salesforce.Session{}
	}
	return salesforce.Session{
		AccessToken: t.AccessToken, InstanceURL: t.InstanceURL, OrgID: t.OrgID, UserID: t.UserID, Generation: rec.Generation,
	}
}
