package emulator_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// A reference may be given by a key of the row that is meant. [D]
func TestReferencesByKey(t *testing.T) {
	t.Parallel()
	r := newRig(t, func(cfg *emulator.OrgConfig) {
		cfg.CustomFields = append(cfg.CustomFields, emulator.CustomField{Name: "Desk__c", ExternalID: true})
	})
	r.create("one", "Desk__c", "d")
	r.create("two", "Desk__c", "d")
	boss := r.create("boss", "Rollcall_Key__c", "k1")
	user := version + "/sobjects/User/" + r.create("ada")
	manager := func() any { return r.do("GET", user+"?fields=ManagerId", "").object(t)["ManagerId"] }
	for _, body := range []string{`{"Manager":{"Username":"BOSS@people.example"}}`, `{"manager":{"attributes":{"type":"User"},"Rollcall_Key__c":"k1"}}`} {
		r.do("PATCH", user, body).is(t, 204)
		if manager() != boss {
			t.Errorf("%s: manager %v", body, manager())
		}
		r.do("PATCH", user, `{"Manager":null}`).is(t, 204)
		if manager() != nil {
			t.Errorf("cleared: manager %v", manager())
		}
	}
	for _, body := range []string{`{"Manager":{"Username":"nobody@people.example"}}`, `{"Manager":{"Desk__c":"d"}}`, `{"Manager":{"LastName":"boss"}}`, `{"Manager":{"Username":"a","Rollcall_Key__c":"b"}}`, `{"Manager":{}}`, `{"Manager":"x"}`, `{"Nothing":{"Id":"x"}}`} {
		r.do("PATCH", user, body).is(t, 400)
	}
	_, done := r.ingest(`{"object":"User","operation":"upsert","externalIdFieldName":"Username"}`, "Username,Manager.Rollcall_Key__c\nada@people.example,k1\n")
	if done["numberRecordsFailed"] != 0.0 || manager() != boss {
		t.Errorf("bulk: manager %v, job %v", manager(), done)
	}
	r.ingest(`{"object":"User","operation":"upsert","externalIdFieldName":"Username"}`, "Username,Manager.Username\nada@people.example,#N/A\n")
	if manager() != nil {
		t.Errorf("bulk: manager %v", manager())
	}
	if _, done := r.ingest(`{"object":"User","operation":"insert"}`, "Manager.Nothing\nx\n"); done["state"] != "Failed" {
		t.Errorf("job %v", done)
	}
}

// What changed between two moments. [D]
func TestUpdatedAndDeleted(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	id := r.create("ada")
	span := "?start=2026-03-01T07:00:00%2B00:00&end=2026-03-01T09:00:00Z"
	got := r.do("GET", version+"/sobjects/User/updated/"+span, "").object(t)
	if !strings.Contains(string(encodeJSON(t, got["ids"])), id) || got["latestDateCovered"] != "2026-03-01T09:00:00.000+0000" {
		t.Errorf("updated %v", got)
	}
	for _, other := range []string{"?start=2026-03-01T06:00:00Z&end=2026-03-01T07:00:00Z", "?start=2026-03-01T09:00:00Z&end=2026-03-01T10:00:00Z"} {
		if got := r.do("GET", version+"/sobjects/User/updated"+other, "").object(t); len(got["ids"].([]any)) != 0 {
			t.Errorf("%s: %v", other, got)
		}
	}
	account := r.do("POST", version+"/sobjects/Account", `{"Name":"A"}`).object(t)["id"].(string)
	r.do("DELETE", version+"/sobjects/Account/"+account, "").is(t, 204)
	r.do("GET", version+"/sobjects/Account/deleted"+span, "").same(t, 200, `{"deletedRecords":[{"deletedDate":"2026-03-01T08:00:00.000+0000","id":"`+account+`"}],"earliestDateAvailable":"2026-03-01T08:00:00.000+0000","latestDateCovered":"2026-03-01T09:00:00.000+0000"}`)
	r.do("GET", version+"/sobjects/User/updated", "").is(t, 400)
	r.do("GET", version+"/sobjects/User/updated?start=2026-03-01T09:00:00Z&end=2026-03-01T08:00:00Z", "").is(t, 400)
}

// A program that is not Go can ask for hostility too.
func TestHostilityOverHTTP(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.do("POST", "/_emulator/hostility", `{"seed":7,"rate":1}`).is(t, 204)
	bad := 0
	for range 10 {
		if a, err := r.try("GET", version+"/limits", ""); err != nil || a.status != 200 {
			bad++
		}
	}
	if bad < 3 {
		t.Errorf("%d of 10 calls went wrong", bad)
	}
	r.do("POST", "/_emulator/hostility", `{"seed":7,"rate":2}`).is(t, 400)
	r.do("DELETE", "/_emulator/hostility", "").is(t, 204)
	r.do("GET", version+"/limits", "").is(t, 200)
}
