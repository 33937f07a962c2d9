// Command token-refresher keeps each org signed in. It alone talks to
// Salesforce's token endpoint.
package main

import (
	"context"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/token-refresher/refresh"

	// Where the system brings none (an image FROM scratch), certificate roots and
	// time zones are the binary's own.
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"
)

func main() {
	app.Main("token-refresher", func(_ context.Context, env app.Env) (app.Service, error) {
		cfg, err := refresh.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return refresh.New(cfg, env.Bus, env.Telemetry)
	})
}
