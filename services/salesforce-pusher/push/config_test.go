package push

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/config"
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

func TestConfigHasDefaults(t *testing.T) {
	t.Parallel()
	c, err := ConfigFrom(config.File{Tokens: config.Tokens{KeyFile: "k"}, Orgs: map[string]config.Org{"acme": {
		Assign: config.Assign{Rules: []config.Rule{{Profile: "P", PermissionSets: []string{"A"}}}, Grants: []config.Grant{{Groups: []string{"G"}}}},
		Push:   config.Push{Protect: []string{"Boss@Example.com"}, Linger: time.Second},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	o := c.Orgs[0]
	if o.CallTimeout != 20*time.Second || o.ClaimTTL != 30*time.Second || len(o.Match) != 2 || !protects(o.Protected, "boss@EXAMPLE.com") {
		t.Errorf("%+v", o)
	}
	if o.linger(events.LaneLeaver) != 0 || o.linger(events.LaneChange) > 2*time.Millisecond || o.linger(events.LaneBackfill) != time.Second {
		t.Error("a leaver waits, or backfill does not")
	}
	if n := len(queries(o.Names)); n != 4 { // profile, permission set twice, group
		t.Errorf("%d queries for the names in config, want 4", n)
	}
}

func TestCatalogueAsksOnceAndForgetsInTime(t *testing.T) {
	t.Parallel()
	config := names{}
	config.add(kindProfile, "P", "Other")
	c := newCatalogue(config)
	wanted := names{}
	wanted.add(kindProfile, "p")
	wanted.add(kindGroup, "Gone", "Twice")
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	asked := c.lacking(wanted, false, t0)
	if got := strings.Join(asked.of(kindProfile), " "); got != "Other P p" {
		t.Errorf("asks for %q, want what config knows as well", got)
	}
	qs := queries(asked)
	c.learn(asked, qs, [][]salesforce.Record{
		{{"Id": "1", "Name": "P"}}, {{"Id": "2", "DeveloperName": "Twice"}, {"Id": "3", "DeveloperName": "twice"}},
	}, t0)
	if got, ok := c.find(kindProfile, "P"); !ok || got.id != "1" {
		t.Errorf("P is %+v", got)
	}
	for _, name := range []string{"Gone", "Twice"} {
		if _, ok := c.find(kindGroup, name); ok {
			t.Errorf("%s stands for something", name)
		}
	}
	known := names{}
	known.add(kindProfile, "P")
	for _, tc := range []struct {
		wanted    names
		returning bool
		after     time.Duration
		want      bool
	}{
		{known, false, time.Minute, false}, {known, false, catalogueTTL, true},
		{wanted, false, time.Second, false}, {wanted, true, time.Second, true}, {wanted, false, missingTTL, true},
	} {
		if got := c.lacking(tc.wanted, tc.returning, t0.Add(tc.after)) != nil; got != tc.want {
			t.Errorf("after %s (returning %v): asks %v, want %v", tc.after, tc.returning, got, tc.want)
		}
	}
	c.forget(kindProfile, "p")
	if c.lacking(known, false, t0) == nil {
		t.Error("a forgotten name is not asked for again")
	}
}
