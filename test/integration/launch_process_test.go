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
func launch(r *rig) {
	r.t.Helper()
	bin, err := binaries()
	if err != nil {
		r.t.Fatal(err)
	}
	r.takeDown = r.stopAll
	r.bin, r.secret = bin, filepath.Join(r.dir, "client-secret")
	r.flags = func(command string) []string {
		if command == "keys" {
			return nil
		}
		return []string{"--nats-url", r.natsURL}
	}
	r.startNATS()
	r.startEmulator()
	r.replacer = strings.NewReplacer("NATS_URL", r.natsURL, "SALESFORCE_URL", r.sfURL, "CLIENT_ID", clientID)
	r.writeConfig()
	r.write(r.secret, clientSecret)
	r.write(filepath.Join(r.dir, "deployment.key"), strings.Repeat("k", 64))
	r.run("keys", "tokens", filepath.Join(r.dir, "tokens.key"))
	for _, name := range services() {
		r.add(name, filepath.Join(bin, name), "--config", r.configPath())
	}
}

// stopAll stops everything, the services first.
func (r *rig) stopAll() {
	last := []string{"emulator", "nats-server"}
	for name, p := range r.procs {
		if !slices.Contains(last, name) {
			p.stop()
		}
	}
	for _, name := range last {
		if p := r.procs[name]; p != nil {
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

func (r *rig) add(name string, args ...string) {
	r.t.Helper()
	p := &process{name: name, args: args, log: filepath.Join(r.dir, name+".log")}
	r.procs[name] = p
	p.start(r.t)
}

func (r *rig) startNATS() {
	r.t.Helper()
	port := freePort(r.t)
	r.natsURL = fmt.Sprintf("nats://127.0.0.1:%d", port)
	conf := fmt.Sprintf("listen: 127.0.0.1:%d\njetstream { store_dir: %q, sync_interval: always }\n", port, filepath.Join(r.dir, "nats"))
	path := filepath.Join(r.dir, "nats.conf")
	r.write(path, conf)
	r.add("nats-server", filepath.Join(r.bin, "nats-server"), "-c", path)
}

func (r *rig) startEmulator() {
	r.t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", freePort(r.t))
	r.sfURL = "http://" + addr
	r.add("emulator", filepath.Join(r.bin, "rollcall"), "emulator", "--listen", addr,
		"--client-id", clientID, "--client-secret", clientSecret)
	eventually(r.t, 20*time.Second, "the emulator answers", func(ctx context.Context) error {
		_, err := r.get(ctx, "/services/data")
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

func (r *rig) get(ctx context.Context, path string) ([]byte, error) {
	return r.call(ctx, http.MethodGet, path, "")
}
