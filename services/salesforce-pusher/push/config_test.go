package push

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

func TestConfigNamesEveryFault(t *testing.T) {
	t.Parallel()
	_, err := ConfigFrom(config.File{Orgs: map[string]config.Org{
		"Bad Name": {Assign: config.Assign{Match: []string{"shoe_size", "external_id"}},
			Push: config.Push{CallTimeout: time.Minute, ClaimTTL: time.Second, Linger: -1}},
	}})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"tokens.keyFile is missing", `name "Bad Name"`, `"shoe_size" is not one of`, "externalIDField is missing",
		"linger cannot be negative", "claimTTL is 1s, must be longer than callTimeout, 1m0s"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not said in:\n%v", want, err)
		}
	}
	if _, err := ConfigFrom(config.File{}); err == nil || !strings.Contains(err.Error(), "at least one") {
		t.Errorf("no orgs: %v", err)
	}
}

func TestConfigTakesEverythingOver(t *testing.T) {
	t.Parallel()
	acme := config.DefaultOrg()
	acme.Assign.Rules = []config.Rule{{Profile: "P", Assignments: config.Assignments{"permissionSets": {"A"}}}}
	acme.Assign.Grants = []config.Grant{{Assignments: config.Assignments{"groups": {"G"}}}}
	acme.Push.Protect, acme.Push.Linger = []string{"Boss@Example.com"}, time.Second
	acme.Push.Privileged.Profiles, acme.Push.Privileged.PermissionSets = []string{"Admin"}, []string{"Keys"}
	c, err := ConfigFrom(config.File{Tokens: config.Tokens{KeyFile: "k"}, Orgs: map[string]config.Org{"acme": acme}})
	if err != nil {
		t.Fatal(err)
	}
	o := c.Orgs[0]
	policy := o.policy()
	if o.CallTimeout != 20*time.Second || o.ClaimTTL != 30*time.Second || len(o.Match) != 2 || !policy.Protects("boss@EXAMPLE.com") {
		t.Errorf("%+v", o)
	}
	if held := policy.Holds; len(held) != 3 || !held[plan.KindProfile]["P"] || !held[plan.KindPermissionSet]["A"] || !held["group"]["G"] {
		t.Errorf("may give %v", held)
	}
	if may := policy.Privileged; !may.Ask || !may.Names[plan.KindProfile]["Admin"] || !may.Names[plan.KindPermissionSet]["Keys"] {
		t.Errorf("privileged are %+v, asked about by default", may)
	}
	if o.linger(events.LaneLeaver) != 0 || o.linger(events.LaneChange) > 2*time.Millisecond || o.linger(events.LaneBackfill) != time.Second {
		t.Error("a leaver waits, or backfill does not")
	}
	if n := len(plan.NewCatalogue(nil).Queries(o.Names, time.Now())); n != 4 { // profile, permission set twice, group
		t.Errorf("%d queries for the names in config, want 4", n)
	}
}

// TestEveryClaimHasAMargin: a claim is never used to its last moment, and most
// of it is for calls.
func TestEveryClaimHasAMargin(t *testing.T) {
	t.Parallel()
	for _, ttl := range []time.Duration{time.Second, config.DefaultOrg().Push.ClaimTTL, bulkClaims * config.DefaultOrg().Push.ClaimTTL, time.Hour} {
		m := OrgConfig{ClaimTTL: ttl}.margin()
		if m < min(ttl/10, 2*time.Second) || m > ttl/5 {
			t.Errorf("a claim of %s has a margin of %s", ttl, m)
		}
	}
}
