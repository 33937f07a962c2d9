package faults_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/test/chaos/faults"
	"github.com/rollcall-sync/rollcall/test/mutants/patch"
)

// TestEveryFaultFitsTheCode: its text is there once, and what comes of it compiles.
// Whether the checker catches it, make chaos-faults tells.
func TestEveryFaultFitsTheCode(t *testing.T) {
	t.Parallel()
	work, err := exec.CommandContext(t.Context(), "go", "env", "GOWORK").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []patch.Patch
	names := map[string]bool{}
	for _, f := range faults.All() {
		if names[f.Name] || f.Why == "" || len(f.Programs) == 0 {
			t.Errorf("%q is there twice, or does not say what goes wrong and where", f.Name)
		}
		names[f.Name] = true
		list = append(list, f.Patch)
	}
	if len(list) < 12 {
		t.Errorf("%d faults are too few to say that faults are caught", len(list))
	}
	if err := patch.Compiles(t.Context(), filepath.Dir(strings.TrimSpace(string(work))), list); err != nil {
		t.Error(err)
	}
}
