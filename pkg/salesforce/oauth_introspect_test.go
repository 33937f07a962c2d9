package salesforce_test

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

// Asking about a token that was rotated out does not revoke its family.
func TestIntrospectSpendsNothing(t *testing.T) {
	t.Parallel()
	r := newLoginRig(t, func(a *emulator.ConnectedApp) { a.RefreshRotation = true })
	old, err := r.org.Grant("consumer", emulator.IntegrationUsername)
	if err != nil {
		t.Fatal(err)
	}
	if active, err := r.oauth.Introspect(t.Context(), old); err != nil || !active {
		t.Fatalf("a fresh token: %v, %v", active, err)
	}
	g, err := r.oauth.RefreshToken(t.Context(), old)
	if err != nil {
		t.Fatal(err)
	}
	if active, err := r.oauth.Introspect(t.Context(), old); err != nil || active {
		t.Fatalf("a rotated token: %v, %v", active, err)
	}
	if _, err := r.oauth.RefreshToken(t.Context(), g.RefreshToken); err != nil {
		t.Fatal("the family was revoked:", err)
	}
	if err := r.org.UpdateApp("consumer", func(a *emulator.ConnectedApp) { a.ClientSecret = "another" }); err != nil {
		t.Fatal(err)
	}
	_, err = r.oauth.Introspect(t.Context(), old)
	wantClass(t, err, "invalid_client", salesforce.TokenCredential)
}
