package app

import (
	"context"
	"errors"

	"github.com/rollcall-sync/rollcall/services/internal/health"
)

// askHealth asks the running service of this configuration. What keeps us from
// asking is no wrong use: to Docker, exit codes beyond 0 and 1 mean nothing.
func (f flags) askHealth(ctx context.Context) error {
	file, err := f.load()
	if err != nil {
		return err
	}
	if file.Serve.Listen == "" {
		return errors.New("serve.listen is empty: nothing answers for the service's health")
	}
	url, err := health.ReadyURL(file.Serve.Listen)
	if err != nil {
		return err
	}
	return health.Ask(ctx, url)
}
