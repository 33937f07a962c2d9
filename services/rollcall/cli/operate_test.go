package cli_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// One demo serves all: the steps of an operator's day build on each other.
func TestAnOperatorsDay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := startDemo(t, dir)
	at := []string{"--nats-url", d.url}

	list := decode[[]operator.Task](t, run(t, append([]string{"tasks", "list", "--cause", "licence", "-o", "json"}, at...)...))
	if len(list) != 8 {
		t.Fatalf("%d parked for a licence, want 8", len(list))
	}
	table := run(t, append([]string{"tasks", "list"}, at...)...)
	for _, want := range []string{list[0].Letter.Username, "LICENSE_LIMIT_EXCEEDED", "What to do: Free seats"} {
		if !strings.Contains(table.out, want) {
			t.Errorf("tasks list does not say %q:\n%s", want, table.out)
		}
	}
	dry := run(t, append([]string{"tasks", "retry", "--cause", "licence", "--dry-run"}, at...)...)
	if dry.code != 0 || !strings.Contains(dry.out, "would be asked for, for 8") {
		t.Errorf("dry run: %d\n%s%s", dry.code, dry.out, dry.err)
	}

	giveSeats(t, d)
	retried := run(t, append([]string{"tasks", "retry", "--cause", "licence", "--all", "--wait", "--as", "ann", "--reason", "seats bought"}, at...)...)
	if retried.code != 0 || !strings.Contains(retried.out, "applied 8") {
		t.Fatalf("retry: %d\n%s%s", retried.code, retried.out, retried.err)
	}
	audit := run(t, append([]string{"audit", "--by", "ann"}, at...)...)
	if !strings.Contains(audit.out, "seats bought") || strings.Count(audit.out, "retried") != 8 {
		t.Errorf("audit:\n%s", audit.out)
	}

	person := run(t, append([]string{"person", "show", list[0].Letter.Username}, at...)...)
	for _, want := range []string{"engineering", "created by Rollcall", "which is the newest", "What hr said", "seats bought"} {
		if !strings.Contains(person.out, want) {
			t.Errorf("person show does not say %q:\n%s", want, person.out)
		}
	}
	status := decode[operator.Status](t, run(t, append([]string{"status", "-o", "json"}, at...)...))
	if len(status.Orgs) != 1 || status.Orgs[0].Name != "demo" || status.Parked["licence"] != 0 || status.Parked["mapping"] != 1 {
		t.Errorf("status: %+v", status)
	}
	discardMapping(t, at)
	resyncByHand(t, d, at, list[0].Letter.Username)

	if last := d.stop(); last.code != 0 {
		t.Errorf("up ended with %d:\n%s", last.code, last.err)
	}
	again := startDemo(t, dir)
	left := decode[[]operator.Task](t, run(t, "tasks", "list", "-o", "json", "--nats-url", again.url))
	if len(left) != 1 {
		t.Errorf("after a new start %d are parked, want the invalid one", len(left))
	}
}

func discardMapping(t *testing.T, at []string) {
	t.Helper()
	refused := run(t, append([]string{"tasks", "discard", "--cause", "mapping"}, at...)...)
	if refused.code != 2 || !strings.Contains(refused.err, "say --yes") {
		t.Errorf("discard without --yes: %d\n%s", refused.code, refused.err)
	}
	done := run(t, append([]string{"tasks", "discard", "--cause", "mapping", "--yes", "--wait", "--as", "ann"}, at...)...)
	if done.code != 0 || !strings.Contains(done.out, "discarded 1") {
		t.Errorf("discard: %d\n%s%s", done.code, done.out, done.err)
	}
}

// giveSeats does what the demo says to try, in its own words.
func giveSeats(t *testing.T, d demo) {
	t.Helper()
	url := regexp.MustCompile(`http://\S+/licenses/\S+`).FindString(d.said())
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(`{"seats":100}`))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("seats: %s", resp.Status)
	}
}

// resyncByHand deactivates a user behind Rollcall's back, and has them read anew.
func resyncByHand(t *testing.T, d demo, at []string, username string) {
	t.Helper()
	for _, wrong := range [][]string{{"resync", "--state", "lost", "--all"}, {"resync", "--org", "elsewhere", "--all"}, {"resync"}, {"resync", username, "--all"}} {
		if got := run(t, append(wrong, at...)...); got.code != 2 {
			t.Errorf("%v: %d\n%s%s", wrong, got.code, got.out, got.err)
		}
	}
	if got := run(t, append([]string{"resync", "nobody@nowhere.example"}, at...)...); got.code == 0 || !strings.Contains(got.err, "nobody is known") {
		t.Errorf("somebody unknown: %d\n%s", got.code, got.err)
	}
	url, _, _ := strings.Cut(regexp.MustCompile(`http://\S+/licenses/`).FindString(d.said()), "/licenses/")
	patch(t, url+"/users/"+username, `{"IsActive":false}`)
	dry := decode[resynced](t, run(t, append([]string{"resync", username, "--dry-run", "-o", "json"}, at...)...))
	if !dry.DryRun || len(dry.People) != 1 || len(dry.Requests) != 0 || !dry.People[0].Active || dry.People[0].Outcome != nil {
		t.Errorf("dry run: %+v", dry)
	}
	done := run(t, append([]string{"resync", username, "--wait", "--as", "ann", "--reason", "by hand"}, at...)...)
	if done.code != 0 || !strings.Contains(done.out, "reactivated") {
		t.Errorf("resync: %d\n%s%s", done.code, done.out, done.err)
	}
	all := decode[resynced](t, run(t, append([]string{"resync", "--org", "demo", "--state", "active", "--all", "-o", "json"}, at...)...))
	if len(all.People) < 100 || len(all.Requests) != 1 {
		t.Errorf("all active: %d people, %d requests", len(all.People), len(all.Requests))
	}
	log := run(t, append([]string{"audit", "--verb", "resync"}, at...)...)
	if !strings.Contains(log.out, "by hand") || !strings.Contains(log.out, "demo everybody who is active") {
		t.Errorf("audit:\n%s", log.out)
	}
	person := run(t, append([]string{"person", "show", username}, at...)...)
	if !strings.Contains(person.out, "active when last seen ") {
		t.Errorf("person show does not say when the user was seen:\n%s", person.out)
	}
	status := run(t, append([]string{"status"}, at...)...)
	if !strings.Contains(status.out, "Org demo: ") {
		t.Errorf("status does not say how old what is known of the org is:\n%s", status.out)
	}
}

// resynced is what resync -o json prints.
type resynced struct {
	DryRun   bool                `json:"dryRun"`
	People   []operator.Resynced `json:"people"`
	Requests []operator.Asked    `json:"requests"`
}

func patch(t *testing.T, url, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s: %s", url, resp.Status)
	}
}
