package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

// newKeys makes the key files that services of one installation share, where
// `rollcall up` does not make them by itself.
func newKeys(s Streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make the key files that the services of one installation share",
	}
	add := func(use, short string, create func(string) error) {
		c.AddCommand(&cobra.Command{
			Use: use + " FILE", Short: short, Args: exactly(1, "the file to make"),
			RunE: func(_ *cobra.Command, args []string) error {
				if err := create(args[0]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.Err, "Made %s. Keep it safe: nothing can replace it.\n", args[0])
				return err
			},
		})
	}
	add("deployment", "The deployment key (deployment.keyFile): people are named in subjects by an HMAC under it", up.CreateDeploymentKey)
	add("tokens", "The keyset that seals tokens (tokens.keyFile)", up.CreateTokensKey)
	c.AddCommand(&cobra.Command{
		Use: "rotate FILE", Short: "Add a new key to the keyset that seals tokens; old keys still open", Args: exactly(1, "the keyset"),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := seal.Rotate(args[0]); err != nil {
				return err
			}
			_, err := fmt.Fprintf(s.Err, "%s has a new key. token-refresher seals what is kept under it within seconds.\n", args[0])
			return err
		},
	})
	c.AddCommand(newKeysCompose(s))
	return c
}
