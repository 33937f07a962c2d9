package up

import (
	"context"
	"errors"
	"fmt"

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
	members []app.Member
	buses   []*bus.Bus
	pusher  *push.Service
}

// builder makes the services one after the other; the first error stays.
type builder struct {
	ctx  context.Context //nolint:containedctx // lives no longer than newServices
	file config.File
	nats nats.InProcessConnProvider
	tel  *telemetry.Telemetry
	out  *services
	errs []error
}

// newServices builds all four, each on a connection of its own, as if it were
// a process. Every fault of the configuration is in the error.
func newServices(ctx context.Context, file config.File, conn nats.InProcessConnProvider, tel *telemetry.Telemetry) (*services, error) {
	b := &builder{ctx: ctx, file: file, nats: conn, tel: tel, out: &services{}}
	b.add("token-refresher", func(env app.Env) (app.Service, error) {
		cfg, err := refresh.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return refresh.New(cfg, env.Bus, env.Telemetry)
	})
	b.add("assignment", func(env app.Env) (app.Service, error) {
		cfg, err := assign.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return assign.New(cfg, env.Bus, env.Telemetry)
	})
	b.add("salesforce-pusher", func(env app.Env) (app.Service, error) {
		cfg, err := push.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		b.out.pusher, err = push.New(cfg, env.Bus, env.Telemetry)
		return b.out.pusher, err
	})
	b.add("retry-scheduler", func(env app.Env) (app.Service, error) {
		cfg, err := retry.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return retry.New(cfg, env.Bus, env.Telemetry)
	})
	if err := errors.Join(b.errs...); err != nil {
		b.out.close()
		return nil, err
	}
	return b.out, nil
}

func (b *builder) add(name string, build func(app.Env) (app.Service, error)) {
	tel, err := b.tel.For(name)
	if err != nil {
		b.errs = append(b.errs, err)
		return
	}
	conn, err := bus.Connect(b.ctx, bus.Options{InProcess: b.nats, Name: name, Log: tel.Log})
	if err != nil {
		b.errs = append(b.errs, err)
		return
	}
	b.out.buses = append(b.out.buses, conn)
	if err := app.WatchLag(conn, tel); err != nil {
		b.errs = append(b.errs, err)
		return
	}
	service, err := build(app.Env{File: b.file, Bus: conn, Telemetry: tel})
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("%s: %w", name, err))
		return
	}
	b.out.members = append(b.out.members, app.Member{Name: name, Service: service})
}

// ready says which service does not do its work.
func (s *services) ready() error {
	var errs []error
	for _, m := range s.members {
		if err := m.Service.Ready(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", m.Name, err))
		}
	}
	return errors.Join(errs...)
}

func (s *services) close() {
	for _, b := range s.buses {
		b.Close()
	}
}
