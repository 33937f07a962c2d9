package cli_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestKeysRotate(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "tokens.json")
	if r := run(t, "keys", "rotate", path); r.code == 0 || !strings.Contains(r.err, "no such file") {
		t.Errorf("a keyset that is not there: %d, %s", r.code, r.err)
	}
	if r := run(t, "keys", "tokens", path); r.code != 0 {
		t.Fatal(r.err)
	}
	if r := run(t, "keys", "rotate", path); r.code != 0 || !strings.Contains(r.err, "has a new key") {
		t.Errorf("%d, %s", r.code, r.err)
	}
}
