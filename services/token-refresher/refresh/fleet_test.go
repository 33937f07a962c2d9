package refresh

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// TestARecordOfANewerVersionIsLeftToIt: no token is asked for and nothing is
// written over, until the record is one that can be read again.
func TestARecordOfANewerVersionIsLeftToIt(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	bucket := r.bus.Bucket(events.BucketTokens)
	rev := uint64(0)
	for n := range 4 {
		var err error
		record := fmt.Sprintf(`{"v":99,"org":"emea","state":"held","generation":%d}`, n)
		if rev, err = bucket.Set(t.Context(), emea, []byte(record), rev); err != nil {
			t.Fatalf("somebody else wrote the record: %v", err)
		}
		if n == 0 {
			r.run(r.service())
		}
		r.logged("left to a newer version", n+1)
	}
	if n := r.requests(); n != 0 {
		t.Errorf("%d tokens were asked for", n)
	}
	readable, err := events.Encode(events.TokenRecord{Org: emea, State: events.TokenRefreshing})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bucket.Set(t.Context(), emea, readable, rev); err != nil {
		t.Fatal(err)
	}
	r.await("the org is signed in", inState(events.TokenConnected))
}

func TestALoginDoesNotReplaceARecordOfANewerVersion(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t)
	bucket := r.bus.Bucket(events.BucketTokens)
	const record = `{"v":99,"org":"emea","state":"held"}`
	if _, err := bucket.Set(t.Context(), emea, []byte(record), 0); err != nil {
		t.Fatal(err)
	}
	browser := r.browser()
	r.wantRefused(browser, r.consent(browser, "allow"), "A newer version of Rollcall", 1)
	if e, err := bucket.Get(t.Context(), emea); err != nil || string(e.Data) != record {
		t.Errorf("the record is now %s (%v)", e.Data, err)
	}
}

// logged waits until a line was logged so often.
func (r *rig) logged(line string, times int) {
	r.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(limit)
	for strings.Count(r.log.LogText(), line) < times {
		select {
		case <-tick.C:
		case <-end:
			r.Fatalf("%q was not logged %d times", line, times)
		}
	}
}
