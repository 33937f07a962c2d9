package emulator_test

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// changedSince is what a reader by watermark finds of an object.
func (r *rig) changedSince(object string, at time.Time) int {
	r.t.Helper()
	return r.count("SELECT Id FROM " + object + " WHERE SystemModstamp >= " + at.Format(time.RFC3339))
}

// Whatever an administrator changes moves the stamps, as a call does, so that a
// reader by watermark sees it; an assignment that is gone leaves nothing.
func TestChangesByHandMoveTheStamps(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	const user, hr = "/_emulator/orgs/-/users/ada@people.example", `{"permissionSets":["HR_Data"],"permissionSetGroups":["Sales_All"],"groups":["Sales_Team"],"permissionSetLicenses":["SalesUserPsl"]}`
	access := "/_emulator/orgs/-/access/ada@people.example"
	for _, c := range []struct {
		name, method, path, body string
		object                   string
		rows                     int
		operation                string
	}{
		{"a field", "PATCH", user, `{"Title":"A"}`, "User", 1, "hand.update"},
		{"deactivated", "PATCH", user, `{"IsActive":false}`, "User", 1, "hand.update"},
		{"activated", "PATCH", user, `{"IsActive":true}`, "User", 1, "hand.update"},
		{"frozen", "PATCH", user, `{"IsFrozen":true}`, "UserLogin", 1, "hand.freeze"},
		{"unfrozen", "PATCH", user, `{"IsFrozen":false}`, "UserLogin", 1, "hand.freeze"},
		{"given", "POST", access, hr, "PermissionSetAssignment", 2, "hand.give"},
		{"given again", "POST", access, hr, "PermissionSetAssignment", 0, "hand.give"},
		{"taken", "DELETE", access, hr, "PermissionSetAssignment", 0, "hand.take"},
	} {
		r.now = r.now.Add(10 * time.Minute)
		seen := len(r.org.Journal(emulator.JournalFilter{Operation: c.operation}))
		r.do(c.method, c.path, c.body).is(t, 204)
		if n := r.changedSince(c.object, r.now); n != c.rows {
			t.Errorf("%s: %d rows of %s since, want %d", c.name, n, c.object, c.rows)
		}
		list := r.org.Journal(emulator.JournalFilter{Operation: c.operation})
		if len(list) != seen+1 || !slices.Equal(list[seen].Touched[:2], []string{id, "ada@people.example"}) || !list[seen].Time.Equal(r.now) || list[seen].Mutating {
			t.Errorf("%s: journal %+v", c.name, list)
		}
	}
	if n := r.org.Counters(); n.ByOperation["hand.give"] != 0 || n.APICalls != 1 {
		t.Errorf("counters %+v", n) // an administrator uses no API calls
	}
	span := "?start=2026-03-01T00:00:00Z&end=2026-03-02T00:00:00Z"
	for _, object := range []string{"PermissionSetAssignment", "PermissionSetLicenseAssign", "GroupMember"} {
		got := r.do("GET", version+"/sobjects/"+object+"/deleted"+span, "").object(t)["deletedRecords"]
		if list, _ := got.([]any); len(list) != 0 || r.count("SELECT Id FROM "+object) != 0 {
			t.Errorf("%s leaves %v", object, got)
		}
	}
}

// Access is given and taken by names, all of a list by one word, the whole of a
// change or nothing.
func TestAccessByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.create("ada")
	const ada = "ada@people.example"
	everything := []string{emulator.Everything}
	has := func(sets, groups, queues int) {
		t.Helper()
		u, _ := r.org.UserByUsername(ada)
		if len(u.PermissionSets) != sets || len(u.PermissionSetGroups) != groups || len(u.Groups) != queues {
			t.Fatalf("user %+v", u)
		}
	}
	all := emulator.Access{PermissionSets: []string{"HR_Data", "Sales_Base"}, PermissionSetGroups: []string{"Sales_All"},
		Groups: []string{"Support Queue", "All_Staff"}, PermissionSetLicenses: []string{"SalesUserPsl"}}
	if err := r.org.Give(ada, all); err != nil {
		t.Fatal(err)
	}
	has(2, 1, 2)
	if used, _ := r.org.Seats("SalesUserPsl"); used != 1 {
		t.Fatalf("%d seats", used)
	}
	for _, wrong := range []emulator.Access{{PermissionSets: []string{"Nope"}}, {Groups: everything}} {
		if err := r.org.Give(ada, wrong); err == nil {
			t.Errorf("%+v was given", wrong)
		}
	}
	if err := r.org.Take(ada, emulator.Access{PermissionSets: []string{"HR_Data", "Nope"}}); err == nil {
		t.Error("a set was taken that there is not")
	}
	if err := r.org.Take("nobody@people.example", all); err == nil {
		t.Error("something was taken from nobody")
	}
	has(2, 1, 2)
	if err := r.org.Take(ada, emulator.Access{PermissionSets: []string{"HR_Data"}}); err != nil {
		t.Fatal(err)
	}
	has(1, 1, 2)
	if err := r.org.Take(ada, emulator.Access{PermissionSets: everything, PermissionSetLicenses: everything}); err != nil {
		t.Fatal(err)
	}
	has(0, 1, 2)
	if used, _ := r.org.Seats("SalesUserPsl"); used != 0 {
		t.Fatalf("%d seats", used)
	}
	r.do("PUT", "/_emulator/orgs/-/access/"+ada, `{}`).is(t, 400)
	r.do("POST", "/_emulator/orgs/-/access/"+ada, `{"sets":["HR_Data"]}`).is(t, 400)
}

// A refusal of something done by hand leaves nothing behind, also no entry.
func TestWhatIsRefusedByHandLeavesNothing(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.PermissionSetLicenses[1].Seats = 0 })
	r.create("ada")
	err := r.org.Give("ada@people.example", emulator.Access{PermissionSets: []string{"HR_Data"}, PermissionSetLicenses: []string{"SalesUserPsl"}})
	if err == nil {
		t.Fatal("a seat was given that there is not")
	}
	if u, _ := r.org.UserByUsername("ada@people.example"); len(u.PermissionSets) != 0 {
		t.Fatalf("user %+v", u)
	}
	if list := r.org.Journal(emulator.JournalFilter{Operation: "hand.give"}); len(list) != 0 {
		t.Fatalf("journal %+v", list)
	}
}
