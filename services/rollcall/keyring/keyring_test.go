package keyring_test

import (
	"crypto/tls"
	"crypto/x509"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nkeys"

	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/rollcall/keyring"
)

func compose(t *testing.T, o keyring.Options) keyring.Result {
	t.Helper()
	r, err := keyring.Compose(o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func names(made []keyring.Made) []string {
	var out []string
	for _, m := range made {
		out = append(out, m.Name)
	}
	return out
}

func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[e.Name()] = string(data)
	}
	return out
}

// A second run makes nothing; what was removed is made anew, and nothing else
// is touched but the public keys.
func TestComposeMakesWhatIsMissing(t *testing.T) {
	t.Parallel()
	o := keyring.Options{Dir: filepath.Join(t.TempDir(), "secrets"), Sources: []string{"hr"}}
	check := o
	check.Check = true
	missing := names(compose(t, check).Made)
	if _, err := os.Stat(o.Dir); err == nil {
		t.Error("a check made the folder")
	}
	if made := names(compose(t, o).Made); !slices.Equal(made, append(missing, "nkeys.conf")) {
		t.Errorf("made %v, missing was %v", made, missing)
	}
	first := folder(t, o.Dir)
	if r := compose(t, o); len(r.Made) > 0 || len(r.Warnings) > 0 {
		t.Errorf("a second run made %v and warned %v", r.Made, r.Warnings)
	}
	if err := os.Remove(filepath.Join(o.Dir, "assignment.nkey")); err != nil {
		t.Fatal(err)
	}
	o.Sources = []string{"hr", "ad"}
	if made := names(compose(t, o).Made); !slices.Equal(made, []string{"assignment.nkey", "publisher-ad.nkey", "nkeys.conf"}) {
		t.Errorf("made %v", made)
	}
	for name, text := range folder(t, o.Dir) {
		old, known := first[name]
		changed := known && old != text
		if want := name == "assignment.nkey" || name == "nkeys.conf"; changed != want {
			t.Errorf("%s changed: %v", name, changed)
		}
	}
}

// The folder keeps people of the host out; in it, a container's user may read
// what is mounted, and nobody may write.
func TestModes(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "secrets")
	compose(t, keyring.Options{Dir: dir, Sources: []string{"hr"}})
	checkModes(t, dir)
}

// So they are after somebody made the folder with the mode of his other
// folders, and wrote files with a mode that no container can read.
func TestModesOfOthers(t *testing.T) {
	t.Parallel()
	o := keyring.Options{Dir: t.TempDir(), Sources: []string{"hr"}}
	if err := os.Chmod(o.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	compose(t, o)
	checkModes(t, o.Dir)
	for _, name := range []string{"salesforce-client-secret", "nkeys.conf", "assignment.nkey", "ca.crt"} {
		if err := os.Chmod(filepath.Join(o.Dir, name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := compose(t, o); len(r.Made) > 0 {
		t.Errorf("made %v", r.Made)
	}
	checkModes(t, o.Dir)
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v, %v", info.Mode(), err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]fs.FileMode{"ca.key": 0o400, "nkeys.conf": 0o644, "salesforce-client-secret": 0o644}[e.Name()]
		if want == 0 {
			want = 0o444
		}
		if info.Mode().Perm() != want {
			t.Errorf("%s has mode %04o, want %04o", e.Name(), info.Mode().Perm(), want)
		}
	}
}

// What is made is what its readers take.
func TestKeysAreGood(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	compose(t, keyring.Options{Dir: dir, Sources: []string{"hr"}})
	files := folder(t, dir)
	if _, err := seal.Load(filepath.Join(dir, "tokens.json")); err != nil {
		t.Error(err)
	}
	for name, text := range files {
		role, ok := strings.CutSuffix(name, ".nkey")
		if !ok {
			continue
		}
		pair, err := nkeys.FromSeed([]byte(strings.TrimSpace(text)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		public, err := pair.PublicKey()
		variable := "NKEY_" + strings.ToUpper(strings.ReplaceAll(role, "-", "_"))
		if err != nil || !strings.Contains(files["nkeys.conf"], variable+": \""+public+"\"\n") {
			t.Errorf("nkeys.conf lacks %s %s: %v", variable, public, err)
		}
		if strings.Contains(files["nkeys.conf"], strings.TrimSpace(text)) {
			t.Error("nkeys.conf holds a seed")
		}
	}
}

// Clients that trust the authority reach NATS under each of its names, and
// nobody else's certificate.
func TestCertificates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	compose(t, keyring.Options{Dir: dir, Hosts: []string{"nats.example.com", "192.0.2.7"}})
	cert, err := tls.LoadX509KeyPair(filepath.Join(dir, "nats.crt"), filepath.Join(dir, "nats.key"))
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(folder(t, dir)["ca.crt"]))
	for host, good := range map[string]bool{
		"nats": true, "nats-0": true, "nats-2": true, "localhost": true, "127.0.0.1": true, "nats.example.com": true, "192.0.2.7": true,
		"other": false, "192.0.2.8": false,
	} {
		here, there := net.Pipe()
		go func() {
			// As a route does, the server wants a certificate of the same authority.
			server := tls.Server(there, &tls.Config{Certificates: []tls.Certificate{cert}, ClientCAs: roots, ClientAuth: tls.RequireAndVerifyClientCert})
			_ = server.Handshake()
			_, _ = server.Write([]byte("x"))
			_ = there.Close()
		}()
		client := tls.Client(here, &tls.Config{RootCAs: roots, ServerName: host, Certificates: []tls.Certificate{cert}})
		_, err := client.Read(make([]byte, 1))
		_ = here.Close()
		if (err == nil) != good {
			t.Errorf("%s: %v", host, err)
		}
	}
	if r := compose(t, keyring.Options{Dir: dir, Hosts: []string{"new.example.com"}}); len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "new.example.com") {
		t.Errorf("warnings %v", r.Warnings)
	}
}

// The authority's key may be kept elsewhere; it is missed only where something
// has to be signed, and a new one is never made beside the old certificate.
func TestAuthorityKeptElsewhere(t *testing.T) {
	t.Parallel()
	o := keyring.Options{Dir: t.TempDir()}
	compose(t, o)
	if err := os.Remove(filepath.Join(o.Dir, "ca.key")); err != nil {
		t.Fatal(err)
	}
	if r := compose(t, o); len(r.Made) != 0 {
		t.Errorf("made %v", r.Made)
	}
	for _, name := range []string{"nats.crt", "nats.key"} {
		if err := os.Remove(filepath.Join(o.Dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := keyring.Compose(o); err == nil || !strings.Contains(err.Error(), "ca.key is needed") {
		t.Errorf("got %v", err)
	}
}
