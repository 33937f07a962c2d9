package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// await looks again and again: for what nobody announces.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !is() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("it never came to pass that %s", what)
		}
	}
}

// TestAnExportThatSaysEverybodyLeft is believed of nobody, for it says how large it
// is: an operator decides.
func TestAnExportThatSaysEverybodyLeft(t *testing.T) {
	t.Parallel()
	const people = 30
	d := startDemo(t, t.TempDir())
	at := []string{"--nats-url", d.url}
	do := func(args ...string) ran { return run(t, append(args, at...)...) }
	publish := func(status string) {
		text := columns
		for n := range people {
			text += row(fmt.Sprint(1000+n), status, fmt.Sprint("Alder", n))
		}
		if r := do("publish", write(t, "workers.csv", text)); r.code != 0 {
			t.Fatalf("publish: %s", r.err)
		}
		await(t, "the export is read", func() bool {
			s := decode[operator.Status](t, do("status", "-o", "json"))
			for _, c := range s.Stages {
				if c.Name == events.ConsumerAssignment {
					return c.Pending == 0 && c.AckPending == 0
				}
			}
			return false
		})
	}
	if r := do("hold", "list"); r.code != 0 || !strings.Contains(r.out, "Nothing is held.") {
		t.Errorf("hold list: %d %s%s", r.code, r.out, r.err)
	}
	publish("Active")
	publish("Inactive")

	const name = "demo/source:workers"
	held := func() (waiting, rejected int) {
		for _, h := range decode[[]operator.Hold](t, do("hold", "list", "-o", "json")) {
			if h.Name == name {
				return h.People[events.AspectActive], h.Rejected
			}
		}
		return 0, 0
	}
	if n, _ := held(); n != people {
		t.Fatalf("%d are held, want %d", n, people)
	}
	for _, args := range [][]string{{"hold", "list"}, {"hold", "show", name}, {"status"}} {
		if r := do(args...); r.code != 0 || !strings.Contains(r.out, name) || !strings.Contains(r.out, "30") {
			t.Errorf("%v: %d\n%s%s", args, r.code, r.out, r.err)
		}
	}
	for _, args := range [][]string{
		{"hold", "release"}, {"hold", "release", name}, {"hold", "release", name, "--yes"}, {"hold", "release", "workers", "--yes", "--reason", "r"},
		{"hold", "reject", name, "--reason", "r"}, {"hold", "list", "--aspect", "hair"},
	} {
		if r := do(args...); r.code != 2 {
			t.Errorf("%v: exit code %d\n%s", args, r.code, r.err)
		}
	}
	if r := do("hold", "release", name, "--dry-run"); r.code != 0 || !strings.Contains(r.out, "would be asked for, for 30") {
		t.Errorf("dry run: %d\n%s%s", r.code, r.out, r.err)
	}
	one := decode[struct{ All []operator.HeldPerson }](t, do("hold", "show", name, "-o", "json")).All[0]
	if r := do("person", "show", string(one.Key)); !strings.Contains(r.out, "would lose the user") {
		t.Errorf("person show:\n%s%s", r.out, r.err)
	}
	if r := do("hold", "release", "--person", string(one.Key), "--reason", "dismissed", "--as", "ann", "--yes"); r.code != 0 {
		t.Errorf("release: %s%s", r.out, r.err)
	}
	await(t, "one is let through", func() bool { n, _ := held(); return n == people-1 })
	if r := do("hold", "reject", name, "--reason", "a wrong export", "--as", "ann", "--yes"); r.code != 0 {
		t.Errorf("reject: %s%s", r.out, r.err)
	}
	await(t, "the others are rejected", func() bool { n, rejected := held(); return n == 0 && rejected == people-1 })
	if r := do("hold", "release", name, "--reason", "after all", "--as", "ann", "--yes"); r.code != 0 {
		t.Errorf("release: %s%s", r.out, r.err)
	}
	await(t, "the others are let through", func() bool { n, rejected := held(); return n+rejected == 0 })
	audit := do("audit", "--by", "ann", "--limit", "0")
	for verb, want := range map[string]int{" released ": people, " rejected ": people - 1} {
		if n := strings.Count(audit.out, verb); n != want {
			t.Errorf("audit has%s%d times, want %d:\n%s", verb, n, want, audit.out)
		}
	}
}
