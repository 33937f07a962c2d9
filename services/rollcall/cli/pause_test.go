package cli_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// status looks again and again until it is as wanted.
func status(t *testing.T, d demo, what string, want func(operator.Status) bool) operator.Status {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		s := decode[operator.Status](t, run(t, "status", "-o", "json", "--nats-url", d.url))
		if want(s) {
			return s
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("it never came to pass that %s: %+v", what, s)
		}
	}
}

func waiting(s operator.Status) uint64 {
	n := uint64(0)
	for _, lane := range s.Orgs[0].Lanes {
		n += lane.Waiting + uint64(lane.InHand)
	}
	return n
}

// One demo serves all: what is paused is seen, waits over a restart, and goes on.
func TestAnAdminPausesAndResumes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	at := func(args ...string) []string {
		return append(args, "--nats-url", d.url, "--config", filepath.Join(dir, "rollcall.yaml"), "--as", "ann")
	}
	titled := func(title string, at time.Time) string {
		return write(t, "e.jsonl", fmt.Sprintf(`{"specversion":"1.0","id":"x","source":"urn:hr","type":%q,"sourceversion":%q,"data":{"userName":"amber@example.com","title":%q,"emails":[{"value":"a@example.com"}],"name":{"familyName":"Alder"},"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"D1001"}}}`,
			events.TypePersonUpserted, at.Format(time.RFC3339), title)+"\n")
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"nothing named":     {[]string{"pause", "--reason", "r"}, 2, "say what: --org"},
		"no reason":         {[]string{"pause", "--org", "demo"}, 2, "--reason is required"},
		"no such org":       {[]string{"pause", "--org", "prod", "--reason", "r"}, 2, `there is no org "prod", only demo`},
		"no such lane":      {[]string{"pause", "--org", "demo", "--lane", "urgent", "--reason", "r"}, 2, `there is no "urgent", only leaver`},
		"a lane of nothing": {[]string{"pause", "--lane", "leaver", "--reason", "r"}, 2, "--lane goes with --org"},
		"two at once":       {[]string{"pause", "--org", "demo", "--source", "hr", "--reason", "r"}, 2, "are two"},
		"no such source":    {[]string{"pause", "--source", "sap", "--reason", "r"}, 1, `refused: there is no source "sap", only hr, workers`},
		"not paused":        {[]string{"resume", "--org", "demo"}, 2, "org demo is not paused; paused is nothing"},
	} {
		if r := run(t, at(c.args...)...); r.code != c.code || !strings.Contains(r.err, c.says) {
			t.Errorf("%s: exit code %d, want %d and %q in:\n%s", name, r.code, c.code, c.says, r.err)
		}
	}

	for _, scope := range [][]string{{"--org", "demo"}, {"--source", "hr"}} {
		if r := run(t, at(append([]string{"pause", "--reason", "release tonight"}, scope...)...)...); r.code != 0 || !strings.Contains(r.out, ": paused") {
			t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
		}
	}
	if r := run(t, at("pause", "--org", "demo", "--reason", "again")...); r.code != 1 || !strings.Contains(r.err, "is paused already") || !strings.Contains(r.err, "by ann: release tonight") {
		t.Errorf("paused twice: exit code %d\n%s", r.code, r.err)
	}
	// Until assignment has heard of it, events are read as ever.
	is := status(t, d, "an event waits", func(s operator.Status) bool {
		if r := run(t, "publish", titled("Pilot", time.Now()), "--source", "hr", "--nats-url", d.url); r.code != 0 {
			t.Fatal(r.err)
		}
		return len(s.Paused) == 2 && s.Paused[0].Waiting+s.Paused[1].Waiting > 0
	})
	if p := is.Paused[1]; p.Org != "demo" && is.Paused[0].Org != "demo" || p.By != "ann" || p.Reason != "release tonight" {
		t.Errorf("paused: %+v", is.Paused)
	}
	text := run(t, "status", "--nats-url", d.url).out
	for _, want := range []string{"paused since", "source hr", "release tonight", " events"} {
		if !strings.Contains(text, want) {
			t.Errorf("status does not say %q:\n%s", want, text)
		}
	}
	doctor := run(t, "doctor", "--config", filepath.Join(dir, "rollcall.yaml"), "--nats-url", d.url)
	if !strings.Contains(doctor.out, "source hr is paused") || !strings.Contains(doctor.out, "org demo is paused") {
		t.Errorf("doctor says:\n%s", doctor.out)
	}
	export := write(t, "w.csv", columns+row("1", "Active", "Alder"))
	whole := run(t, at("pause", "--source", "workers", "--reason", "audit")...)
	if r := run(t, at("publish", export, "--snapshot", "--yes")...); whole.code != 0 || r.code != 1 || !strings.Contains(r.err, "source workers is paused by ann (audit)") {
		t.Errorf("a snapshot of a paused source: exit code %d\n%s", r.code, r.err)
	}

	if last := d.stop(); last.code != 0 {
		t.Fatalf("up ended with %d:\n%s", last.code, last.err)
	}
	d = resumed(t, dir)
	if r := run(t, at("resume", "--source", "hr")...); r.code != 0 || !strings.Contains(r.out, "source hr: resumed") {
		t.Fatalf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	status(t, d, "the change waits for the org", func(s operator.Status) bool { return waiting(s) > 0 })
	back := decode[struct{ Verb, Note string }](t, run(t, at("resume", "--org", "demo", "-o", "json")...))
	if back.Verb != "resumed" || !strings.Contains(back.Note, "paused by ann for") {
		t.Errorf("%+v", back)
	}
	status(t, d, "nothing waits", func(s operator.Status) bool { return waiting(s) == 0 })
	if person := run(t, at("person", "show", "D1001")[:7]...); !strings.Contains(person.out, "Pilot") {
		t.Errorf("what waited was lost:\n%s%s", person.out, person.err)
	}
	log := decode[[]operator.AuditEntry](t, run(t, "audit", "--by", "ann", "--verb", "paused", "-o", "json", "--nats-url", d.url))
	if len(log) != 3 || log[0].Scope == nil || log[0].Scope.Org != "demo" || log[0].Note != "release tonight" {
		t.Errorf("audit log: %+v", log)
	}
}

// resumed starts a demo again, of which not all is done: something is paused.
func resumed(t *testing.T, dir string) demo {
	t.Helper()
	return startDemo(t, dir)
}

// Where nobody does it, the command says so, and not that it is done.
func TestAPauseThatNobodyCarriesOut(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{Orgs: []string{"sales"}})
	r := run(t, "pause", "--org", "sales", "--reason", "r", "--as", "ann", "--wait-timeout", "100ms", "--nats-url", s.URL(), "-o", "json")
	if got := decode[struct{ Verb string }](t, r); r.code != 1 || got.Verb != "" || !strings.Contains(r.err, "does retry-scheduler run?") {
		t.Errorf("exit code %d\n%s%s", r.code, r.out, r.err)
	}
	if r := run(t, "__complete", "pause", "--nats-url", s.URL(), "--org", ""); !strings.Contains(r.out, "sales") {
		t.Errorf("completion:\n%s%s", r.out, r.err)
	}
	if r := run(t, "__complete", "resume", "--lane", ""); !strings.Contains(r.out, "backfill") {
		t.Errorf("completion:\n%s%s", r.out, r.err)
	}
}
