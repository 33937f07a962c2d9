package conformance

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// driver is a client under test, cut down to what a user's life needs. A
// method ends the test when the client reports a failure.
type driver interface {
	create(t *testing.T, object string, record map[string]any) string
	query(t *testing.T, soql string) []map[string]any
	update(t *testing.T, object, id string, change map[string]any)
	upsert(t *testing.T, object, field, value string, record map[string]any)
	remove(t *testing.T, object, id string)
	// refuses creates a record that the org must refuse, and gives the error.
	refuses(t *testing.T, object string, record map[string]any) error
	// createMany and updateMany give success per record.
	createMany(t *testing.T, object string, records []map[string]any) []bool
	updateMany(t *testing.T, object string, changes []map[string]any) []bool
	removeMany(t *testing.T, ids []string) []bool
	// load inserts by Bulk API 2.0 and gives how many succeeded and failed.
	load(t *testing.T, object string, records []map[string]any) (good, bad int)
}

// life takes a user through everything, by way of one client.
func life(t *testing.T, o *target, org *emulator.Org, d driver) {
	t.Helper()
	ada := d.create(t, "User", o.person(t, "ada"))
	rows := d.query(t, "SELECT Id, Username, IsActive, Profile.Name FROM User WHERE FederationIdentifier = '"+o.username("ada")+"'")
	if len(rows) != 1 || rows[0]["Id"] != ada || rows[0]["IsActive"] != true {
		t.Fatalf("found %v", rows)
	}
	d.update(t, "User", ada, map[string]any{"Title": "Countess"})
	d.update(t, "User", ada, map[string]any{"IsActive": false})
	if u := state(t, org, o, "ada"); u.IsActive || u.Fields["Title"] != "Countess" {
		t.Fatalf("deactivated: %+v", u)
	}
	d.update(t, "User", ada, map[string]any{"IsActive": true})
	d.upsert(t, "User", "Rollcall_Key__c", "emea-"+o.run, map[string]any{"Username": o.username("ups"), "LastName": "Ups", "Email": o.username("ups"), "Alias": "ups",
		"ProfileId": o.id(t, "SELECT Id FROM Profile WHERE Name = '"+o.profile+"'"), "IsActive": true,
		"TimeZoneSidKey": "GMT", "LocaleSidKey": "en_US", "EmailEncodingKey": "UTF-8", "LanguageLocaleKey": "en_US"})
	d.upsert(t, "User", "Rollcall_Key__c", "emea-"+o.run, map[string]any{"Title": "Again"})
	if u := state(t, org, o, "ups"); u.Fields["Title"] != "Again" {
		t.Fatalf("upserted: %+v", u)
	}
	if err := d.refuses(t, "User", o.person(t, "ada")); err == nil {
		t.Fatal("a username was given twice")
	}
	belongings(t, o, org, d, ada)
	freeze(t, o, org, d, ada)
	many(t, o, org, d)
}

// belongings gives a permission set and a group, and takes them again.
func belongings(t *testing.T, o *target, org *emulator.Org, d driver, ada string) {
	t.Helper()
	set := o.id(t, "SELECT Id FROM PermissionSet WHERE Name = 'HR_Data'")
	group := o.id(t, "SELECT Id FROM Group WHERE DeveloperName = 'All_Staff'")
	assignment := d.create(t, "PermissionSetAssignment", map[string]any{"AssigneeId": ada, "PermissionSetId": set})
	member := d.create(t, "GroupMember", map[string]any{"GroupId": group, "UserOrGroupId": ada})
	if again := d.create(t, "GroupMember", map[string]any{"GroupId": group, "UserOrGroupId": ada}); again != member {
		t.Fatalf("a membership twice: %s and %s", member, again)
	}
	if err := d.refuses(t, "PermissionSetAssignment", map[string]any{"AssigneeId": ada, "PermissionSetId": set}); err == nil {
		t.Fatal("an assignment twice")
	}
	if u := state(t, org, o, "ada"); len(u.PermissionSets) != 1 || len(u.Groups) != 1 {
		t.Fatalf("assigned: %+v", u)
	}
	d.remove(t, "PermissionSetAssignment", assignment)
	d.remove(t, "GroupMember", member)
	if u := state(t, org, o, "ada"); len(u.PermissionSets) != 0 || len(u.Groups) != 0 {
		t.Fatalf("taken away: %+v", u)
	}
}

// freeze keeps the seat; deactivating frees it.
func freeze(t *testing.T, o *target, org *emulator.Org, d driver, ada string) {
	t.Helper()
	before, _ := org.Seats(emulator.SalesforceLicense)
	login := o.id(t, "SELECT Id FROM UserLogin WHERE UserId = '"+ada+"'")
	d.update(t, "UserLogin", login, map[string]any{"IsFrozen": true})
	frozen, _ := org.Seats(emulator.SalesforceLicense)
	if u := state(t, org, o, "ada"); !u.IsFrozen || frozen != before {
		t.Fatalf("frozen with %d of %d seats: %+v", frozen, before, u)
	}
	d.update(t, "UserLogin", login, map[string]any{"IsFrozen": false})
	d.update(t, "User", ada, map[string]any{"IsActive": false})
	if after, _ := org.Seats(emulator.SalesforceLicense); after != before-1 {
		t.Fatalf("%d seats after leaving, want %d", after, before-1)
	}
}

// many goes through collections and through the Bulk API, with one bad record
// each: it must be the one that is reported.
func many(t *testing.T, o *target, org *emulator.Org, d driver) {
	t.Helper()
	good, bad := o.person(t, "grace"), o.person(t, "bad")
	bad["Email"] = "no address"
	if got := d.createMany(t, "User", []map[string]any{bad, good}); len(got) != 2 || got[0] || !got[1] {
		t.Fatalf("created %v", got)
	}
	id := state(t, org, o, "grace").ID
	if got := d.updateMany(t, "User", []map[string]any{{"Id": id, "Title": "Admiral"}}); len(got) != 1 || !got[0] {
		t.Fatalf("updated %v", got)
	}
	if u := state(t, org, o, "grace"); u.Fields["Title"] != "Admiral" {
		t.Fatalf("updated: %+v", u)
	}
	group := o.id(t, "SELECT Id FROM Group WHERE DeveloperName = 'All_Staff'")
	member := d.create(t, "GroupMember", map[string]any{"GroupId": group, "UserOrGroupId": id})
	if got := d.removeMany(t, []string{member}); len(got) != 1 || !got[0] {
		t.Fatalf("removed %v", got)
	}
	loaded, refused := o.person(t, "bulk"), o.person(t, "refused")
	refused["Email"] = "no address"
	if good, bad := d.load(t, "User", []map[string]any{refused, loaded}); good != 1 || bad != 1 {
		t.Fatalf("loaded %d, refused %d", good, bad)
	}
	if u := state(t, org, o, "bulk"); !u.IsActive {
		t.Fatalf("loaded: %+v", u)
	}
}

// state reads a user past every client.
func state(t *testing.T, org *emulator.Org, o *target, name string) emulator.User {
	t.Helper()
	u, ok := org.UserByUsername(o.username(name))
	if !ok {
		t.Fatalf("no user %s", name)
	}
	return u
}
