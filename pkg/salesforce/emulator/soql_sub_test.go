package emulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// Who holds a permission set, who does not, and what each user holds: the
// questions of an access review, each in one query.
func TestSOQLInsideSOQL(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ada := r.create("ada")
	r.create("bob")
	set := r.id("PermissionSet", "HR_Data")
	r.do("POST", version+"/sobjects/PermissionSetAssignment", fmt.Sprintf(`{"AssigneeId":"%s","PermissionSetId":"%s"}`, ada, set)).is(t, 201)
	for soql, want := range map[string]int{
		`SELECT Id FROM User WHERE Id IN (SELECT AssigneeId FROM PermissionSetAssignment WHERE PermissionSet.Name = 'HR_Data')`:            1,
		`SELECT Id FROM User WHERE Id NOT IN (SELECT AssigneeId FROM PermissionSetAssignment)`:                                             2,
		`SELECT Id FROM User WHERE ProfileId IN (SELECT Id FROM Profile WHERE Name = 'Standard User') AND Username = 'ada@people.example'`: 1,
		`SELECT Id FROM User WHERE ManagerId IN (SELECT Id FROM User)`:                                                                     0,
		`SELECT Id FROM User WHERE ManagerId NOT IN (SELECT Id FROM User)`:                                                                 3,
		`SELECT Id, (SELECT Id FROM PermissionSetAssignments WHERE PermissionSet.IsOwnedByProfile = false) FROM User`:                      3,
		`SELECT Name, (SELECT UserOrGroupId FROM GroupMembers ORDER BY Id LIMIT 1) FROM Group WHERE Type = 'Regular'`:                      3,
		`SELECT Name, (SELECT Username FROM Users WHERE IsActive = true) FROM Profile WHERE Name = 'Standard User'`:                        1,
	} {
		if a := r.query(soql); a.status != 200 || a.object(t)["totalSize"] != float64(want) {
			t.Errorf("%s: %v", soql, a)
		}
	}
	got := r.query(`SELECT Username, (SELECT PermissionSet.Name FROM PermissionSetAssignments) FROM User WHERE Username IN ('ada@people.example','bob@people.example') ORDER BY Username`)
	records := got.object(t)["records"].([]any)
	held := records[0].(map[string]any)["PermissionSetAssignments"].(map[string]any)
	if held["totalSize"] != 1.0 || held["done"] != true || held["records"].([]any)[0].(map[string]any)["PermissionSet"].(map[string]any)["Name"] != "HR_Data" {
		t.Errorf("children %v", held)
	}
	if none, there := records[1].(map[string]any)["PermissionSetAssignments"]; !there || none != nil { // [D] null
		t.Errorf("no children are %v", none)
	}
	for _, soql := range []string{
		`SELECT Id, (SELECT Id FROM Nothings) FROM User`, `SELECT Id FROM User WHERE Id IN (SELECT Id, Name FROM User)`, `SELECT Id FROM User WHERE Id IN (SELECT COUNT() FROM User)`,
		`SELECT Id FROM User WHERE Id IN (SELECT Nope FROM User)`, `SELECT Id FROM User WHERE Id IN (SELECT Id FROM User WHERE Id IN (SELECT Id FROM User))`,
		`SELECT Id FROM User WHERE Id IN (SELECT Id FROM User`, `SELECT Id, (SELECT COUNT(Id) FROM PermissionSetAssignments) FROM User`, `SELECT Id FROM User WHERE Id = (SELECT Id FROM User)`,
	} {
		if a := r.query(soql); a.status != 400 {
			t.Errorf("%s: %v", soql, a)
		}
	}
}

func TestSOQLGroups(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.create("ada", "Title", "Clerk")
	r.create("bob")
	a := r.query(`SELECT Profile.Name, COUNT(Id) n, COUNT(Title) FROM User WHERE IsActive = true GROUP BY Profile.Name ORDER BY Profile.Name`)
	a.same(t, 200, `{"totalSize":2,"done":true,"records":[{"attributes":{"type":"AggregateResult"},"Name":"Standard User","n":2,"expr1":1},{"attributes":{"type":"AggregateResult"},"Name":"`+emulator.AdminProfile+`","n":1,"expr1":0}]}`)
	if a := r.query(`SELECT ProfileId, COUNT(Id) n FROM User GROUP BY ProfileId ORDER BY ProfileId DESC LIMIT 1`).object(t); a["totalSize"] != 1.0 || a["records"].([]any)[0].(map[string]any)["n"] != 2.0 {
		t.Errorf("one group: %v", a)
	}
	if a := r.query(`SELECT Username, COUNT(Id) FROM User GROUP BY ProfileId`); a.status != 400 || !strings.Contains(a.body, "Field must be grouped or aggregated: Username") {
		t.Errorf("not grouped: %v", a)
	}
	r.query(`SELECT ProfileId, UserRoleId FROM User GROUP BY ProfileId, UserRoleId`).is(t, 200)
	r.query(`SELECT COUNT(Id) FROM User GROUP BY`).is(t, 400)
	r.query(`SELECT COUNT(Id) FROM User GROUP BY Nope`).is(t, 400)
}
