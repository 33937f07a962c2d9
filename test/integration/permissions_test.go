//go:build !containers

package integration

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// securedPeople are enough for several batches of every kind.
const securedPeople = 300

// TestLeastPermissionsAreEnough runs the whole system with TLS, an nkey per
// service and encryption: a load, a park, a retry, a leaver. Nobody may try
// what it may not do, and nothing is on NATS's disk in plain text.
func TestLeastPermissionsAreEnough(t *testing.T) {
	parallel(t)
	s := newSecuredStack(t)
	s.must(http.MethodPost, "/_emulator/faults",
		`{"id":"bad","field":"Username","value":"e00007@rollcall.example","effect":"validation_rule","message":"No"}`)
	s.publish(export(t, s.dir, 0, securedPeople, "canary-of-the-title"))
	s.settle(settleWithin)
	s.wantParked(1)
	s.must(http.MethodDelete, "/_emulator/faults/bad", "")
	s.run("tasks", "retry", "--all", "--as", "tester", "--wait")
	s.settle(settleWithin)
	s.wantParked(0)
	s.must(http.MethodDelete, "/_emulator/orgs/-/sessions", "") // health goes to token-refresher and a token comes back
	s.publish(leaver(t, s.dir, 3))
	s.settle(settleWithin)
	users := s.users()
	if len(users) != securedPeople || users["e00003"].IsActive || !users["e00004"].IsActive {
		t.Errorf("%d users, the leaver %+v", len(users), users["e00003"])
	}
	s.run("person", "show", "e00007@rollcall.example")
	s.run("audit")
	s.run("provision", "--config", s.configPath())
	s.wantNoViolations()
	s.wantNowhere(filepath.Join(s.dir, "nats"), "canary-of-the-title")
}

func leaver(t *testing.T, dir string, n int) string {
	t.Helper()
	path := export(t, dir, n, 1, "leaver")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, bytes.ReplaceAll(text, []byte(",yes"), []byte(",no")), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func (s *stack) wantParked(want int) {
	s.t.Helper()
	eventually(s.t, settleWithin, fmt.Sprintf("%d parked", want), func(ctx context.Context) error {
		st, err := s.status(ctx)
		if err != nil {
			return err
		}
		n := 0
		for _, parked := range st.Parked {
			n += parked
		}
		if n != want {
			return fmt.Errorf("parked %v", st.Parked)
		}
		return nil
	})
}

// wantNoViolations wants the server to have refused nobody anything.
func (s *stack) wantNoViolations() {
	s.t.Helper()
	for line := range strings.Lines(s.procs["nats-server"].output()) {
		if strings.Contains(line, "Violation") || strings.Contains(line, "[ERR]") {
			s.t.Error(line)
		}
	}
}

// wantNowhere wants no file of a folder to hold a text.
func (s *stack) wantNowhere(dir, text string) {
	s.t.Helper()
	looked := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		looked += len(data)
		if bytes.Contains(data, []byte(text)) {
			s.t.Errorf("%s holds %q", path, text)
		}
		return err
	})
	if err != nil || looked < 100_000 {
		s.t.Errorf("looked at %d bytes, error %v", looked, err)
	}
}
