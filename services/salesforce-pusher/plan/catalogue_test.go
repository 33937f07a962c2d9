package plan

import (
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

func TestCatalogueAsksOnceAndForgetsInTime(t *testing.T) {
	t.Parallel()
	config := Names{}
	config.Add(KindProfile, "P", "Other")
	c := NewCatalogue(config)
	wanted := Names{}
	wanted.Add(KindProfile, "p")
	wanted.Add(KindGroup, "Gone", "Twice")
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	asked := c.Lacking(wanted, false, t0)
	if got := strings.Join(asked.of(KindProfile), " "); got != "Other P p" {
		t.Errorf("asks for %q, want what config knows as well", got)
	}
	qs := Queries(asked)
	c.Learn(asked, qs, [][]salesforce.Record{
		{{"Id": "1", "Name": "P"}}, {{"Id": "2", "DeveloperName": "Twice"}, {"Id": "3", "DeveloperName": "twice"}},
	}, t0)
	if got, ok := c.find(KindProfile, "P"); !ok || got.ID != "1" {
		t.Errorf("P is %+v", got)
	}
	for _, name := range []string{"Gone", "Twice"} {
		if _, ok := c.find(KindGroup, name); ok {
			t.Errorf("%s stands for something", name)
		}
	}
	known := Names{}
	known.Add(KindProfile, "P")
	for _, tc := range []struct {
		wanted    Names
		returning bool
		after     time.Duration
		want      bool
	}{
		{known, false, time.Minute, false}, {known, false, catalogueTTL, true},
		{wanted, false, time.Second, false}, {wanted, true, time.Second, true}, {wanted, false, missingTTL, true},
	} {
		if got := c.Lacking(tc.wanted, tc.returning, t0.Add(tc.after)) != nil; got != tc.want {
			t.Errorf("after %s (returning %v): asks %v, want %v", tc.after, tc.returning, got, tc.want)
		}
	}
	c.forget(KindProfile, "p")
	if c.Lacking(known, false, t0) == nil {
		t.Error("a forgotten name is not asked for again")
	}
}
