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

// newSecuredStack starts the whole system as processes, with NATS configured by
// the files of deploy/compose: TLS, a user per service, encryption on disk.
func newSecuredStack(t *testing.T) *stack {
	t.Helper()
	bin, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{t: t, dir: t.TempDir(), bin: bin, web: http.DefaultClient, procs: map[string]part{}, template: "testdata/rollcall.yaml"}
	t.Cleanup(s.down)
	s.takeDown, s.flags = s.stopAll, s.securedFlags
	s.secret = s.secrets("salesforce-client-secret")
	s.natsURL = fmt.Sprintf("tls://localhost:%d", freePort(t))
	s.startEmulator()
	s.replacer = strings.NewReplacer("NATS_URL", s.natsURL, "SALESFORCE_URL", s.sfURL, "CLIENT_ID", clientID,
		"deployment.key", s.secrets("deployment.key"), "tokens.key", s.secrets("tokens.json"), "client-secret", s.secret)
	s.writeConfig()
	s.run("keys", "compose", s.secrets(""), "--config", s.configPath())
	s.rewrite(s.secret, clientSecret)
	s.startSecuredNATS()
	s.run("provision", "--config", s.configPath())
	for _, name := range services() {
		s.add(name, filepath.Join(bin, name), "--config", s.configOf(name))
	}
	return s
}

func (s *stack) secrets(name string) string { return filepath.Join(s.dir, "secrets", name) }

// rewrite replaces a file that nobody may write.
func (s *stack) rewrite(path, text string) {
	s.t.Helper()
	if err := os.Remove(path); err != nil {
		s.t.Fatal(err)
	}
	s.write(path, text)
}

// securedFlags are what a command needs to be let in, each in its role.
func (s *stack) securedFlags(command string) []string {
	role := "operator"
	switch command {
	case "keys", "permissions":
		return nil
	case "publish":
		role = "publisher-hr"
	case "provision":
		role = "provisioner"
	}
	return []string{"--nats-url", s.natsURL, "--ca", s.secrets("ca.crt"), "--nkey", s.secrets(role + ".nkey")}
}

// configOf writes a service's own configuration: who it is on NATS.
func (s *stack) configOf(service string) string {
	s.t.Helper()
	text, err := os.ReadFile(s.configPath())
	if err != nil {
		s.t.Fatal(err)
	}
	path := filepath.Join(s.dir, service+".yaml")
	s.write(path, strings.Replace(string(text), "\nnats:\n", fmt.Sprintf(
		"\nnats:\n  provision: false\n  caFile: %s\n  nkeySeedFile: %s\n", s.secrets("ca.crt"), s.secrets(service+".nkey")), 1))
	return path
}

// startSecuredNATS runs the server with the configuration that ships, but for
// the places of files and the ports.
func (s *stack) startSecuredNATS() {
	s.t.Helper()
	accounts := s.run("permissions", "--config", s.configPath(), "--nkeys", "../secrets/nkeys.conf")
	etc := filepath.Join(s.dir, "etc")
	if err := os.Mkdir(etc, 0o700); err != nil {
		s.t.Fatal(err)
	}
	s.write(filepath.Join(etc, "accounts.conf"), string(accounts))
	shipped, err := os.ReadFile("../../deploy/compose/nats/nats.conf")
	if err != nil {
		s.t.Fatal(err)
	}
	conf := strings.NewReplacer(
		"../../run/secrets/jetstream-key", "../secrets/jetstream.conf",
		"/run/secrets/nats-crt", s.secrets("nats.crt"), "/run/secrets/nats-key", s.secrets("nats.key"),
		"/data", filepath.Join(s.dir, "nats"),
		"0.0.0.0:4222", "127.0.0.1:"+s.natsURL[strings.LastIndex(s.natsURL, ":")+1:],
		"127.0.0.1:8222", fmt.Sprintf("127.0.0.1:%d", freePort(s.t)),
	).Replace(string(shipped))
	path := filepath.Join(etc, "nats.conf")
	s.write(path, conf)
	s.add("nats-server", filepath.Join(s.bin, "nats-server"), "-c", path)
}
