package natsd_test

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/rollcall/natsd"
)

func start(t *testing.T, dir, listen string) (*natsd.Server, error) {
	t.Helper()
	return natsd.Start(t.Context(), natsd.Options{Dir: dir, Listen: listen, Flag: "--listen", Log: slog.New(slog.DiscardHandler)})
}

func TestServerKeepsItsStreamsAcrossAStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for range 2 {
		s, err := start(t, dir, "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		b, err := bus.Connect(t.Context(), bus.Options{URL: s.URL()})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Provision(t.Context(), bus.Topology{Orgs: []string{"acme"}}); err != nil {
			t.Fatal(err)
		}
		b.Close()
		s.Close()
	}
}

func TestServerInProcessOnly(t *testing.T) {
	t.Parallel()
	s, err := start(t, t.TempDir(), "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if s.URL() != "" {
		t.Errorf("listens at %s", s.URL())
	}
	b, err := bus.Connect(t.Context(), bus.Options{InProcess: s.InProcess()})
	if err != nil {
		t.Fatal(err)
	}
	b.Close()
}

func TestStartSaysThatThePortIsTaken(t *testing.T) {
	t.Parallel()
	s, err := start(t, t.TempDir(), "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	addr := strings.TrimPrefix(s.URL(), "nats://")
	if _, err := start(t, t.TempDir(), addr); err == nil || !strings.Contains(err.Error(), addr+" is taken by another program") || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("err = %v", err)
	}
}

func TestStartRefusesAFolderInUse(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := start(t, dir, "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := start(t, dir, ""); err == nil || !strings.Contains(err.Error(), "in use by another rollcall") {
		t.Errorf("err = %v", err)
	}
}
