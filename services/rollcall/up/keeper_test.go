package up

import (
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func startOrg(t *testing.T, state, secret string) *Emulator {
	t.Helper()
	e, err := StartEmulator(t.Context(), EmulatorOptions{
		Listen: "127.0.0.1:0", Flag: "--listen", State: state, Log: slog.New(slog.DiscardHandler),
		Org: emulator.DefaultOrg("client", secret),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

func post(t *testing.T, url, contentType, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

func TestWhatTheOrgHasAnsweredOutlivesAKill(t *testing.T) {
	t.Parallel()
	state := filepath.Join(t.TempDir(), "emulator.json")
	e := startOrg(t, state, "first")
	url := e.URL + "/_emulator/orgs/" + e.Server.Orgs()[0].ID() + "/users/amber@example.com"
	if status := post(t, url, "application/json", `{"LastName":"Alder"}`); status >= 300 {
		t.Fatalf("plant a user: %d", status)
	}
	// The first one is not closed: it was killed.
	again := startOrg(t, state, "second")
	if _, ok := again.Server.Orgs()[0].UserByUsername("amber@example.com"); !ok {
		t.Error("the user is gone")
	}
	form := "grant_type=client_credentials&client_id=client&client_secret=second"
	if status := post(t, again.URL+"/services/oauth2/token", "application/x-www-form-urlencoded", form); status != http.StatusOK {
		t.Errorf("sign in with the secret that is asked for: %d", status)
	}
}
