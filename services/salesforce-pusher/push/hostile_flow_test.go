package push_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// TestHostileOrgEndsAsWanted: an org that misbehaves at every fifth call, two
// workers, everybody changed twice and some leaving; whoever fails is looked at
// again, as retry-scheduler would. In the end the org is as desired, with one
// user for each.
func TestHostileOrgEndsAsWanted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			hostileRun(t, seed)
		})
	}
}

func hostileRun(t *testing.T, seed uint64) {
	t.Helper()
	r := newRig(t, emulator.WithHostility(seed, 0.2))
	r.refreshTokens()
	r.start(short)
	r.start(short)
	people := crowd(120)
	r.want(people...)
	for i := range people {
		people[i] = person(i, func(d *events.Desired) {
			d.Fields["Title"], d.Assignments = "Manager", map[string][]string{"permissionSets": {"HR_Data", "Sales_All"}, "groups": {"Sales_Team"}}
		})
		if i%10 == 0 {
			people[i] = leaver(i)
		}
	}
	r.retryUntilApplied(r.want(people...))

	byName := map[string][]emulator.User{}
	for _, u := range r.org.Users()[1:] {
		byName[u.Username] = append(byName[u.Username], u)
	}
	for i, d := range people {
		users := byName[d.Match.Username]
		if !d.Active {
			if slices.ContainsFunc(users, func(u emulator.User) bool { return u.IsActive }) {
				t.Errorf("leaver %d is active", i)
			}
			continue
		}
		if len(users) != 1 {
			t.Fatalf("person %d has %d users", i, len(users))
		}
		u := users[0]
		if !u.IsActive || u.Fields["Title"] != "Manager" || !slices.Equal(u.PermissionSets, []string{"HR_Data"}) ||
			!slices.Equal(u.PermissionSetGroups, []string{"Sales_All"}) || !slices.Equal(u.Groups, []string{"Sales Team"}) {
			t.Errorf("person %d: %+v, link %+v", i, u, r.link(d.Key))
		}
	}
}

// refreshTokens does what token-refresher does about a refused session.
func (r *rig) refreshTokens() {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	r.t.Cleanup(func() { cancel(); wg.Wait() })
	wg.Go(func() {
		newest := uint64(1)
		for {
			r.mu.Lock()
			h, changed := r.health, r.changed
			r.mu.Unlock()
			if h.State == events.HealthHeld && h.Failure.Cause == events.CauseCredentials && h.TokenGeneration == newest {
				newest++
				r.token(newest)
			}
			select {
			case <-changed:
			case <-ctx.Done():
				return
			}
		}
	})
}

// retryUntilApplied looks again at whoever fails, until nobody does.
func (r *rig) retryUntilApplied(revisions map[events.Key]uint64) {
	r.t.Helper()
	retried := map[events.Key]uint64{}
	r.until("everybody to be as wanted", func() bool {
		done := true
		for k, rev := range revisions {
			o := r.outcomes[k]
			if o.Revision >= rev && o.Result == events.ResultApplied {
				continue
			}
			done = false
			if o.Result == events.ResultFailed && retried[k] != r.seqs[k] {
				retried[k] = r.seqs[k]
				r.poke(k)
			}
		}
		return done
	})
}
