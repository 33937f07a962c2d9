//go:build !containers

package integration

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// kills is how often a part is killed at the least, alive about how long it
	// may live in between.
	kills = 8
	alive = 150 * time.Millisecond
)

// launch starts NATS, the emulator and all services as processes.
func launch(s *stack) {
	s.t.Helper()
	bin, err := binaries()
	if err != nil {
		s.t.Fatal(err)
	}
	s.takeDown = s.stopAll
	s.bin, s.secret = bin, filepath.Join(s.dir, "client-secret")
	s.flags = func(command string) []string {
		if command == "keys" {
			return nil
		}
		return []string{"--nats-url", s.natsURL}
	}
	s.startNATS()
	s.startEmulator()
	s.replacer = strings.NewReplacer("NATS_URL", s.natsURL, "SALESFORCE_URL", s.sfURL, "CLIENT_ID", clientID)
	s.writeConfig()
	s.write(s.secret, clientSecret)
	s.write(filepath.Join(s.dir, "deployment.key"), strings.Repeat("k", 64))
	s.run("keys", "tokens", filepath.Join(s.dir, "tokens.key"))
	for _, name := range services() {
		s.add(name, filepath.Join(bin, name), "--config", s.configPath())
	}
}

// stopAll stops everything, the services first.
func (s *stack) stopAll() {
	last := []string{"emulator", "nats-server"}
	for name, p := range s.procs {
		if !slices.Contains(last, name) {
			p.stop()
		}
	}
	for _, name := range last {
		if p := s.procs[name]; p != nil {
			p.stop()
		}
	}
}

// parallel lets a test run beside others.
func parallel(t *testing.T) {
	t.Helper()
	t.Parallel()
}

// oneNode skips nothing: processes have one node.
func oneNode(t *testing.T) { t.Helper() }

func (s *stack) add(name string, args ...string) {
	s.t.Helper()
	p := &process{name: name, args: args, log: filepath.Join(s.dir, name+".log")}
	s.procs[name] = p
	p.start(s.t)
}

func (s *stack) startNATS() {
	s.t.Helper()
	port := freePort(s.t)
	s.natsURL = fmt.Sprintf("nats://127.0.0.1:%d", port)
	conf := fmt.Sprintf("listen: 127.0.0.1:%d\njetstream { store_dir: %q, sync_interval: always }\n", port, filepath.Join(s.dir, "nats"))
	path := filepath.Join(s.dir, "nats.conf")
	s.write(path, conf)
	s.add("nats-server", filepath.Join(s.bin, "nats-server"), "-c", path)
}

func (s *stack) startEmulator() {
	s.t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", freePort(s.t))
	s.sfURL = "http://" + addr
	s.add("emulator", filepath.Join(s.bin, "rollcall"), "emulator", "--listen", addr,
		"--client-id", clientID, "--client-secret", clientSecret)
	eventually(s.t, 20*time.Second, "the emulator answers", func(ctx context.Context) error {
		_, err := s.get(ctx, "/services/data")
		return err
	})
}

// programs are the processes of a stack, by name, with their packages.
func programs() map[string]string {
	out := map[string]string{
		"rollcall":    "./services/rollcall",
		"nats-server": "github.com/nats-io/nats-server/v2",
	}
	for _, name := range services() {
		out[name] = "./services/" + name
	}
	return out
}

func (s *stack) get(ctx context.Context, path string) ([]byte, error) {
	return s.call(ctx, http.MethodGet, path, "")
}
