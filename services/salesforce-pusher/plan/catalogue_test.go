package plan

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

func TestCatalogueAsksOnceAndForgetsInTime(t *testing.T) {
	t.Parallel()
	config := Names{}
	config.Add(KindProfile, "P", "Other")
	c := NewCatalogue(config)
	wanted := Names{}
	wanted.Add(KindProfile, "p")
	wanted.Add("group", "Gone", "Twice")
	t0 := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	asked := c.Lacking(wanted, false, t0)
	if got := strings.Join(asked.of(KindProfile), " "); got != "Other P p" {
		t.Errorf("asks for %q, want what config knows as well", got)
	}
	qs := c.Queries(asked, time.Unix(1, 0))
	c.Learn(asked, qs, [][]salesforce.Record{
		{{"Id": "1", "Name": "P"}}, {{"Id": "2", "DeveloperName": "Twice"}, {"Id": "3", "DeveloperName": "twice"}},
	}, t0)
	if got, ok := c.find(KindProfile, "P"); !ok || got.ID != "1" {
		t.Errorf("P is %+v", got)
	}
	for _, name := range []string{"Gone", "Twice"} {
		if _, ok := c.find("group", name); ok {
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

// TestWhatAnotherKindNeedsIsGivenFirst and taken last.
func TestWhatAnotherKindNeedsIsGivenFirst(t *testing.T) {
	t.Parallel()
	names := []string{"group/G", "ps/A", "psl/L", "group/H", "ps/B"}
	slices.SortStableFunc(names, CompareForGiving)
	if got := strings.Join(names, " "); got != "psl/L ps/A ps/B group/G group/H" {
		t.Errorf("given in the order %s", got)
	}
	slices.SortStableFunc(names, CompareForTaking)
	if got := strings.Join(names, " "); got != "group/G group/H ps/A ps/B psl/L" {
		t.Errorf("taken in the order %s", got)
	}
}

// TestNoKindIsLostOnTheWay: every kind that configuration knows is asked for by
// name, given by a record of its own, and recognised where a user has it.
func TestNoKindIsLostOnTheWay(t *testing.T) {
	t.Parallel()
	for _, k := range events.AssignmentKinds() {
		for i, target := range k.Targets {
			name := k.ID + "/X"
			wanted := Names{}
			wanted.Add(k.ID, "X")
			queries := NewCatalogue(nil).Queries(wanted, time.Unix(1, 0))
			answers := make([][]salesforce.Record, len(queries))
			answers[i] = []salesforce.Record{{"Id": "id", target.Name: "X"}}
			c := NewCatalogue(nil)
			c.Learn(wanted, queries, answers, time.Now())
			to, ok := c.Target(name)
			if !ok || !strings.Contains(queries[i].SOQL, target.Object) || queries[i].Optional != target.Optional {
				t.Fatalf("%s is not found as a %s by %+v", name, target.Object, queries)
			}
			r := NewAssignment(name, to, "005")
			if r[target.Field] != "id" || r[k.User] != "005" || Object(name) != k.Object {
				t.Errorf("%s is given by %s %v", name, Object(name), r)
			}
			p := New(State{Desired: events.Desired{Assignments: map[string][]string{k.Key: {"X"}}}, Link: events.Link{UserID: "005"}})
			q := QueryAssignments([]*Person{p}, c)
			r["Id"] = "assignment"
			if len(q.SOQL) != 1 || q.Read([][]salesforce.Record{{r}})["005"][name] != "assignment" {
				t.Errorf("%s is not recognised: %v", name, q.SOQL)
			}
		}
	}
}
