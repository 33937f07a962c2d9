package refresh

import (
	"context"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// moment is what the server's time may be wrong by, as a process sees it: as long as
// a request for it took.
const moment = 500 * time.Millisecond

// elsewhen is a bucket of a server whose clock is off from ours, as if ours were off
// from everybody's.
type elsewhen struct {
	bucket
	ahead time.Duration
}

func (e elsewhen) Now(ctx context.Context) (time.Time, error) {
	now, err := e.bucket.Now(ctx)
	return now.Add(e.ahead), err
}

func (e elsewhen) Time() time.Time { return e.bucket.Time().Add(e.ahead) }

func (e elsewhen) Get(ctx context.Context, key string) (bus.Entry, error) {
	got, err := e.bucket.Get(ctx, key)
	got.Time = got.Time.Add(e.ahead)
	return got, err
}

func (e elsewhen) Follow(ctx context.Context, keys []string, each func(bus.Entry)) error {
	return e.bucket.Follow(ctx, keys, func(got bus.Entry) {
		got.Time = got.Time.Add(e.ahead)
		each(got)
	})
}

// leased stores that another replica has the lease, as of its own clock, and returns
// when the server had it.
func (r *rig) leased(until time.Time) time.Time {
	r.Helper()
	data, err := events.Encode(events.TokenRecord{Org: emea, State: events.TokenRefreshing,
		Since: until, At: until, Lease: &events.Lease{Holder: "another", Until: until}})
	if err != nil {
		r.Fatal(err)
	}
	bucket := r.bus.Bucket(events.BucketTokens)
	if _, err := bucket.Set(r.Context(), emea, data, 0); err != nil {
		r.Fatal(err)
	}
	e, err := bucket.Get(r.Context(), emea)
	if err != nil {
		r.Fatal(err)
	}
	return e.Time
}

// leaseSeen is the lease under which the token endpoint is asked first, and when the
// server had it.
type leaseSeen struct {
	*rig
	once   sync.Once
	lease  events.Lease
	stored time.Time
}

func (l *leaseSeen) RoundTrip(request *http.Request) (*http.Response, error) {
	l.once.Do(func() {
		e, err := l.bus.Bucket(events.BucketTokens).Get(request.Context(), emea)
		rec, decodeErr := events.Decode[events.TokenRecord](e.Data)
		if err != nil || decodeErr != nil || rec.Lease == nil {
			l.Errorf("asked under no lease: %+v, %v, %v", rec, err, decodeErr)
			return
		}
		l.lease, l.stored = *rec.Lease, e.Time
	})
	return http.DefaultTransport.RoundTrip(request)
}

// TestALeaseOfAClockThatIsHoursOff: versions before this one wrote the time of their
// own clock. However that was, a lease lasts as long as a lease does.
func TestALeaseOfAClockThatIsHoursOff(t *testing.T) {
	t.Parallel()
	for name, off := range map[string]time.Duration{"ahead": 6 * time.Hour, "behind": -6 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			began := r.leased(time.Now().Add(off + r.cfg.LeaseFor))
			seen := &leaseSeen{rig: r}
			r.cfg.Transport = seen
			r.run(r.service())
			r.await("a token", connected(1))
			if waited := seen.stored.Sub(began); waited < r.cfg.LeaseFor-moment {
				t.Errorf("taken over after %s, a lease is for %s", waited, r.cfg.LeaseFor)
			}
		})
	}
}

// TestAClockThatIsHoursOff has a replica whose clock is six hours behind or ahead of
// the server's: it waits for another's lease, and takes its own for as long as
// others do.
func TestAClockThatIsHoursOff(t *testing.T) {
	t.Parallel()
	for name, ahead := range map[string]time.Duration{"behind": 6 * time.Hour, "ahead": -6 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t)
			began := r.leased(time.Now().Add(ahead + r.cfg.LeaseFor))
			seen := &leaseSeen{rig: r}
			r.cfg.Transport = seen
			s := r.service()
			s.bucket = elsewhen{s.bucket, ahead}
			r.run(s)
			rec := r.await("a token", connected(1))
			if waited := seen.stored.Sub(began); waited < r.cfg.LeaseFor-moment {
				t.Errorf("taken over after %s, a lease is for %s", waited, r.cfg.LeaseFor)
			}
			if left := seen.lease.Until.Sub(seen.stored.Add(ahead)); left.Abs() > time.Hour {
				t.Errorf("took the lease for %s, want %s", left, r.cfg.LeaseFor)
			}
			if at := rec.At.Sub(seen.stored.Add(ahead)); at.Abs() > time.Hour {
				t.Errorf("the token is said to be from %s after the lease was taken", at)
			}
		})
	}
}

// TestTimesOfAClockThatIsHoursOff are bounded by when they were stored.
func TestTimesOfAClockThatIsHoursOff(t *testing.T) {
	t.Parallel()
	stored := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)
	o := &org{Service: &Service{cfg: Config{LeaseFor: time.Minute}}}
	rec := events.TokenRecord{RetryAt: stored.Add(6 * time.Hour), At: stored.Add(6 * time.Hour), Since: stored.Add(6 * time.Hour)}
	o.plausible(&rec, stored)
	if rec.RetryAt != stored.Add(retryMost) || rec.At != stored || rec.Since != stored {
		t.Errorf("of a clock ahead: %+v", rec)
	}
	want := events.TokenRecord{RetryAt: stored.Add(time.Minute), At: stored.Add(-time.Hour), Since: stored.Add(-24 * time.Hour),
		Lease: &events.Lease{Until: stored.Add(time.Second)}}
	rec = want
	lease := *want.Lease
	o.plausible(&rec, stored)
	if rec.RetryAt != want.RetryAt || rec.At != want.At || rec.Since != want.Since || *rec.Lease != lease {
		t.Errorf("of a clock that is right: %+v, want %+v", rec, want)
	}
}
