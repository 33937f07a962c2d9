package natsd

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/app"
)

// readyTimeout covers the recovery of a large stream at the start.
const readyTimeout = 2 * time.Minute

// Options says where the server keeps its data and where it listens.
type Options struct {
	// Dir holds the streams.
	Dir string
	// Listen is host:port, empty for connections within the process only.
	Listen string
	// Flag is the command line flag that sets Listen, for the message that says
	// the port is taken.
	Flag string
	Log  *slog.Logger
}

// Server is a running NATS server.
type Server struct {
	srv  *server.Server
	lock *os.File
}

// Start starts a server and waits until it answers.
func Start(ctx context.Context, o Options) (*Server, error) {
	opts, err := o.serverOptions(ctx)
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(o.Dir)
	if err != nil {
		return nil, err
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make NATS server: %w", err), lock.Close())
	}
	log := &logger{log: o.Log}
	srv.SetLoggerV2(log, false, false, false)
	s := &Server{srv: srv, lock: lock}
	srv.Start()
	if !srv.ReadyForConnections(readyTimeout) {
		s.Close()
		return nil, fmt.Errorf("NATS server did not start: %s", log.fatal())
	}
	if err := s.check(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

func (o Options) serverOptions(ctx context.Context) (*server.Options, error) {
	opts := &server.Options{
		ServerName: "rollcall", NoSigs: true, JetStream: true, SyncAlways: true,
		StoreDir: o.Dir, MaxPayload: events.MaxEventBytes, DontListen: o.Listen == "",
	}
	if o.Listen == "" {
		return opts, nil
	}
	// The server would only log that its port is taken, and go on.
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", o.Listen)
	if err != nil {
		return nil, app.ListenError(err, o.Listen, "is NATS or another rollcall running? Choose another port with "+o.Flag)
	}
	addr := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, fmt.Errorf("try %s: %w", o.Listen, err)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", o.Listen, err)
	}
	opts.Host = host
	opts.Port, err = strconv.Atoi(port)
	if err != nil {
		return nil, fmt.Errorf("listen at %s: %w", o.Listen, err)
	}
	return opts, nil
}

// check compares the running server with what was asked for.
func (s *Server) check() error {
	js := s.srv.JetStreamConfig()
	switch {
	case js == nil:
		return errors.New("NATS server runs without JetStream")
	case !js.SyncAlways:
		return errors.New("NATS server does not sync every write")
	}
	return nil
}

// InProcess connects without a socket.
func (s *Server) InProcess() nats.InProcessConnProvider { return s.srv }

// URL is where others reach the server, empty where it does not listen.
func (s *Server) URL() string {
	if s.srv.Addr() == nil {
		return ""
	}
	return "nats://" + s.srv.Addr().String()
}

// Close stops the server when all is on disk.
func (s *Server) Close() {
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
	_ = s.lock.Close() // gives the folder free
}

// lockDir keeps a second server from the same streams: two would destroy them.
func lockDir(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	if err := flock(f); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder %s is in use by another rollcall: stop it, or choose another folder with --data", dir), f.Close())
	}
	return f, nil
}
