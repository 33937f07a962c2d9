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
func (b *bundle) keyPair() (private, public string) {
	b.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		b.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		b.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub}))
}

func (b *bundle) app(change func(*emulator.ConnectedApp)) {
	b.Helper()
	if err := b.org.UpdateApp(clientID, change); err != nil {
		b.Fatal(err)
	}
}

// signing has the org signed in by assertions; the key file is returned.
func (b *bundle) signing() string {
	b.Helper()
	private, public := b.keyPair()
	b.app(func(a *emulator.ConnectedApp) { a.CertificatePEM = public })
	file := filepath.Join(b.TempDir(), "key.pem")
	b.write(file, private)
	c := b.cfg.Orgs[emea]
	c.Flow, c.ClientSecretFile = config.FlowJWTBearer, ""
	c.PrivateKeyFile, c.Username = file, emulator.IntegrationUsername
	b.cfg.Orgs[emea] = c
	return file
}

func TestJWTBearer(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.signing()
	b.run(b.service())
	b.await("the first token", connected(1))
	b.complain(1)
	b.await("the second token", connected(2))
	b.tight()
}

func TestJWTKeyIsReplacedWithoutARestart(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	file := b.signing()
	right, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	other, _ := b.keyPair()
	b.write(file, other)
	b.run(b.service())
	rec := b.await("held", inState(events.TokenHeld))
	if rec.Failure.Message != "invalid assertion" || !strings.Contains(rec.Advice, "certificate") {
		t.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	b.write(file, "not a key at all")
	rec = b.await("held for the file", func(r events.TokenRecord) bool {
		return inState(events.TokenHeld)(r) && r.Failure.Code == salesforce.CodeNoSecret
	})
	if !strings.Contains(rec.Advice, "privateKeyFile") || strings.Contains(rec.Failure.Message, "not a key") {
		t.Fatalf("held as %+v: %s", rec.Failure, rec.Advice)
	}
	b.write(file, string(right))
	b.await("connected", connected(1))
	b.tight()
}
