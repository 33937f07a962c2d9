package emulator_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// adopt goes on with the org that took the place of the rig's, signed in anew.
func (r *rig) adopt(o *emulator.Org) {
	r.t.Helper()
	r.org = o
	r.token = r.signIn().object(r.t)["access_token"].(string)
}

// Another org behind the same name: the set-up and who is kept, with all that
// hangs on them; the others are not there, and no id is what it was.
func TestRefreshIsAnotherOrg(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ada, bob := r.endowed("ada"), r.create("bob")
	r.do("PATCH", version+"/sobjects/User/"+ada, `{"ManagerId":"`+bob+`"}`).is(t, 204)
	if err := r.org.FreezeUser("ada@people.example", true); err != nil {
		t.Fatal(err)
	}
	r.do("POST", "/_emulator/orgs/-/refusals/ada@people.example", `{"message":"You cannot"}`).is(t, 204)
	r.plan(emulator.Fault{Effect: emulator.EffectLate, Times: 1})
	r.unanswered("PATCH", version+"/sobjects/User/"+ada, `{"Title":"late"}`)
	refresh, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	old, before := r.org, r.org.State(false)
	another, err := old.Refresh(emulator.Refresh{Keep: func(u emulator.User) bool { return u.LastName == "ada" }})
	if err != nil {
		t.Fatal(err)
	}
	r.query("SELECT Id FROM User").is(t, 401) // nobody is signed in there
	r.refresh(refresh).is(t, 400)
	r.adopt(another)
	if another.ID() == old.ID() || r.server.Org(old.ID()) != nil || !slices.Equal(r.server.Orgs(), []*emulator.Org{another}) {
		t.Fatalf("orgs %v", r.server.Orgs())
	}
	u, _ := another.UserByUsername("ada@people.example")
	if u.ID == ada || !u.IsFrozen || u.Profile != emulator.StandardUserProfile || len(u.PermissionSets) != 2 || len(u.Groups) != 2 || u.Fields["ManagerId"] != nil || u.Fields["Title"] != "A" {
		t.Fatalf("ada is %+v", u)
	}
	r.do("GET", version+"/sobjects/User/"+ada, "").is(t, 404)
	r.do("PATCH", version+"/sobjects/User/"+bob, `{"Title":"A"}`).is(t, 404)
	r.do("PATCH", version+"/sobjects/User/"+u.ID, `{"IsActive":false}`).is(t, 400) // refused as before
	r.do("PATCH", version+"/sobjects/User/"+u.ID, `{"Title":"B"}`).is(t, 204)
	if n := r.count("SELECT Id FROM User"); n != 2 || r.count("SELECT Id FROM UserLogin") != 2 {
		t.Fatalf("%d users", n)
	}
	for _, licence := range []string{emulator.SalesforceLicense, "SalesUserPsl"} {
		if used, _ := another.Seats(licence); used != map[string]int{emulator.SalesforceLicense: 2, "SalesUserPsl": 1}[licence] {
			t.Errorf("%d seats of %s", used, licence)
		}
	}
	if rows, _ := another.Query("SELECT Id, Name FROM Organization"); len(rows) != 1 || rows[0]["Id"] != another.ID() {
		t.Errorf("organization %v", rows)
	}
	r.create("bob") // the username is free
	if len(r.server.Late().Calls()) != 0 {
		t.Error("a late call outlived its org")
	}
	if got := encodeJSON(t, old.State(false)); !bytes.Equal(got, encodeJSON(t, before)) {
		t.Error("the old org changed")
	}
	if list := another.Journal(emulator.JournalFilter{Operation: "hand.refresh"}); len(list) != 1 || !slices.Equal(list[0].Touched, []string{old.ID(), another.ID()}) {
		t.Errorf("journal %+v", list)
	}
	if _, err := old.Refresh(emulator.Refresh{}); err == nil {
		t.Error("an org was refreshed that is gone")
	}
}

// Over HTTP; ids and the org's id stay when they are to stay.
func TestRefreshThatKeepsIDs(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ada, bob := r.create("ada"), r.create("bob")
	set := r.id("PermissionSet", "HR_Data")
	r.assign(ada)
	id := r.org.ID()
	refresh, err := r.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	r.do("POST", "/_emulator/orgs/-/refresh", `{"keep":["x@people.example"]}`).is(t, 400)
	r.do("POST", "/_emulator/orgs/-/refresh", `{"keep":[],"drop":[]}`).is(t, 400)
	r.do("GET", "/_emulator/orgs/-/refresh", "").is(t, 400)
	got := r.do("POST", "/_emulator/orgs/-/refresh", `{"drop":["Bob@people.example"],"keepIds":true,"keepOrgId":true}`)
	got.is(t, http.StatusCreated)
	if got.object(t)["id"] != id || got.object(t)["users"] != 2.0 {
		t.Fatalf("org %s", got.body)
	}
	r.query("SELECT Id FROM User").is(t, 401)
	r.refresh(refresh).same(t, 400, refused("invalid_grant", "expired access/refresh token"))
	r.adopt(r.server.Org(id))
	r.do("GET", version+"/sobjects/User/"+ada, "").is(t, 200)
	r.do("GET", version+"/sobjects/User/"+bob, "").is(t, 404)
	if r.id("PermissionSet", "HR_Data") != set || r.count("SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '"+ada+"'") != 1 {
		t.Fatal("ids are others")
	}
	if again := r.create("bob"); again == bob {
		t.Fatal("an id came again")
	}
	r.do("POST", "/_emulator/orgs/-/refresh", `{}`).is(t, http.StatusCreated)
	if users := r.server.Orgs()[0].Users(); len(users) != 1 || users[0].Username != emulator.IntegrationUsername {
		t.Fatalf("users %+v", users)
	}
	var file bytes.Buffer
	if err := r.server.Save(&file); err != nil {
		t.Fatal(err)
	}
	again := emulator.New()
	if err := again.Load(&file); err != nil {
		t.Fatal(err)
	}
	for range 3 { // each with an id of its own
		cfg := emulator.DefaultOrg("another", "secret")
		cfg.Users = nil
		again.AddOrg(cfg)
	}
}

// An org that is reached by a path prefix with its id is reached by the new one.
func TestRefreshOfAnOrgAtAPathPrefix(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.do("POST", "/_emulator/orgs/-/move", `{"old":"page"}`).is(t, 200)
	id := r.do("POST", "/_emulator/orgs/-/refresh", `{}`).object(t)["id"].(string)
	got := r.signIn().object(t)
	if want := r.web.URL + "/orgs/" + id; got["instance_url"] != want {
		t.Fatalf("instance_url %v, want %s", got["instance_url"], want)
	}
	if a, err := r.at(got["instance_url"].(string), got["access_token"].(string)); err != nil || a.status != 200 {
		t.Fatalf("answer %v, %v", a, err)
	}
}
