// Package bustest runs a real NATS server for tests. It never ships in a
// binary.
package bustest

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

const readyTimeout = 20 * time.Second

// Server is an embedded NATS server with JetStream on disk and every write
// synced, as in production.
type Server struct {
	opts  *server.Options
	srv   *server.Server
	topo  bus.Topology
	users users
}

// Start starts a server in a temporary folder and provisions topo.
func Start(t testing.TB, topo bus.Topology) *Server {
	t.Helper()
	s := start(t, topo)
	b := s.Bus(t)
	if err := b.Provision(context.Background(), topo); err != nil {
		t.Fatalf("provision: %v", err)
	}
	return s
}

// StartEmpty is Start without any stream.
func StartEmpty(t testing.TB) *Server {
	t.Helper()
	return start(t, bus.Topology{})
}

func start(t testing.TB, topo bus.Topology) *Server {
	t.Helper()
	s := &Server{topo: topo, opts: &server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoSigs: true,
		JetStream: true, StoreDir: t.TempDir(), SyncAlways: true, MaxPayload: 1 << 20,
	}}
	s.users.add(t, s.opts, topo)
	s.run(t)
	if addr, ok := s.srv.Addr().(*net.TCPAddr); ok {
		s.opts.Port = addr.Port
	}
	t.Cleanup(func() { s.srv.Shutdown(); s.srv.WaitForShutdown() })
	return s
}

func (s *Server) run(t testing.TB) {
	t.Helper()
	srv, err := server.NewServer(s.opts)
	if err != nil {
		t.Fatalf("make NATS server: %v", err)
	}
	srv.SetLoggerV2(&s.users.refused, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(readyTimeout) {
		t.Fatal("NATS server did not start")
	}
	s.srv = srv
}

// Bus returns a new connection, closed at the end of the test.
func (s *Server) Bus(t testing.TB) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(context.Background(), bus.Options{URL: s.URL(), Name: t.Name()})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(b.Close)
	return b
}

// InProcess returns a connection without a socket, as the all-in-one has it.
func (s *Server) InProcess(t testing.TB) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(context.Background(), bus.Options{InProcess: s.srv, Name: t.Name()})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(b.Close)
	return b
}

// URL is where the server listens.
func (s *Server) URL() string { return s.srv.ClientURL() }

// Kill stops the server; connections see it go away.
func (s *Server) Kill() { s.srv.Shutdown(); s.srv.WaitForShutdown() }

// Restart starts it again on the same data and port.
func (s *Server) Restart(t testing.TB) { t.Helper(); s.run(t) }

// Crash stops the server as kill -9 does: what Restart finds on disk is what
// was there while it still ran.
func (s *Server) Crash(t testing.TB) {
	t.Helper()
	disk := t.TempDir()
	err := os.CopyFS(disk, os.DirFS(s.opts.StoreDir))
	for errors.Is(err, fs.ErrNotExist) { // it renamed a file meanwhile
		disk = t.TempDir()
		err = os.CopyFS(disk, os.DirFS(s.opts.StoreDir))
	}
	if err != nil {
		t.Fatalf("copy the server's disk: %v", err)
	}
	s.Kill()
	s.opts.StoreDir = disk
}
