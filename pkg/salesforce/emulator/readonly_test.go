package emulator_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// writes are calls that are to change something, on a user and a job that are
// there; reads are those beside them.
func writesAndReads(r *rig) (writes, reads map[string][3]string) {
	id := r.create("ada")
	job := version + "/jobs/ingest/" + r.do("POST", version+"/jobs/ingest", `{"object":"User","operation":"update"}`).object(r.t)["id"].(string)
	title := `{"Title":"A"}`
	read := `{"method":"GET","url":"` + version + `/limits","referenceId":"r"}`
	writes = map[string][3]string{
		"create":     {"POST", version + "/sobjects/User", r.person("eve")},
		"update":     {"PATCH", version + "/sobjects/User/" + id, title},
		"delete":     {"DELETE", version + "/sobjects/PermissionSetAssignment/" + r.assign(id), ""},
		"collection": {"PATCH", version + "/composite/sobjects", collection(false, `{"attributes":{"type":"User"},"id":"`+id+`","Title":"A"}`)},
		"composite":  {"POST", version + "/composite", `{"compositeRequest":[` + read + `,{"method":"PATCH","url":"` + version + `/sobjects/User/` + id + `","referenceId":"w","body":` + title + `}]}`},
		"bulk job":   {"PATCH", job, `{"state":"UploadComplete"}`},
	}
	reads = map[string][3]string{
		"query":      {"GET", version + "/query?q=SELECT+Id+FROM+User", ""},
		"record":     {"GET", version + "/sobjects/User/" + id, ""},
		"composite":  {"POST", version + "/composite", `{"compositeRequest":[` + read + `]}`},
		"collection": {"POST", version + "/composite/sobjects/User", `{"ids":["` + id + `"],"fields":["Id"]}`},
		"job":        {"GET", job, ""},
		"sign-in":    {"GET", "/services/oauth2/userinfo", ""},
	}
	return writes, reads
}

// Writes answer 503 while reads answer, until it is over.
func TestWritesRefusedWhileReadsAnswer(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	writes, reads := writesAndReads(r)
	r.do("POST", "/_emulator/orgs/-/denials", `["writes"]`).is(t, 204)
	for name, c := range writes {
		a := r.do(c[0], c[1], c[2])
		if a.status != 503 || !strings.Contains(a.body, `"errorCode":"SERVER_UNAVAILABLE"`) {
			t.Errorf("%s: %v", name, a)
		}
	}
	for name, c := range reads {
		if a := r.do(c[0], c[1], c[2]); a.status != 200 {
			t.Errorf("%s: %v", name, a)
		}
	}
	refused := 0
	for _, e := range r.org.Journal(emulator.JournalFilter{MutatingOnly: true}) {
		if e.FaultID == "denied-writes" && e.Status == 503 {
			refused++
		}
	}
	if refused != len(writes) {
		t.Errorf("the journal has %d of %d", refused, len(writes))
	}
	r.do("DELETE", "/_emulator/orgs/-/denials", "").is(t, 204)
	for name, c := range writes {
		if a := r.do(c[0], c[1], c[2]); a.status > 204 {
			t.Errorf("afterwards %s: %v", name, a)
		}
	}
}

// In read-only mode each record is refused by its code, and the Bulk API is
// shut, reads included. [D]
func TestReadOnlyMode(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	writes, reads := writesAndReads(r)
	if err := r.org.Deny("", emulator.DenyReadOnlyMode); err != nil {
		t.Fatal(err)
	}
	for name, c := range writes {
		a := r.do(c[0], c[1], c[2])
		want, key := 503, "errorCode"
		if name == "collection" || name == "composite" {
			want = 200
		}
		if name == "collection" {
			key = "statusCode"
		}
		if a.status != want || !strings.Contains(a.body, `"`+key+`":"INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE"`) {
			t.Errorf("%s: %v", name, a)
		}
	}
	for name, c := range reads {
		if a := r.do(c[0], c[1], c[2]); a.status != 200 {
			t.Errorf("%s: %v", name, a)
		}
	}
	r.do("POST", version+"/jobs/query", `{"operation":"query","query":"SELECT Id FROM User"}`).is(t, 503)
	if n := r.count("SELECT Id FROM User WHERE Title = 'A'"); n != 0 {
		t.Fatalf("%d were changed", n)
	}
	if e := r.org.Journal(emulator.JournalFilter{Operation: "collections.update"}); len(e) != 1 || e[0].FaultID != "denied-read_only_mode" || e[0].Failed != 1 {
		t.Fatalf("journal: %+v", e)
	}
}

// A fault may say "whatever is to change something", with any effect.
func TestFaultOnWhateverChangesSomething(t *testing.T) {
	t.Parallel()
	r := newRig(t, nil)
	writes, reads := writesAndReads(r)
	fault := r.plan(emulator.Fault{Operation: "mutating", Effect: emulator.EffectUnavailable})
	for name, c := range writes {
		if a := r.do(c[0], c[1], c[2]); a.status != 503 {
			t.Errorf("%s: %v", name, a)
		}
	}
	for name, c := range reads {
		if a := r.do(c[0], c[1], c[2]); a.status != 200 {
			t.Errorf("%s: %v", name, a)
		}
	}
	r.struck(fault, len(writes))
}
