// Command salesforce-pusher makes people in Salesforce as they are desired.
package main

import (
	"context"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/push"

	// Where the system brings none (an image FROM scratch), certificate roots and
	// time zones are the binary's own.
	_ "time/tzdata"

	_ "golang.org/x/crypto/x509roots/fallback"
)

func main() {
	app.Main("salesforce-pusher", func(_ context.Context, env app.Env) (app.Service, error) {
		cfg, err := push.ConfigFrom(env.File)
		if err != nil {
			return nil, err
		}
		return push.New(cfg, env.Bus, env.Telemetry)
	})
}
