// Command retry-scheduler decides what becomes of failures, and does what
// admins ask for.
package main

import (
	"context"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"
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
