package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// Exit codes of every program.
const (
	ExitFailed = 1 // it could not start, or stopped because something failed
	ExitUsage  = 2 // the command line or the configuration file is wrong
)

// ErrUsage marks what the person at the keyboard has to change: exit code 2.
var ErrUsage = errors.New("wrong use")

// Env is what a service is built from.
type Env struct {
	File      config.File
	Bus       *bus.Bus
	Telemetry *telemetry.Telemetry
}

// Service is what a program runs.
type Service interface {
	// Run works until ctx ends, finishes the batch in hand, and returns nil. An
	// error means that it cannot go on.
	Run(ctx context.Context) error
	// Ready returns nil when the service does its work.
	Ready() error
}

// Build makes the service. Its error says what in the configuration is wrong.
type Build func(ctx context.Context, env Env) (Service, error)

// Main runs a service as a process of its own and exits.
func Main(name string, build Build) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := Run(ctx, name, os.Args[1:], os.Stdout, os.Stderr, build)
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(ExitCode(err))
}

// ExitCode is the exit code that goes with an error.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrUsage):
		return ExitUsage
	}
	return ExitFailed
}

// Run runs a service until ctx ends.
func Run(ctx context.Context, name string, args []string, stdout, stderr io.Writer, build Build) error {
	f, err := parseFlags(name, args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return Usage(err)
	case f.version:
		_, err := fmt.Fprintln(stdout, name, Version())
		return err
	case f.health:
		return f.askHealth(ctx)
	}
	file, err := f.load()
	if err != nil {
		return Usage(err)
	}
	tel, err := telemetry.New(ctx, name, Version(), file.Log, telemetry.WithLogWriter(stderr))
	if err != nil {
		return err
	}
	defer Shutdown(tel)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	return runService(ctx, name, file, tel, build, NewWatcher(f.config, file, f.load, hangup, tel.Log))
}

// runService connects, builds and runs, and builds anew when the configuration
// has changed.
func runService(ctx context.Context, name string, file config.File, tel *telemetry.Telemetry, build Build, w *Watcher) error {
	b, err := Connect(ctx, name, file, tel)
	if err != nil {
		return err
	}
	defer b.Close()
	if err := EnsureTopology(ctx, b, file, tel.Log); err != nil {
		return err
	}
	service, err := build(ctx, Env{File: file, Bus: b, Telemetry: tel})
	if err != nil {
		return Usage(fmt.Errorf("build from the configuration:\n%w", err))
	}
	if err := WatchLag(b, tel); err != nil {
		return err
	}
	crew := NewCrew(Member{Name: name, Service: service})
	probes, err := Listen(ctx, file.Serve.Listen, tel.Handler(),
		func() error { return errors.Join(b.Ready(), crew.Ready()) },
		func() string { return Remarks(crew.Remark(), w.Remark()) })
	if err != nil {
		return err
	}
	defer probes.Close()
	tel.Log.InfoContext(ctx, "started", "version", Version(), "listen", probes.Addr())
	err = crew.RunFollowing(ctx, probes, w, func(ctx context.Context, file config.File) ([]Member, error) {
		if err := EnsureTopology(ctx, b, file, tel.Log); err != nil {
			return nil, err
		}
		service, err := build(ctx, Env{File: file, Bus: b, Telemetry: tel})
		return []Member{{Name: name, Service: service}}, err
	})
	tel.Log.InfoContext(ctx, "stopped")
	return err
}

// Usage marks err as something to change on the command line or in the
// configuration, without changing its words.
func Usage(err error) error { return usageError{err} }

type usageError struct{ error }

func (u usageError) Unwrap() []error { return []error{u.error, ErrUsage} }

type flags struct {
	config, natsURL string
	version, health bool
}

func parseFlags(name string, args []string, stderr io.Writer) (flags, error) {
	var f flags
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&f.config, "config", os.Getenv("ROLLCALL_CONFIG"), "configuration `file` (ROLLCALL_CONFIG)")
	set.StringVar(&f.natsURL, "nats-url", "", "`URL` of NATS, instead of the file's nats.url (ROLLCALL_NATS_URL)")
	set.BoolVar(&f.health, "health", false, "ask the running service of this configuration whether it is ready, and exit")
	set.BoolVar(&f.version, "version", false, "print the version and exit")
	if err := set.Parse(args); err != nil {
		return f, err
	}
	if set.NArg() > 0 {
		return f, fmt.Errorf("unexpected argument %q", set.Arg(0))
	}
	return f, nil
}

func (f flags) load() (config.File, error) {
	if f.config == "" {
		return config.File{}, errors.New("--config is required")
	}
	file, err := config.Load(f.config)
	if err != nil {
		return config.File{}, err
	}
	if f.natsURL != "" {
		file.NATS.URL = f.natsURL
	}
	return file, nil
}
