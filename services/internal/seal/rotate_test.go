package seal_test

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

func TestOldKeysStillOpenAndRunningSealersSeeNewOnes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "keys.json")
	running, err := seal.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	old, err := running.SealRefresh("emea", "token")
	if err != nil {
		t.Fatal(err)
	}
	if err := seal.Rotate(path); err != nil {
		t.Fatal(err)
	}
	fresh, err := seal.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := fresh.OpenRefresh("emea", old); err != nil || got != "token" || !fresh.Stale(old) {
		t.Errorf("opened %q, %v, stale %t", got, err, fresh.Stale(old))
	}
	if fresh.Mark("x") != running.Mark("x") {
		t.Error("the marks changed")
	}
	sealed, err := fresh.Seal("emea", events.Token{AccessToken: "a"})
	if err != nil || fresh.Stale(sealed) {
		t.Fatal(err)
	}
	if _, err := running.Open("emea", sealed); err != nil {
		t.Error("a running sealer does not see the new key:", err)
	}
	if _, err := running.Open("apac", sealed); !errors.Is(err, seal.ErrNotOurs) {
		t.Errorf("another org opens it: %v", err)
	}
}
