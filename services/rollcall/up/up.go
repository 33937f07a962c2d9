package up

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
	"github.com/rollcall-sync/rollcall/services/rollcall/natsd"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
)

// stack is all that runs in the process.
type stack struct {
	o        Options
	file     config.File
	tel      *telemetry.Telemetry
	emulator *Emulator
	nats     *natsd.Server
	bus      *bus.Bus
	services *services
	probes   *app.Probes
	watcher  *app.Watcher
	// closers undo what was started, the last first.
	closers []func()
}

// Run runs everything until ctx ends or, with Once, until all is quiet.
func Run(ctx context.Context, o Options) error {
	began := time.Now()
	s := &stack{o: o}
	defer s.close()
	if err := s.start(ctx); err != nil {
		return err
	}
	g, err := newGauge(ctx, s.bus)
	if err != nil {
		return err
	}
	work, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.services.crew.RunFollowing(work, s.probes, s.watcher, s.rebuild) }()

	watched := s.watch(work, g, done)
	stop()
	if !watched.ended {
		watched.err = errors.Join(watched.err, <-done)
	}
	switch {
	case watched.err != nil || !o.Once:
		return watched.err
	case ctx.Err() != nil:
		return errors.New("interrupted before all was quiet; state is kept")
	}
	return s.summarise(ctx, g, time.Since(began))
}

// start starts everything but the services' work.
func (s *stack) start(ctx context.Context) error {
	go keepSmall(ctx)
	var err error
	if s.file, err = s.load(); err != nil {
		return app.Usage(err)
	}
	if s.tel, err = telemetry.New(ctx, "rollcall", app.Version(), s.file.Log, telemetry.WithLogWriter(s.o.Stderr)); err != nil {
		return err
	}
	s.onClose(func() { app.Shutdown(s.tel) })
	if s.o.Demo {
		if s.emulator, err = startDemoOrg(ctx, s.o, s.tel.Log); err != nil {
			return err
		}
		s.onClose(s.emulator.Close)
		if s.file, err = s.load(); err != nil { // with the emulated org's address
			return app.Usage(err)
		}
	}
	if err := s.startNATS(ctx); err != nil {
		return err
	}
	if s.services, err = newServices(ctx, s.file, s.nats.InProcess(), s.tel); err != nil {
		return app.Usage(fmt.Errorf("configuration:\n%w", err))
	}
	s.onClose(s.services.close)
	s.foretell(ctx)
	hangup := make(chan os.Signal, 1)
	if !s.o.Terminal { // where there is one, hanging up ends what runs in it
		signal.Notify(hangup, syscall.SIGHUP)
		s.onClose(func() { signal.Stop(hangup) })
	}
	s.watcher = app.NewWatcher(configOf(s.o), s.file, s.load, hangup, s.tel.Log)
	s.probes, err = app.Listen(ctx, s.file.Serve.Listen, s.tel.Handler(), s.services.crew.Ready,
		func() string { return app.Remarks(s.services.crew.Remark(), s.watcher.Remark()) })
	if err != nil {
		return fmt.Errorf("%w, or use --serve-listen", err)
	}
	s.onClose(s.probes.Close)
	return nil
}

// load reads the configuration, as it is or as it is now.
func (s *stack) load() (config.File, error) {
	file, err := prepare(s.o)
	if err == nil && s.emulator != nil {
		err = s.emulator.reach(&file)
	}
	return file, err
}

// rebuild makes the services of a changed configuration.
func (s *stack) rebuild(ctx context.Context, file config.File) ([]app.Member, error) {
	if err := app.EnsureTopology(ctx, s.bus, file, s.tel.Log); err != nil {
		return nil, err
	}
	return s.services.build(ctx, file)
}

func (s *stack) startNATS(ctx context.Context) error {
	var err error
	s.nats, err = natsd.Start(ctx, natsd.Options{Dir: natsFolder(s.o.Dir), Listen: s.o.Listen, Flag: "--listen", Log: s.tel.Log})
	if err != nil {
		return err
	}
	s.onClose(s.nats.Close)
	s.bus, err = bus.Connect(ctx, bus.Options{InProcess: s.nats.InProcess(), Name: "rollcall", Log: s.tel.Log})
	if err != nil {
		return err
	}
	s.onClose(s.bus.Close)
	return app.EnsureTopology(ctx, s.bus, s.file, s.tel.Log)
}

func (s *stack) onClose(f func()) { s.closers = append(s.closers, f) }

func (s *stack) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

// publishDemo publishes the sample export. Rows it cannot use are in it on
// purpose.
func (s *stack) publishDemo(ctx context.Context) (publish.Result, error) {
	m, err := hrimport.Parse(demo.Mapping)
	if err != nil {
		return publish.Result{}, fmt.Errorf("sample export: %w", err)
	}
	tel, err := s.tel.For("rollcall-publish")
	if err != nil {
		return publish.Result{}, err
	}
	return publish.New(s.bus, tel, nil).Publish(ctx, m.Read, bytes.NewReader(demo.Export))
}

// summarise prints what the run has done. The services have stopped by now.
func (s *stack) summarise(ctx context.Context, g *gauge, took time.Duration) error {
	if err := g.count(ctx); err != nil {
		return err
	}
	people, err := g.people(ctx)
	if err != nil {
		return err
	}
	causes, err := g.causes(ctx)
	if err != nil {
		return err
	}
	return summarise(g.tally, people, causes, s.services.pusher.Load().APICalls(), took).write(s.o)
}
