package emulator_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

func TestACallerReadsItsOwnRights(t *testing.T) {
	t.Parallel()
	srv := emulator.New()
	org := srv.AddOrg(emulator.DefaultOrg("key", "secret"))
	web := httptest.NewServer(srv)
	t.Cleanup(web.Close)
	token, err := org.AccessToken(emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	ask := func() string {
		q := url.Values{"q": {"SELECT PermissionsApiEnabled, PermissionsManageUsers FROM UserPermissionAccess"}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, web.URL+"/services/data/v63.0/query?"+q.Encode(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if got := ask(); !strings.Contains(got, `"totalSize":1`) || !strings.Contains(got, `"PermissionsManageUsers":true`) {
		t.Errorf("with every right: %s", got)
	}
	if err := org.Deny(emulator.IntegrationUsername, emulator.DenyManageUsers); err != nil {
		t.Fatal(err)
	}
	if got := ask(); !strings.Contains(got, `"PermissionsManageUsers":false`) || !strings.Contains(got, `"PermissionsApiEnabled":true`) {
		t.Errorf("without Manage Users: %s", got)
	}
}
