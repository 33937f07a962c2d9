package app

import (
	"context"
	"fmt"
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

// Connect connects to NATS as the configuration says.
func Connect(ctx context.Context, name string, file config.File, tel *telemetry.Telemetry) (*bus.Bus, error) {
	b, err := bus.Connect(ctx, bus.Options{
		URL: file.NATS.URL, Name: name, NkeySeedFile: file.NATS.NkeySeedFile,
		CAFile: file.NATS.CAFile, CertFile: file.NATS.CertFile, KeyFile: file.NATS.KeyFile,
		InboxPrefix: file.NATS.InboxPrefix, ConnectTimeout: file.NATS.ConnectTimeout, Log: tel.Log,
	})
	if err != nil {
		return nil, err //nolint:wrapcheck // says what to check
	}
	return b, nil
}

// Topology is what the configuration needs of NATS.
func Topology(file config.File) bus.Topology {
	return bus.Topology{Orgs: slices.Sorted(maps.Keys(file.Orgs)), Replicas: file.NATS.Replicas}
}

// Settle makes sure that streams and consumers are there with the settings on
// which Rollcall's promises rest: it creates what is missing, or only looks
// where the configuration says that somebody else provisions.
func Settle(ctx context.Context, b *bus.Bus, file config.File) error {
	if file.NATS.Provision {
		if err := b.Provision(ctx, Topology(file)); err != nil {
			return fmt.Errorf("streams are not as Rollcall needs them:\n%w", err)
		}
		return nil
	}
	if err := b.Verify(ctx, Topology(file)); err != nil {
		return fmt.Errorf("streams are not as Rollcall needs them, and nats.provision is false:\n%w", err)
	}
	return nil
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
