package emulator_test

import (
	"fmt"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// What makes an administrator is read from profiles, permission sets and groups of them.
func TestPermissionsAreRead(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	ada := r.create("ada")
	r.create("bob")
	a := r.do("POST", version+"/sobjects/PermissionSet", `{"Name":"Keys","Label":"Keys","PermissionsManageUsers":true}`)
	a.is(t, 201)
	set := a.object(t)["id"].(string)
	group := r.query(`SELECT Id FROM PermissionSetGroup WHERE DeveloperName = 'Sales_All'`).object(t)["records"].([]any)[0].(map[string]any)["Id"].(string)
	count := func(soql string, want int) {
		t.Helper()
		if a := r.query(soql); a.status != 200 || a.object(t)["totalSize"] != float64(want) {
			t.Errorf("%s: %v, want %d", soql, a, want)
		}
	}
	count(`SELECT Name FROM Profile WHERE PermissionsModifyAllData = true`, 1)
	count(`SELECT Name FROM PermissionSet WHERE PermissionsModifyAllData = true AND IsOwnedByProfile = true`, 1)
	count(`SELECT Name, PermissionSetGroupId FROM PermissionSet WHERE (Name IN ('Keys','HR_Data') AND IsOwnedByProfile = false AND PermissionSetGroupId = null) OR PermissionSetGroup.DeveloperName IN ('Sales_All')`, 3)
	count(`SELECT Name FROM PermissionSet WHERE PermissionSetGroup.DeveloperName = 'Sales_All' AND PermissionsManageUsers = true`, 0)
	r.do("POST", version+"/sobjects/PermissionSetGroupComponent", fmt.Sprintf(`{"PermissionSetGroupId":"%s","PermissionSetId":"%s"}`, group, set)).is(t, 201)
	count(`SELECT Name FROM PermissionSet WHERE PermissionSetGroup.DeveloperName = 'Sales_All' AND PermissionsManageUsers = true`, 1)
	r.do("POST", version+"/sobjects/PermissionSetAssignment", fmt.Sprintf(`{"AssigneeId":"%s","PermissionSetId":"%s"}`, ada, set)).is(t, 201)
	got := r.query(`SELECT Username, Profile.PermissionsModifyAllData, (SELECT PermissionSet.Name FROM PermissionSetAssignments WHERE PermissionSet.PermissionsModifyAllData = true OR PermissionSet.PermissionsManageUsers = true) FROM User ORDER BY Username`)
	for i, want := range []struct {
		username string
		profile  bool
		sets     bool
	}{{"ada@people.example", false, true}, {"bob@people.example", false, false}, {emulator.IntegrationUsername, true, false}} {
		u := got.object(t)["records"].([]any)[i].(map[string]any)
		if u["Username"] != want.username || u["Profile"].(map[string]any)["PermissionsModifyAllData"] != want.profile || (u["PermissionSetAssignments"] != nil) != want.sets {
			t.Errorf("user %d: %v, want %+v", i, u, want)
		}
	}
}
