package refresh

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// keyPair makes an RSA key: the private half for us, the public one for the app.
func (r *rig) keyPair() (private, public string) {
	r.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		r.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		r.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		r.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}))
}

func (r *rig) app(change func(*emulator.ConnectedApp)) {
	r.Helper()
	if err := r.org.UpdateApp(clientID, change); err != nil {
		r.Fatal(err)
	}
}

// signing has the org signed in by assertions; the key file is returned.
func (r *rig) signing() string {
	r.Helper()
	private, public := r.keyPair()
	r.app(func(a *emulator.ConnectedApp) { a.CertificatePEM = public })
	file := filepath.Join(r.TempDir(), "key.pem")
	r.write(file, private)
	c := r.cfg.Orgs[emea]
	c.Flow, c.ClientSecretFile = config.FlowJWTBearer, ""
	c.PrivateKeyFile, c.Username = file, emulator.IntegrationUsername
	r.cfg.Orgs[emea] = c
	return file
}

func TestJWTBearer(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.signing()
	r.run(r.service())
	r.await("the first token", connected(1))
	r.complain(1)
	r.await("the second token", connected(2))
	r.tight()
}

func TestJWTKeyIsReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	file := r.signing()
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := r.keyPair()
	r.write(file, other)
	r.run(r.service())
	rec := r.await("held", inState(events.TokenHeld))
	if rec.Failure.Message != "invalid assertion" || !strings.Contains(rec.Advice, "certificate") {
		t.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	r.write(file, "not a key at all")
	rec = r.await("held for the file", func(rec events.TokenRecord) bool {
		return inState(events.TokenHeld)(rec) && rec.Failure.Code == salesforce.CodeNoSecret
	})
	if !strings.Contains(rec.Advice, "privateKeyFile") || strings.Contains(rec.Failure.Message, "not a key") {
		t.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	r.write(file, string(right))
	r.await("connected", connected(1))
	r.tight()
}
