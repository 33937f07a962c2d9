package trust_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/trust"
)

// TestExtend wants a server with a private CA refused without the file and
// taken with it, and the transport it began with left alone.
func TestExtend(t *testing.T) {
	t.Parallel()
	srv := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw})
	if err := os.WriteFile(ca, text, 0o600); err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	extended, err := trust.Extend(base, ca)
	if err != nil {
		t.Fatal(err)
	}
	if err := visit(t, extended, srv.URL); err != nil {
		t.Errorf("with the file: %v", err)
	}
	if err := visit(t, base, srv.URL); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("without the file: %v, want the certificate refused", err)
	}
	if same, err := trust.Extend(base, ""); err != nil || same != http.RoundTripper(base) {
		t.Errorf("no file: %v, %v; want the transport as it was", same, err)
	}
}

func TestExtendSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, want := range map[string]string{"missing.pem": "missing.pem", empty: "no certificate in PEM form"} {
		if _, err := trust.Extend(&http.Transport{}, file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q in it", file, err, want)
		}
	}
}

func visit(t *testing.T, transport http.RoundTripper, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: transport}).Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}
