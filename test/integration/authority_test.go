//go:build !containers

package integration

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneSourceDecides has three sources speak of people, of which two decide who
// is employed: the user ends with the word of those two.
func TestOneSourceDecides(t *testing.T) {
	parallel(t)
	r := newRig(t, func(conf string) string {
		return strings.Replace(conf, "sources:\n", `authority: [hr, contractors]
sources:
  contractors: {correlate: enterprise.employeeNumber}
  directory: {correlate: enterprise.employeeNumber}
`, 1)
	})
	const leaves, goesOn, unknown = "e90001", "e90002", "e90003"
	r.say("hr", "upserted", leaves, goesOn)
	r.say("directory", "upserted", leaves, goesOn, unknown)
	r.say("contractors", "upserted", goesOn)
	r.awaitQuiet(quietWithin)
	r.say("hr", "removed", leaves, goesOn)
	r.say("directory", "upserted", leaves, unknown)
	r.awaitQuiet(quietWithin)
	users := r.users()
	for who, want := range map[string]bool{leaves: false, goesOn: true} {
		if u, ok := users[who]; !ok || u.IsActive != want {
			t.Errorf("%s has a user: %v, active %v, want %v", who, ok, u.IsActive, want)
		}
	}
	if _, ok := users[unknown]; ok {
		t.Error("a source that decides nothing made somebody")
	}
}

// say publishes events of one source about people by their number.
func (r *rig) say(source, what string, numbers ...string) {
	r.t.Helper()
	var b strings.Builder
	for _, n := range numbers {
		fmt.Fprintf(&b, `{"specversion":"1.0","id":%q,"source":"urn:test","type":"io.github.rollcall-sync.person.%s.v1","data":{"userName":"%s@rollcall.example",`+
			`"name":{"familyName":"Family"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":%q}}}`+"\n", source+what+n, what, n, n)
	}
	path := filepath.Join(r.dir, fmt.Sprintf("%s-%s-%d.jsonl", source, what, len(numbers)))
	r.write(path, b.String())
	r.run("publish", path, "--source", source)
}
