//go:build !containers

package integration

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// newSecuredRig starts the whole system as processes, with NATS configured by
// the files of deploy/compose: TLS, a user per service, encryption on disk.
func newSecuredRig(t *testing.T) *rig {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, dir: t.TempDir(), bin: bin, web: http.DefaultClient, procs: map[string]part{}, template: "testdata/rollcall.yaml"}
	t.Cleanup(r.down)
	r.takeDown, r.flags = r.stopAll, r.securedFlags
	r.secret = r.secrets("salesforce-client-secret")
	r.natsURL = fmt.Sprintf("tls://localhost:%d", freePort(t))
	r.startEmulator()
	r.replacer = strings.NewReplacer("NATS_URL", r.natsURL, "SALESFORCE_URL", r.sfURL, "CLIENT_ID", clientID,
		"deployment.key", r.secrets("deployment.key"), "tokens.key", r.secrets("tokens.json"), "client-secret", r.secret)
	r.writeConfig()
	r.run("keys", "compose", r.secrets(""), "--config", r.configPath())
	r.rewrite(r.secret, clientSecret)
	r.startSecuredNATS()
	r.run("provision", "--config", r.configPath())
	for _, name := range services() {
		r.add(name, filepath.Join(bin, name), "--config", r.configOf(name))
	}
	return r
}

func (r *rig) secrets(name string) string { return filepath.Join(r.dir, "secrets", name) }

// rewrite replaces a file that nobody may write.
func (r *rig) rewrite(path, text string) {
	r.t.Helper()
	if err := os.Remove(path); err != nil {
		r.t.Fatal(err)
	}
	r.write(path, text)
}

// securedFlags are what a command needs to be let in, each in its role.
func (r *rig) securedFlags(command string) []string {
	role := "operator"
	switch command {
	case "keys", "permissions":
		return nil
	case "publish":
		role = "publisher-hr"
	case "provision":
		role = "provisioner"
	}
	return []string{"--nats-url", r.natsURL, "--ca", r.secrets("ca.crt"), "--nkey", r.secrets(role + ".nkey")}
}

// configOf writes a service's own configuration: who it is on NATS.
func (r *rig) configOf(service string) string {
	r.t.Helper()
	text, err := os.ReadFile(r.configPath())
	if err != nil {
		r.t.Fatal(err)
	}
	path := filepath.Join(r.dir, service+".yaml")
	r.write(path, strings.Replace(string(text), "\nnats:\n", fmt.Sprintf(
		"\nnats:\n  provision: false\n  caFile: %s\n  nkeySeedFile: %s\n", r.secrets("ca.crt"), r.secrets(service+".nkey")), 1))
	return path
}

// startSecuredNATS runs the server with the configuration that ships, but for
// the places of files and the ports.
func (r *rig) startSecuredNATS() {
	r.t.Helper()
	accounts := r.run("permissions", "--config", r.configPath(), "--nkeys", "../secrets/nkeys.conf")
	etc := filepath.Join(r.dir, "etc")
	if err := os.Mkdir(etc, 0o700); err != nil {
		r.t.Fatal(err)
	}
	r.write(filepath.Join(etc, "accounts.conf"), string(accounts))
	shipped, err := os.ReadFile("../../deploy/compose/nats/nats.conf")
	if err != nil {
		r.t.Fatal(err)
	}
	conf := strings.NewReplacer(
		"../../run/secrets/jetstream-key", "../secrets/jetstream.conf",
		"/run/secrets/nats-crt", r.secrets("nats.crt"), "/run/secrets/nats-key", r.secrets("nats.key"),
		"/data", filepath.Join(r.dir, "nats"),
		"0.0.0.0:4222", "127.0.0.1:"+r.natsURL[strings.LastIndex(r.natsURL, ":")+1:],
		"127.0.0.1:8222", fmt.Sprintf("127.0.0.1:%d", freePort(r.t)),
	).Replace(string(shipped))
	path := filepath.Join(etc, "nats.conf")
	r.write(path, conf)
	r.add("nats-server", filepath.Join(r.bin, "nats-server"), "-c", path)
}
