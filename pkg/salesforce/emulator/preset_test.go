package emulator_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// One word is enough to plan a preset, and it strikes where it belongs.
func TestPresetsStrikeByNameAlone(t *testing.T) {
	t.Parallel()
	for _, p := range emulator.Presets() {
		t.Run(string(p.Name), func(t *testing.T) {
			t.Parallel()
			r := newRig(t, nil)
			id := r.do("POST", "/_emulator/faults", `{"effect":"`+string(p.Name)+`","times":1}`).object(t)["id"].(string)
			sign := func() answer {
				return r.form(tokenPath, "grant_type", "client_credentials", "client_id", clientID, "client_secret", clientSecret)
			}
			create := func() answer { return r.do("POST", version+"/sobjects/User", r.person("ada")) }
			strikes, passes := create, sign
			if p.Scope == emulator.ScopeToken {
				strikes, passes = sign, create
			}
			passes().is(t, map[bool]int{true: 201, false: 200}[p.Scope == emulator.ScopeToken])
			got := strikes()
			got.is(t, p.Status)
			if p.Scope == emulator.ScopeToken {
				if e := got.object(t); e["error"] != p.Code || e["error_description"] != p.Message || len(e) != 2 {
					t.Fatalf("answer %s", got.body)
				}
			} else if e := got.list(t)[0]; e["errorCode"] != p.Code || e["message"] != p.Message {
				t.Fatalf("answer %s", got.body)
			}
			r.struck(id, 1)
			if p.Scope != emulator.ScopeToken {
				strikes().is(t, 201)
			}
		})
	}
}

// What a fault says itself goes before its preset.
func TestPresetsCanBeOverridden(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	r.plan(emulator.Fault{Effect: "insufficient_access_or_readonly", Status: 403, Fields: []string{"Title"}, Times: 1})
	r.do("POST", version+"/sobjects/User", r.person("ada")).same(t, 403,
		`[{"message":"insufficient access rights on object id","errorCode":"INSUFFICIENT_ACCESS_OR_READONLY","fields":["Title"]}]`)
	r.plan(emulator.Fault{Effect: "validation_rule", Message: "No Adas here", Times: 1})
	r.do("POST", version+"/composite/sobjects", collection(false, typed("User", r.person("ada")))).same(t, 200,
		`[{"success":false,"errors":[{"statusCode":"FIELD_CUSTOM_VALIDATION_EXCEPTION","message":"No Adas here","fields":[]}]}]`)
}
