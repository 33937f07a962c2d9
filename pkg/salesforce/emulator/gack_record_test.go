package emulator_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const gack = `[{"message":"An unexpected error occurred. Please include this ErrorId if you contact support: 8425053-14906 (608530858)","errorCode":"UNKNOWN_EXCEPTION"}]`

// One record makes the whole collection 500, whichever call it is in and whether
// the call names the value or the row holds it; nothing of it is applied.
func TestOneRecordSpoilsItsCollection(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	bad := r.create("bad")
	fine := r.create("fine")
	fault := r.plan(emulator.Fault{Effect: emulator.EffectGackRecord, Object: "User", Field: "Username", Value: "bad@people.example"})
	change := func(id, title string) string {
		return fmt.Sprintf(`{"attributes":{"type":"User"},"id":"%s","Title":"%s","IsActive":false}`, id, title)
	}
	path := version + "/composite/sobjects"
	for range 2 { // for ever, not once
		r.do("PATCH", path, collection(false, change(fine, "A"), change(bad, "A"))).same(t, 500, gack)
	}
	r.do("PATCH", path, collection(false, change(bad, "A"))).same(t, 500, gack)
	r.do("PATCH", version+"/sobjects/User/"+bad, `{"Title":"A"}`).same(t, 500, gack)
	if n := r.count("SELECT Id FROM User WHERE Title = 'A' OR IsActive = false"); n != 0 {
		t.Fatalf("%d were changed", n)
	}
	for _, e := range r.org.Journal(emulator.JournalFilter{Operation: "collections.update"}) {
		if e.FaultID != fault || e.Status != 500 || e.Failed != e.Records || len(e.Touched) != 0 {
			t.Fatalf("journal: %+v", e)
		}
	}
	r.do("PATCH", path, collection(false, change(fine, "A"))).is(t, 200)
	if n := r.count("SELECT Id FROM User WHERE Title = 'A'"); n != 1 {
		t.Fatalf("%d were changed", n)
	}
	r.struck(fault, 4)
}

// A record may be in the way of others and of nobody when it is alone; by its
// id as well, and in the composite it is a part of.
func TestOneRecordSpoilsOthersOnly(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	bad, fine := r.create("bad"), r.create("fine")
	fault := r.plan(emulator.Fault{Effect: emulator.EffectGackRecord, Field: "Id", Value: bad, AtLeast: 2})
	path := version + "/composite/sobjects"
	one := func(id string) string { return `{"attributes":{"type":"User"},"id":"` + id + `","Title":"A"}` }
	r.do("PATCH", path, collection(false, one(fine), one(bad))).same(t, 500, gack)
	r.struck(fault, 1)
	part := func(ref string, records ...string) string {
		return `{"method":"PATCH","url":"` + path + `","referenceId":"` + ref + `","body":` + collection(false, records...) + `}`
	}
	a := r.do("POST", version+"/composite", `{"compositeRequest":[`+part("x", one(bad), one(fine))+`,`+part("y", one(bad))+`]}`)
	a.is(t, 200)
	if !strings.Contains(a.body, `"httpStatusCode":500,"referenceId":"x"`) || !strings.Contains(a.body, `"httpStatusCode":200,"referenceId":"y"`) {
		t.Fatalf("answer %s", a.body)
	}
	r.struck(fault, 2)
	r.do("PATCH", version+"/sobjects/User/"+bad, `{"Title":"B"}`).is(t, 204)
	if _, err := r.server.Plan(emulator.Fault{Effect: emulator.EffectGack, AtLeast: 2}); err == nil {
		t.Error("atLeast was planned for a whole call")
	}
}
