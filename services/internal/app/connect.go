package app

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// shutdownTimeout is how long the last spans may take: a trace collector that
// is away must not keep a program from ending.
const shutdownTimeout = 3 * time.Second

const (
	// ensureTimeout is how long a start waits for streams, over restarts of
	// the server.
	ensureTimeout = time.Minute
	ensureEvery   = 250 * time.Millisecond
)

// Connect connects to NATS as the configuration says.
func Connect(ctx context.Context, name string, file config.File, tel *telemetry.Telemetry) (*bus.Bus, error) {
	b, err := bus.Connect(ctx, bus.Options{
		URL: file.NATS.URL, Name: name, NkeySeedFile: file.NATS.NkeySeedFile,
		CAFile: file.NATS.CAFile, CertFile: file.NATS.CertFile, KeyFile: file.NATS.KeyFile,
		InboxPrefix: file.NATS.InboxPrefix, ConnectTimeout: file.NATS.ConnectTimeout, Log: tel.Log,
	})
	if err != nil {
		return nil, err
	}
	return b, nil
}

// Topology is what the configuration needs of NATS.
func Topology(file config.File) bus.Topology {
	return bus.Topology{Orgs: slices.Sorted(maps.Keys(file.Orgs)), Replicas: file.NATS.Replicas}
}

// EnsureTopology makes sure that streams and consumers are there with the
// settings on which Rollcall's promises rest: it creates what is missing and
// changes what may be changed, or only looks where the configuration says that
// somebody else provisions. What no promise rests on is then a warning. A server
// that is just starting, or away for a moment, is waited for.
func EnsureTopology(ctx context.Context, b *bus.Bus, file config.File, log *slog.Logger) error {
	ensure, hint := b.Provision, ""
	if !file.NATS.Provision {
		hint = "; nats.provision is false, so run `rollcall provision` with the provisioner's nkey"
		ensure = func(ctx context.Context, t bus.Topology) error {
			waits, err := b.Verify(ctx, t)
			if err == nil && len(waits) > 0 {
				log.WarnContext(ctx, "streams are not as this version makes them, which no promise rests on: run `rollcall provision`",
					"changes", fmt.Sprint(waits))
			}
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	tick := time.NewTicker(ensureEvery)
	defer tick.Stop()
	for {
		err := ensure(ctx, Topology(file))
		if err == nil {
			return nil
		}
		if bus.Passing(err) || b.Ready() != nil {
			select {
			case <-tick.C:
				continue
			case <-ctx.Done():
			}
		}
		return fmt.Errorf("streams are not as Rollcall needs them%s:\n%w", hint, err)
	}
}

// Shutdown sends the last spans. What is lost then is told to nobody who could
// act on it, so the error ends here.
func Shutdown(tel *telemetry.Telemetry) {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	if err := tel.Shutdown(ctx); err != nil {
		tel.Log.Warn("last spans not sent", "error", err)
	}
}
