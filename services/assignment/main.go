// Command assignment works out what every person should have in every org.
package main

import (
	"context"

	"github.com/rollcall-sync/rollcall/services/assignment/assign"
	"github.com/rollcall-sync/rollcall/services/internal/app"

	// Where the system brings none (an image FROM scratch), certificate roots and
	// time zones are the binary's own.
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"
)

func main() {
	app.Main("assignment", func(_ context.Context, env app.Env) (app.Service, error) {
		cfg, err := assign.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return assign.New(cfg, env.Bus, env.Telemetry)
	})
}
