package emulator_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const strips = `{"permissionSets":["*"],"permissionSetGroups":["Sales_All"],"groups":["Sales_Team"],"permissionSetLicenses":["*"],"fields":["Title","ManagerId","UserPermissionsMarketingUser"]}`

// endowed makes a user who has something of everything.
func (b *bench) endowed(name string) string {
	b.t.Helper()
	id := b.create(name, "Title", "A", "Department", "Sales")
	b.do("PATCH", version+"/sobjects/User/"+id, `{"UserPermissionsMarketingUser":true,"ManagerId":"`+b.first("SELECT Id FROM User")+`"}`).is(b.t, 204)
	err := b.org.Give(name+"@people.example", emulator.Access{PermissionSets: []string{"HR_Data", "Sales_Base"}, PermissionSetGroups: []string{"Sales_All"},
		Groups: []string{"Sales_Team", "All_Staff"}, PermissionSetLicenses: []string{"SalesUserPsl"}})
	if err != nil {
		b.t.Fatal(err)
	}
	return id
}

// stripped says whether the flow took from a user what it takes; half a strip
// fails the test.
func (b *bench) stripped(name string) bool {
	b.t.Helper()
	u, _ := b.org.UserByUsername(name + "@people.example")
	seats, _ := b.org.Seats("SalesUserPsl")
	left := 0
	for _, there := range []bool{len(u.PermissionSets) == 2, len(u.PermissionSetGroups) == 1, len(u.Groups) == 2, seats == 1,
		u.Fields["Title"] == "A", u.Fields["ManagerId"] != nil, u.Fields["UserPermissionsMarketingUser"] == true} {
		if there {
			left++
		}
	}
	if u.Fields["Department"] != "Sales" || left != 0 && left != 7 || len(u.Groups) == 0 {
		b.t.Fatalf("%d of 7 are left: %+v", left, u)
	}
	return left == 0
}

// Whoever deactivates: the org's flow strips the user, and nothing comes back
// with the user. The journal names who was stripped.
func TestFlowStripsWhoIsDeactivated(t *testing.T) {
	t.Parallel()
	for name, deactivate := range map[string]func(b *bench, id string){
		"single": func(b *bench, id string) {
			b.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":false}`).is(b.t, 204)
		},
		"collection": func(b *bench, id string) {
			b.do("PATCH", version+"/composite/sobjects", collection(true, `{"attributes":{"type":"User"},"id":"`+id+`","IsActive":false}`)).is(b.t, 200)
		},
		"composite": func(b *bench, id string) {
			b.do("POST", version+"/composite", `{"allOrNone":true,"compositeRequest":[{"method":"PATCH","url":"`+version+`/sobjects/User/`+id+`","referenceId":"u","body":{"IsActive":false}}]}`).is(b.t, 200)
		},
		"bulk": func(b *bench, id string) {
			job := version + "/jobs/ingest/" + b.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"update"}`).object(b.t)["id"].(string)
			b.do("PUT", job+"/batches", "Id,IsActive\n"+id+",false\n").is(b.t, 201)
			b.do("PATCH", job, `{"state":"UploadComplete"}`).is(b.t, 200)
		},
		"hand": func(b *bench, _ string) {
			if err := b.org.DisableUser("ada@people.example"); err != nil {
				b.t.Fatal(err)
			}
		},
		"late": func(b *bench, id string) {
			b.plan(emulator.Fault{Effect: emulator.EffectLate, Times: 1})
			b.unanswered("PATCH", version+"/sobjects/User/"+id, `{"IsActive":false}`)
			if err := b.org.Late().Apply(); err != nil {
				b.t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, nil)
			id := b.endowed("ada")
			b.do("POST", "/_emulator/orgs/-/flow", strips).is(t, 204)
			b.do("PATCH", version+"/sobjects/User/"+id, `{"Division":"A"}`).is(t, 204)
			if b.stripped("ada") {
				t.Fatal("stripped by another change")
			}
			deactivate(b, id)
			if !b.stripped("ada") {
				t.Fatal("not stripped")
			}
			named := 0
			for _, e := range b.org.Journal(emulator.JournalFilter{}) {
				if len(e.Stripped) == 1 && e.Stripped[0] == id {
					named++
				}
			}
			if named != 1 {
				t.Fatalf("%d entries name who was stripped", named)
			}
			b.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":true}`).is(t, 204)
			if !b.stripped("ada") {
				t.Fatal("it came back")
			}
		})
	}
}

// What a caller rolls back, the flow takes back; a caller without the right to
// take assignments away sets it off all the same; without a flow nothing goes.
func TestFlowIsOfTheCallAndNotOfTheCaller(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	id := b.endowed("ada")
	off := `{"attributes":{"type":"User"},"id":"` + id + `","IsActive":false}`
	path := version + "/composite/sobjects"
	b.do("PATCH", path, collection(false, off)).is(t, 200)
	if b.stripped("ada") {
		t.Fatal("stripped without a flow")
	}
	b.do("PATCH", version+"/sobjects/User/"+id, `{"IsActive":true}`).is(t, 204)
	b.do("POST", "/_emulator/orgs/-/flow", strips).is(t, 204)
	bad := `{"attributes":{"type":"User"},"id":"` + id + `","Email":"nonsense"}`
	b.do("PATCH", path, collection(true, off, bad)).is(t, 200)
	if b.stripped("ada") {
		t.Fatal("stripped by what was rolled back")
	}
	if list := b.org.Journal(emulator.JournalFilter{Operation: "collections.update"}); len(list[len(list)-1].Stripped) != 0 {
		t.Fatalf("journal %+v", list)
	}
	b.do("POST", "/_emulator/orgs/-/denials", `["assign_permission_sets"]`).is(t, 204)
	b.plan(emulator.Fault{Effect: emulator.EffectLockRow, Object: "PermissionSetAssignment"})
	b.do("PATCH", path, collection(false, off)).is(t, 200)
	if !b.stripped("ada") {
		t.Fatal("not stripped")
	}
	b.do("DELETE", "/_emulator/orgs/-/flow", "").is(t, 204)
	b.endowed("eve")
	if err := b.org.DisableUser("eve@people.example"); err != nil {
		t.Fatal(err)
	}
	if b.stripped("eve") {
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
	b := newBench(t, func(cfg *emulator.OrgConfig) { cfg.OnDeactivation = flow })
	b.endowed("ada")
	for _, wrong := range []string{`{"permissionSets":["Nope"]}`, `{"fields":["LastName"]}`, `{"fields":["IsActive"]}`, `{"fields":["Nope"]}`, `{"fields":["Name"]}`, `{"sets":[]}`} {
		b.do("POST", "/_emulator/orgs/-/flow", wrong).is(t, 400)
	}
	var file bytes.Buffer
	if err := b.server.Save(&file); err != nil {
		t.Fatal(err)
	}
	b.server = emulator.New()
	if err := b.server.Load(&file); err != nil {
		t.Fatal(err)
	}
	b.org = b.server.Orgs()[0]
	if err := b.org.DisableUser("ada@people.example"); err != nil {
		t.Fatal(err)
	}
	if !b.stripped("ada") {
		t.Fatal("not stripped")
	}
}
