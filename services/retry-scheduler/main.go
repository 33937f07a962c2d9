// Command retry-scheduler decides what becomes of failures, and does what
// admins ask for.
package main

import (
	"context"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"

	// Where the system brings none (an image FROM scratch), certificate roots and
	// time zones are the binary's own.
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"
)

func main() {
	app.Main("retry-scheduler", func(_ context.Context, env app.Env) (app.Service, error) {
		cfg, err := retry.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return retry.New(cfg, env.Bus, env.Telemetry)
	})
}
