package up

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-sync/rollcall/services/assignment/assign"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"
	"github.com/rollcall-sync/rollcall/services/token-refresher/refresh"
)

// services are the four services of one process.
type services struct {
	envs map[string]app.Env
	crew *app.Crew
	// pusher is the one that runs now.
	pusher atomic.Pointer[push.Service]
}

// names are the services in the order in which they are made.
func names() []string {
	return []string{"token-refresher", "assignment", "salesforce-pusher", "retry-scheduler"}
}

// newServices builds all four, each on a connection of its own, as if it were
// a process. Every fault of the configuration is in the error.
func newServices(ctx context.Context, file config.File, conn nats.InProcessConnProvider, tel *telemetry.Telemetry) (*services, error) {
	s := &services{envs: map[string]app.Env{}}
	var errs []error
	for _, name := range names() {
		errs = append(errs, s.connect(ctx, name, conn, tel))
	}
	err := errors.Join(errs...)
	if err == nil {
		var members []app.Member
		members, err = s.build(ctx, file)
		s.crew = app.NewCrew(members...)
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *services) connect(ctx context.Context, name string, conn nats.InProcessConnProvider, all *telemetry.Telemetry) error {
	tel, err := all.For(name)
	if err != nil {
		return err
	}
	b, err := bus.Connect(ctx, bus.Options{InProcess: conn, Name: name, Log: tel.Log})
	if err != nil {
		return err
	}
	s.envs[name] = app.Env{Bus: b, Telemetry: tel}
	return app.WatchLag(b, tel)
}

// build makes the services of a configuration.
func (s *services) build(_ context.Context, file config.File) ([]app.Member, error) {
	var members []app.Member
	var errs []error
	for _, name := range names() {
		env := s.envs[name]
		env.File = file
		service, err := s.make(name, env)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
		members = append(members, app.Member{Name: name, Service: service})
	}
	return members, errors.Join(errs...)
}

func (s *services) make(name string, env app.Env) (app.Service, error) {
	switch name {
	case "token-refresher":
		cfg, err := refresh.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return refresh.New(cfg, env.Bus, env.Telemetry)
	case "assignment":
		cfg, err := assign.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return assign.New(cfg, env.Bus, env.Telemetry)
	case "salesforce-pusher":
		cfg, err := push.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		pusher, err := push.New(cfg, env.Bus, env.Telemetry)
		if err == nil {
			s.pusher.Store(pusher)
		}
		return pusher, err
	}
	cfg, err := retry.ConfigFrom(env.File)
	if err != nil {
		return nil, err
	}
	return retry.New(cfg, env.Bus, env.Telemetry)
}

func (s *services) close() {
	for _, env := range s.envs {
		env.Bus.Close()
	}
}
