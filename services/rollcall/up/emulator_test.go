package up

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
)

// TestEmulatorOverTLS wants an org at an https address that calls itself so:
// a client follows the addresses that the org answers with.
func TestEmulatorOverTLS(t *testing.T) {
	t.Parallel()
	cert, key, roots := certificate(t)
	e, err := StartEmulator(t.Context(), EmulatorOptions{
		Listen: "127.0.0.1:0", Org: demo.SalesforceOrg("s3cret"), CertFile: cert, KeyFile: key, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	form := "grant_type=client_credentials&client_id=" + demo.ClientID + "&client_secret=s3cret"
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.URL+"/services/oauth2/token", strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || !strings.Contains(string(body), `"instance_url":"`+e.URL+`"`) {
		t.Errorf("answer %s, error %v; want the instance at %s", body, err, e.URL)
	}
}

func TestEmulatorSaysWhatIsWrongWithItsCertificate(t *testing.T) {
	t.Parallel()
	_, err := StartEmulator(t.Context(), EmulatorOptions{Listen: "127.0.0.1:0", Org: demo.SalesforceOrg("s"), CertFile: "none.crt", KeyFile: "none.key"})
	if err == nil || !strings.Contains(err.Error(), "certificate of the emulated org") || !strings.Contains(err.Error(), "none.crt") {
		t.Errorf("error %v", err)
	}
}

// certificate makes one for 127.0.0.1 that signs itself.
func certificate(t *testing.T) (certFile, keyFile string, roots *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	certFile, keyFile = filepath.Join(dir, "org.crt"), filepath.Join(dir, "org.key")
	certPEM := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	for path, text := range map[string][]byte{
		certFile: certPEM,
		keyFile:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}),
	} {
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	roots = x509.NewCertPool()
	roots.AppendCertsFromPEM(certPEM)
	return certFile, keyFile, roots
}
