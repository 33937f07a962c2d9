package health_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/health"
)

func TestAskSaysWhyNot(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/well":
			return
		case "/moved":
			http.Redirect(w, r, "/unwell", http.StatusFound)
		default:
			http.Error(w, "no org is connected", http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(web.Close)
	if err := health.Ask(t.Context(), web.URL+"/well"); err != nil {
		t.Errorf("a program that is well: %v", err)
	}
	gone := httptest.NewServer(nil)
	gone.Close()
	for url, says := range map[string]string{
		web.URL + "/unwell": "503 Service Unavailable: no org is connected",
		web.URL + "/moved":  "no org is connected",
		gone.URL:            "connection refused",
		"://":               "what to ask",
	} {
		if err := health.Ask(t.Context(), url); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want it to say %q", url, err, says)
		}
	}
}

func TestAskTrustsItsOwnMachine(t *testing.T) {
	t.Parallel()
	web := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(web.Close)
	if err := health.Ask(t.Context(), web.URL); err != nil {
		t.Error(err)
	}
}

func TestReadyURLIsOneToConnectTo(t *testing.T) {
	t.Parallel()
	for listen, want := range map[string]string{
		":9464":          "http://127.0.0.1:9464/readyz",
		"0.0.0.0:9464":   "http://127.0.0.1:9464/readyz",
		"[::]:9464":      "http://127.0.0.1:9464/readyz",
		"[::1]:9464":     "http://[::1]:9464/readyz",
		"127.0.0.2:80":   "http://127.0.0.2:80/readyz",
		"localhost:9464": "http://localhost:9464/readyz",
	} {
		if got, err := health.ReadyURL(listen); err != nil || got != want {
			t.Errorf("ReadyURL(%q) = %q, %v; want %q", listen, got, err, want)
		}
	}
	if _, err := health.ReadyURL("9464"); err == nil {
		t.Error("an address without a port is taken for one")
	}
}
