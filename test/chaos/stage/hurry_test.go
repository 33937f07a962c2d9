package stage_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/test/chaos/stage"
	"github.com/rollcall-sync/rollcall/test/mutants/patch"
)

// TestHurryFitsTheCode: every patience that is shortened is there, and what comes
// of it compiles.
func TestHurryFitsTheCode(t *testing.T) {
	t.Parallel()
	root, err := stage.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := patch.Compiles(t.Context(), root, stage.Hurry()); err != nil {
		t.Error(err)
	}
	if _, err := patch.Overlay(root, t.TempDir(), stage.Hurry()...); err != nil {
		t.Errorf("all of it together: %v", err)
	}
}
