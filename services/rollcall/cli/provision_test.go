package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// installation writes a configuration with one org and one source, whose
// deployment key is not on this machine, as it is not where one provisions.
func installation(t *testing.T, url string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.yaml")
	text := fmt.Sprintf(`
deployment: {keyFile: elsewhere}
nats: {url: %q}
sources:
  payroll: {correlate: enterprise.employeeNumber}
orgs:
  acme:
    connect: {loginURL: "https://example.my.salesforce.com", clientID: x, clientSecretFile: elsewhere}
    assign:
      rules: [{name: all, when: "true", profile: Standard User}]
`, url)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProvision(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{}) // as of a configuration without orgs
	config := installation(t, s.URL())
	for i, step := range []struct {
		args []string
		want string
	}{
		{[]string{"--dry-run"}, "would make consumer pusher-acme-leaver of ROSTER\n"},
		{[]string{"--dry-run"}, "would make consumer pusher-acme-leaver of ROSTER\n"},
		{nil, "make      consumer pusher-acme-leaver of ROSTER\n"},
		{nil, "Everything is there.\n"},
	} {
		r := run(t, append([]string{"provision", "--config", config}, step.args...)...)
		if r.code != 0 || !strings.HasPrefix(r.out, step.want) {
			t.Errorf("step %d: %d\n%s%s", i, r.code, r.out, r.err)
		}
	}
	if waits, err := s.Bus(t).Verify(t.Context(), bus.Topology{Orgs: []string{"acme"}}); err != nil || len(waits) != 0 {
		t.Error(waits, err)
	}
	if r := run(t, "provision"); r.code != 2 || !strings.Contains(r.err, "--config is required") {
		t.Errorf("without a configuration: %d, %s", r.code, r.err)
	}
}

// Settings of streams that are there: some are changed, and said; others would
// lose something.
func TestProvisionAndSettings(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{Orgs: []string{"acme"}})
	config := installation(t, s.URL())
	s.SetStream(t, events.StreamDirectory, func(c *jetstream.StreamConfig) { c.Duplicates = time.Minute })
	const change = "change duplicate_window of stream DIRECTORY from 1m0s to 10m0s\n"
	for i, step := range []struct {
		args []string
		want string
		left time.Duration
	}{
		{[]string{"--dry-run"}, "would " + change, time.Minute},
		{nil, strings.Replace(change, "change ", "change    ", 1), 10 * time.Minute},
		{nil, "Everything is there.\n", 10 * time.Minute},
	} {
		r := run(t, append([]string{"provision", "--config", config}, step.args...)...)
		if left := s.Settings(t, events.StreamDirectory).Duplicates; r.code != 0 || r.out != step.want || left != step.left {
			t.Errorf("step %d: %d, %s is left\n%s%s", i, r.code, left, r.out, r.err)
		}
	}
	s.SetStream(t, events.StreamDirectory, func(c *jetstream.StreamConfig) { c.MaxAge = time.Hour })
	for _, args := range [][]string{{"--dry-run"}, nil} {
		r := run(t, append([]string{"provision", "--config", config}, args...)...)
		if r.code != 1 || !strings.Contains(r.err, "stream DIRECTORY: max_age is 1h0m0s, must be 0s, and is not changed") {
			t.Errorf("%v: %d\n%s%s", args, r.code, r.out, r.err)
		}
	}
}

// One server has one replica of anything, and says so.
func TestProvisionOfMoreReplicasThanServers(t *testing.T) {
	t.Parallel()
	config := installation(t, bustest.Start(t, bus.Topology{Orgs: []string{"acme"}}).URL())
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "nats: {", "nats: {replicas: 3, ", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if r := run(t, "provision", "--config", config, "--dry-run"); r.code != 0 || !strings.Contains(r.out, "would change num_replicas of stream ROSTER from 1 to 3") {
		t.Errorf("%d\n%s%s", r.code, r.out, r.err)
	}
	if r := run(t, "provision", "--config", config); r.code != 1 || !strings.Contains(r.err, "change num_replicas of stream ROSTER from 1 to 3") ||
		!strings.Contains(r.err, "non-clustered") {
		t.Errorf("%d\n%s%s", r.code, r.out, r.err)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	config := installation(t, "nats://127.0.0.1:1")
	r := run(t, "permissions", "--config", config)
	for _, want := range []string{"$JS.API.CONSUMER.MSG.NEXT.ROSTER.pusher-acme-leaver", "$NKEY_PUBLISHER_PAYROLL", "rollcall.directory.payroll.*"} {
		if r.code != 0 || !strings.Contains(r.out, want) {
			t.Errorf("%d, no %s in\n%s%s", r.code, want, r.out, r.err)
		}
	}
	if strings.Contains(r.out, "demo") || strings.Contains(r.out, ".hr.") {
		t.Error("names of the demo in another installation's permissions")
	}
	if r := run(t, "permissions"); r.code != 2 {
		t.Errorf("without a configuration: %d", r.code)
	}
}

func TestKeysCompose(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "secrets")
	config := installation(t, "nats://127.0.0.1:1")
	if r := run(t, "keys", "compose", dir, "--config", config, "--check"); r.code != 1 || !strings.Contains(r.out, "missing  publisher-payroll.nkey") {
		t.Errorf("check of nothing: %d\n%s%s", r.code, r.out, r.err)
	}
	if r := run(t, "keys", "compose", dir, "--config", config); r.code != 0 || !strings.Contains(r.out, "made     publisher-payroll.nkey") {
		t.Errorf("%d\n%s%s", r.code, r.out, r.err)
	}
	if r := run(t, "keys", "compose", dir, "--config", config, "--check"); r.code != 0 || r.out != "" {
		t.Errorf("check of everything: %d\n%s%s", r.code, r.out, r.err)
	}
}
