package cli

import (
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/health"
)

// newHealth is the health check of the images that hold this binary: they have
// no shell and no curl.
func newHealth() *cobra.Command {
	return &cobra.Command{
		Use:   "health [URL]",
		Short: "Ask a running program whether it does its work",
		Long: `Ask a running program whether it does its work. The exit code is 0 when it answers
200, and 1 when it does not; then standard error says why.

Without a URL, ` + "`rollcall up`" + ` or a service on this machine is asked, at the default
of serve.listen.`,
		Example: `  rollcall health
  rollcall health http://127.0.0.1:8025/_emulator/`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return wrongUse("%s takes one URL at most (see %s --help)", c.CommandPath(), c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 1 {
				return health.Ask(c.Context(), args[0])
			}
			url, err := health.ReadyURL(config.Default().Serve.Listen)
			if err != nil {
				return err
			}
			return health.Ask(c.Context(), url)
		},
	}
}
