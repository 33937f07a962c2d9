package cli_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestHealthSaysWhetherAProgramDoesItsWork(t *testing.T) {
	t.Parallel()
	sf := httptest.NewServer(emulator.New())
	t.Cleanup(sf.Close)
	ill := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no org is connected", http.StatusServiceUnavailable)
	}))
	t.Cleanup(ill.Close)

	if r := run(t, "health", sf.URL+"/_emulator/"); r.code != 0 {
		t.Errorf("emulator: exit code %d: %s", r.code, r.err)
	}
	if r := run(t, "health", ill.URL); r.code != 1 || !strings.Contains(r.err, "no org is connected") {
		t.Errorf("ill: exit code %d: %s", r.code, r.err)
	}
	if r := run(t, "health", "a", "b"); r.code != 2 {
		t.Errorf("two URLs: exit code %d: %s", r.code, r.err)
	}
}
