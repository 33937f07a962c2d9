package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func newPermissions(s Streams) *cobra.Command {
	var configFile, nkeys string
	c := &cobra.Command{
		Use:   "permissions",
		Short: "Print NATS's accounts file: one user per service, and what each may do",
		Long: `Print the accounts part of NATS's configuration for the orgs and sources of a
configuration file: one user per service, with the subjects it may publish and
subscribe, and nothing else. docs/permissions.md explains it.`,
		Example: `  rollcall permissions --config rollcall.yaml > accounts.conf`,
		Args:    exactly(0, "no argument"),
		RunE: func(*cobra.Command, []string) error {
			if configFile == "" {
				return wrongUse("--config is required: it names the orgs and the sources")
			}
			f, err := config.Load(configFile)
			if err != nil {
				return app.Usage(err)
			}
			roles := bus.Roles(slices.Sorted(maps.Keys(f.Orgs)), slices.Sorted(maps.Keys(f.Sources)))
			_, err = fmt.Fprint(s.Out, bus.AccountsConf(roles, nkeys))
			return err
		},
	}
	c.Flags().StringVar(&configFile, "config", "", "configuration `file`")
	c.Flags().StringVar(&nkeys, "nkeys", bus.DefaultNkeysFile, "`file` with the public keys (nkeys.conf of rollcall keys compose), relative to the accounts file")
	return c
}
