package emulator_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const strips = `{"permissionSets":["*"],"permissionSetGroups":["Sales_All"],"groups":["Sales_Team"],"permissionSetLicenses":["*"],"fields":["Title","ManagerId","UserPermissionsMarketingUser"]}`

// endowed makes a user who has something of everything.
func (r *rig) endowed(name string) string {
	r.t.Helper()
	id := r.create(name, "Title", "A", "Department", "Sales")
	r.do("PATCH", version+"/sobjects/User/"+id, `{"UserPermissionsMarketingUser":true,"ManagerId":"`+r.first("SELECT Id FROM User")+`"}`).is(r.t, 204)
	err := r.org.Give(name+"@people.example", emulator.Access{PermissionSets: []string{"HR_Data", "Sales_Base"}, PermissionSetGroups: []string{"Sales_All"},
		Groups: []string{"Sales_Team", "All_Staff"}, PermissionSetLicenses: []string{"SalesUserPsl"}})
	if err != nil {
		r.t.Fatal(err)
	}
	return id
}

// stripped says whether the flow took from a user what it takes; half a strip
// fails the test.
func (r *rig) stripped(name string) bool {
	r.t.Helper()
	u, _ := r.org.UserByUsername(name + "@people.example")
	seats, _ := r.org.Seats("SalesUserPsl")
	left := 0
	for _, there := range []bool{len(u.PermissionSets) == 2, len(u.PermissionSetGroups) == 1, len(u.Groups) == 2, seats == 1,
		u.Fields["Title"] == "A", u.Fields["ManagerId"] != nil, u.Fields["UserPermissionsMarketingUser"] == true} {
		if there {
			left++
		}
	}
	if u.Fields["Department"] != "Sales" || left != 0 && left != 7 || len(u.Groups) == 0 {
		r.t.Fatalf("%d of 7 are left: %+v", left, u)
	}
	return left == 0
}

// Whoever deactivates: the org's flow strips the user, and nothing comes back
// with the user. The journal names who was stripped.
func TestFlowStripsWhoIsDeactivated(t *testing.T) {
	t.Parallel()
	for name, deactivate := range map[string]func(r *rig, id string){
		"single": func(r *rig, id string) {
			r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":false}`).is(r.t, 204)
		},
		"collection": func(r *rig, id string) {
			r.do("PATCH", version+"/composite/sobjects", collection(true, `{"attributes":{"type":"User"},"id":"`+id+`","IsActive":false}`)).is(r.t, 200)
		},
		"composite": func(r *rig, id string) {
			r.do("POST", version+"/composite", `{"allOrNone":true,"compositeRequest":[{"method":"PATCH","url":"`+version+`/sobjects/User/`+id+`","referenceId":"u","body":{"IsActive":false}}]}`).is(r.t, 200)
		},
		"bulk": func(r *rig, id string) {
			job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"update"}`).object(r.t)["id"].(string)
			r.do("PUT", job+"/batches", "Id,IsActive\n"+id+",false\n").is(r.t, 201)
			r.do("PATCH", job, `{"state":"UploadComplete"}`).is(r.t, 200)
		},
		"hand": func(r *rig, _ string) {
			if err := r.org.DisableUser("ada@people.example"); err != nil {
				r.t.Fatal(err)
			}
		},
		"late": func(r *rig, id string) {
			r.plan(emulator.Fault{Effect: emulator.EffectLate, Times: 1})
			r.unanswered("PATCH", version+"/sobjects/User/"+id, `{"IsActive":false}`)
			if err := r.org.Late().Apply(); err != nil {
				r.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			id := r.endowed("ada")
			r.do("POST", "/_emulator/orgs/-/flow", strips).is(t, 204)
			r.do("PATCH", version+"/sobjects/User/"+id, `{"Division":"A"}`).is(t, 204)
			if r.stripped("ada") {
				t.Fatal("stripped by another change")
			}
			deactivate(r, id)
			if !r.stripped("ada") {
				t.Fatal("not stripped")
			}
			named := 0
			for _, e := range r.org.Journal(emulator.JournalFilter{}) {
				if len(e.Stripped) == 1 && e.Stripped[0] == id {
					named++
				}
			}
			if named != 1 {
				t.Fatalf("%d entries name who was stripped", named)
			}
			r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":true}`).is(t, 204)
			if !r.stripped("ada") {
				t.Fatal("it came back")
			}
		})
	}
}

// What a caller rolls back, the flow takes back; a caller without the right to
// take assignments away sets it off all the same; without a flow nothing goes.
func TestFlowIsOfTheCallAndNotOfTheCaller(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.endowed("ada")
	off := `{"attributes":{"type":"User"},"id":"` + id + `","IsActive":false}`
	path := version + "/composite/sobjects"
	r.do("PATCH", path, collection(false, off)).is(t, 200)
	if r.stripped("ada") {
		t.Fatal("stripped without a flow")
	}
	r.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":true}`).is(t, 204)
	r.do("POST", "/_emulator/orgs/-/flow", strips).is(t, 204)
	bad := `{"attributes":{"type":"User"},"id":"` + id + `","Email":"nonsense"}`
	r.do("PATCH", path, collection(true, off, bad)).is(t, 200)
	if r.stripped("ada") {
		t.Fatal("stripped by what was rolled back")
	}
	if list := r.org.Journal(emulator.JournalFilter{Operation: "collections.update"}); len(list[len(list)-1].Stripped) != 0 {
		t.Fatalf("journal %+v", list)
	}
	r.do("POST", "/_emulator/orgs/-/denials", `["assign_permission_sets"]`).is(t, 204)
	r.plan(emulator.Fault{Effect: emulator.EffectLockRow, Object: "PermissionSetAssignment"})
	r.do("PATCH", path, collection(false, off)).is(t, 200)
	if !r.stripped("ada") {
		t.Fatal("not stripped")
	}
	r.do("DELETE", "/_emulator/orgs/-/flow", "").is(t, 204)
	r.endowed("eve")
	if err := r.org.DisableUser("eve@people.example"); err != nil {
		t.Fatal(err)
	}
	if r.stripped("eve") {
		t.Fatal("stripped after the flow's end")
	}
}

// A flow that could not run is refused; one that can is part of the org's
// configuration and of its file.
func TestFlowIsConfigured(t *testing.T) {
	t.Parallel()
	var flow emulator.Flow
	if err := json.Unmarshal([]byte(strips), &flow); err != nil {
		t.Fatal(err)
	}
	r := newRig(t, func(cfg *emulator.OrgConfig) { cfg.OnDeactivation = flow })
	r.endowed("ada")
	for _, wrong := range []string{`{"permissionSets":["Nope"]}`, `{"fields":["LastName"]}`, `{"fields":["IsActive"]}`, `{"fields":["Nope"]}`, `{"fields":["Name"]}`, `{"sets":[]}`} {
		r.do("POST", "/_emulator/orgs/-/flow", wrong).is(t, 400)
	}
	var file bytes.Buffer
	if err := r.server.Save(&file); err != nil {
		t.Fatal(err)
	}
	r.server = emulator.New()
	if err := r.server.Load(&file); err != nil {
		t.Fatal(err)
	}
	r.org = r.server.Orgs()[0]
	if err := r.org.DisableUser("ada@people.example"); err != nil {
		t.Fatal(err)
	}
	if !r.stripped("ada") {
		t.Fatal("not stripped")
	}
}
