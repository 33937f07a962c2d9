package emulator_test

import (
	"bytes"
	"net/http"
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// adopt goes on with the org that took the place of the bench's, signed in anew.
func (b *bench) adopt(o *emulator.Org) {
	b.t.Helper()
	b.org = o
	b.token = b.signIn().object(b.t)["access_token"].(string)
}

// Another org behind the same name: the set-up and who is kept, with all that
// hangs on them; the others are not there, and no id is what it was.
func TestRefreshIsAnotherOrg(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	ada, bob := b.endowed("ada"), b.create("bob")
	b.do("PATCH", version+"/sobjects/User/"+ada, `{"ManagerId":"`+bob+`"}`).is(t, 204)
	if err := b.org.FreezeUser("ada@people.example", true); err != nil {
		t.Fatal(err)
	}
	b.do("POST", "/_emulator/orgs/-/refusals/ada@people.example", `{"message":"You cannot"}`).is(t, 204)
	b.plan(emulator.Fault{Effect: emulator.EffectLate, Times: 1})
	b.unanswered("PATCH", version+"/sobjects/User/"+ada, `{"Title":"late"}`)
	refresh, err := b.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	old, before := b.org, b.org.State(false)
	another, err := old.Refresh(emulator.Refresh{Keep: func(u emulator.User) bool { return u.LastName == "ada" }})
	if err != nil {
		t.Fatal(err)
	}
	b.query("SELECT Id FROM User").is(t, 401) // nobody is signed in there
	b.refresh(refresh).is(t, 400)
	b.adopt(another)
	if another.ID() == old.ID() || b.server.Org(old.ID()) != nil || !slices.Equal(b.server.Orgs(), []*emulator.Org{another}) {
		t.Fatalf("orgs %v", b.server.Orgs())
	}
	u, _ := another.UserByUsername("ada@people.example")
	if u.ID == ada || !u.IsFrozen || u.Profile != emulator.StandardUserProfile || len(u.PermissionSets) != 2 || len(u.Groups) != 2 || u.Fields["ManagerId"] != nil || u.Fields["Title"] != "A" {
		t.Fatalf("ada is %+v", u)
	}
	b.do("GET", version+"/sobjects/User/"+ada, "").is(t, 404)
	b.do("PATCH", version+"/sobjects/User/"+bob, `{"Title":"A"}`).is(t, 404)
	b.do("PATCH", version+"/sobjects/User/"+u.ID, `{"IsActive":false}`).is(t, 400) // refused as before
	b.do("PATCH", version+"/sobjects/User/"+u.ID, `{"Title":"B"}`).is(t, 204)
	if n := b.count("SELECT Id FROM User"); n != 2 || b.count("SELECT Id FROM UserLogin") != 2 {
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
	b.create("bob") // the username is free
	if len(b.server.Late().Calls()) != 0 {
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
	b := newBench(t, nil)
	ada, bob := b.create("ada"), b.create("bob")
	set := b.id("PermissionSet", "HR_Data")
	b.assign(ada)
	id := b.org.ID()
	refresh, err := b.org.Grant(clientID, emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	b.do("POST", "/_emulator/orgs/-/refresh", `{"keep":["x@people.example"]}`).is(t, 400)
	b.do("POST", "/_emulator/orgs/-/refresh", `{"keep":[],"drop":[]}`).is(t, 400)
	b.do("GET", "/_emulator/orgs/-/refresh", "").is(t, 400)
	got := b.do("POST", "/_emulator/orgs/-/refresh", `{"drop":["Bob@people.example"],"keepIds":true,"keepOrgId":true}`)
	got.is(t, http.StatusCreated)
	if got.object(t)["id"] != id || got.object(t)["users"] != 2.0 {
		t.Fatalf("org %s", got.body)
	}
	b.query("SELECT Id FROM User").is(t, 401)
	b.refresh(refresh).same(t, 400, refused("invalid_grant", "expired access/refresh token"))
	b.adopt(b.server.Org(id))
	b.do("GET", version+"/sobjects/User/"+ada, "").is(t, 200)
	b.do("GET", version+"/sobjects/User/"+bob, "").is(t, 404)
	if b.id("PermissionSet", "HR_Data") != set || b.count("SELECT Id FROM PermissionSetAssignment WHERE AssigneeId = '"+ada+"'") != 1 {
		t.Fatal("ids are others")
	}
	if again := b.create("bob"); again == bob {
		t.Fatal("an id came again")
	}
	b.do("POST", "/_emulator/orgs/-/refresh", `{}`).is(t, http.StatusCreated)
	if users := b.server.Orgs()[0].Users(); len(users) != 1 || users[0].Username != emulator.IntegrationUsername {
		t.Fatalf("users %+v", users)
	}
	var file bytes.Buffer
	if err := b.server.Save(&file); err != nil {
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
	b := newBench(t, nil)
	b.do("POST", "/_emulator/orgs/-/move", `{"old":"page"}`).is(t, 200)
	id := b.do("POST", "/_emulator/orgs/-/refresh", `{}`).object(t)["id"].(string)
	got := b.signIn().object(t)
	if want := b.web.URL + "/orgs/" + id; got["instance_url"] != want {
		t.Fatalf("instance_url %v, want %s", got["instance_url"], want)
	}
	if a, err := b.at(got["instance_url"].(string), got["access_token"].(string)); err != nil || a.status != 200 {
		t.Fatalf("answer %v, %v", a, err)
	}
}
