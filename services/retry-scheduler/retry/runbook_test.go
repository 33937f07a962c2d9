package retry_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"
)

// TestTheRunbookHasEveryCause: whoever is woken by parked people finds in the
// runbook what to mend, and nothing for which nobody is parked.
func TestTheRunbookHasEveryCause(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../../docs/runbooks/parked-people.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "\n| cause | mend | then |\n|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	told := map[string]bool{}
	for row := range strings.Lines(table) {
		for _, name := range regexp.MustCompile("`(.+?)`").FindAllStringSubmatch(strings.Split(row, "|")[1], -1) {
			told[name[1]] = true
		}
	}
	for _, p := range retry.Policies() {
		if p.Park && !told[string(p.Cause)] {
			t.Errorf("docs/runbooks/parked-people.md does not say what to do about %s", p.Cause)
		}
		if p.Park {
			delete(told, string(p.Cause))
		}
	}
	for name := range told {
		t.Errorf("docs/runbooks/parked-people.md tells of %s, for which nobody is parked", name)
	}
}
