package retry_test

import (
	"os"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"
)

func TestEveryCauseHasOnePolicy(t *testing.T) {
	t.Parallel()
	seen := map[events.Cause]int{}
	for _, p := range retry.Policies() {
		seen[p.Cause]++
		if p.Title == "" || p.Meaning == "" || p.Remedy == "" || p.RemedySignal == "" {
			t.Errorf("%s: a text is missing", p.Cause)
		}
		if p.Park == p.Cause.OrgWide() {
			t.Errorf("%s: trouble of a whole org is never parked, everything else ends parked", p.Cause)
		}
		if p.Attempts > 1 && (p.First <= 0 || p.Max < p.First || p.Multiplier < 1) {
			t.Errorf("%s: delays %v ×%v up to %v", p.Cause, p.First, p.Multiplier, p.Max)
		}
	}
	for _, c := range events.Causes() {
		if seen[c] != 1 {
			t.Errorf("%s has %d policies", c, seen[c])
		}
	}
	if len(seen) != len(events.Causes()) {
		t.Errorf("%d policies for %d causes", len(seen), len(events.Causes()))
	}
}

func TestDelayGrowsWithinItsBounds(t *testing.T) {
	t.Parallel()
	p := retry.PolicyOf(events.CauseLocked)
	want := p.First
	for attempt := 1; attempt < p.Attempts; attempt++ {
		low, high := want*8/10, want*12/10
		distinct := map[time.Duration]bool{}
		for range 50 {
			d := p.Delay(attempt)
			distinct[d] = true
			if d < low-time.Millisecond || d > high+time.Millisecond {
				t.Fatalf("attempt %d: delay %v is outside %v to %v", attempt, d, low, high)
			}
		}
		if len(distinct) < 10 {
			t.Fatalf("attempt %d: delays are not spread", attempt)
		}
		want = min(time.Duration(float64(want)*p.Multiplier), p.Max)
	}
}

func TestUnknownCauseIsTreatedAsUnknown(t *testing.T) {
	t.Parallel()
	if got := retry.PolicyOf("from_the_future").Cause; got != events.CauseUnknown {
		t.Fatalf("got %s", got)
	}
}

func TestDocumentationIsCurrent(t *testing.T) {
	t.Parallel()
	have, err := os.ReadFile("../../../docs/failures.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != retry.Markdown() {
		t.Fatal("docs/failures.md is not what the table says: run go generate ./...")
	}
}
