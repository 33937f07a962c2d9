package cli_test

import (
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// TestAllowIsShownBeforeItIsDone: what is asked, then the yes, for the audit log and the
// person's link.
func TestAllowIsShownBeforeItIsDone(t *testing.T) {
	t.Parallel()
	s, at := merging(t)
	asks := events.Asks{UserID: "005B", Grants: []string{"profile/System Administrator"}}
	data, err := events.Encode(events.Outcome{Org: "acme", Key: "new", Result: events.ResultFailed,
		Failure: &events.Failure{Cause: events.CauseApproval, Message: "an administrator's", Asks: &asks}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Bus(t).Commit(t.Context(), events.StreamRoster, []bus.Group{{{Subject: events.OutcomeSubject("acme", "new"), Data: data}}}); err != nil {
		t.Fatal(err)
	}
	dry := run(t, append([]string{"person", "allow", "new", "--reason", "on call"}, at...)...)
	for _, want := range []string{"005B", "profile/System Administrator", "an administrator's", "Nothing is done yet: say --yes"} {
		if dry.code != 0 || !strings.Contains(dry.out, want) {
			t.Errorf("dry run: %d, want %q in\n%s%s", dry.code, want, dry.out, dry.err)
		}
	}
	if got := decode[[]operator.AuditEntry](t, run(t, "audit", "-o", "json", "--nats-url", s.URL())); len(got) != 0 {
		t.Errorf("a dry run is in the audit log: %+v", got)
	}
	done := run(t, append([]string{"person", "allow", "new", "--reason", "on call", "--as", "grete", "--yes"}, at...)...)
	if done.code != 0 || !strings.Contains(done.out, "Allowed. new is looked at now") {
		t.Fatalf("%d\n%s%s", done.code, done.out, done.err)
	}
	audit := run(t, "audit", "--nats-url", s.URL())
	for _, want := range []string{"allowed", "grete", "on call", "005B", "System Administrator"} {
		if !strings.Contains(audit.out, want) {
			t.Errorf("want %q in the audit log:\n%s", want, audit.out)
		}
	}
	for name, c := range map[string]struct {
		args []string
		code int
		says string
	}{
		"no org":        {[]string{"person", "allow", "new", "--reason", "x", "--nats-url", s.URL()}, 2, "--org is required"},
		"no reason":     {append([]string{"person", "allow", "new"}, at...), 2, "--reason is required"},
		"both ways":     {append([]string{"person", "allow", "new", "--reason", "x", "--yes", "--dry-run"}, at...), 2, "opposite"},
		"nothing asked": {append([]string{"person", "allow", "old", "--reason", "x"}, at...), 1, "does not wait for anybody's yes"},
		"nobody":        {append([]string{"person", "allow", "nobody", "--reason", "x"}, at...), 1, "nobody is known"},
	} {
		if r := run(t, c.args...); r.code != c.code || !strings.Contains(r.err, c.says) {
			t.Errorf("%s: exit code %d, want %d and %q in:\n%s", name, r.code, c.code, c.says, r.err)
		}
	}
}
