package cli

import (
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/rollcall/keyring"
)

// demoSource is the source of the demo's configuration, for which the compose
// stack is made as it comes.
const demoSource = "hr"

func newKeysCompose(s Streams) *cobra.Command {
	var o keyring.Options
	var configFile string
	c := &cobra.Command{
		Use:   "compose DIR",
		Short: "Make every secret that the compose stack needs and that is not there yet",
		Long: `Make every secret that the compose stack needs in a folder: the deployment key,
the keyset for tokens, the key of NATS's disk, an nkey per service, a private
certificate authority and certificates of NATS and the emulator.

Nothing is ever replaced: run it again after adding a source, or after removing
a file that is to be made anew. Only nkeys.conf, the public keys, follows the
seeds. The folder is for its owner alone; the files in it may be read by all, so
that a container's own user can read the one that is mounted into it.`,
		Example: `  rollcall keys compose deploy/compose/secrets
  rollcall keys compose secrets --config rollcall.yaml --host nats.example.com
  rollcall keys compose secrets --check`,
		Args: exactly(1, "a folder"),
		RunE: func(_ *cobra.Command, args []string) error {
			o.Dir, o.Sources = args[0], []string{demoSource}
			if configFile != "" {
				f, err := config.Load(configFile)
				if err != nil {
					return app.Usage(err)
				}
				o.Sources = slices.Sorted(maps.Keys(f.Sources))
			}
			return composeKeys(s, o)
		},
	}
	c.Flags().StringVar(&configFile, "config", "", "configuration `file` whose sources get a user of NATS each; without it, \"hr\" gets one")
	c.Flags().StringArrayVar(&o.Hosts, "host", nil, "further `name` or address of NATS for its certificate; may be given several times")
	c.Flags().BoolVar(&o.Check, "check", false, "make nothing; say what is missing, exit code 1 if anything is")
	return c
}

func composeKeys(s Streams, o keyring.Options) error {
	r, err := keyring.Compose(o)
	verb := "made"
	if o.Check {
		verb = "missing"
	}
	for _, m := range r.Made {
		if _, err := fmt.Fprintf(s.Out, "%-8s %-26s %s\n", verb, m.Name, m.What); err != nil {
			return err
		}
	}
	for _, w := range r.Warnings {
		_, _ = fmt.Fprintln(s.Err, "Warning:", w)
	}
	switch {
	case err != nil:
		return err
	case o.Check && len(r.Made) > 0:
		return errReported
	case len(r.Made) == 0:
		_, _ = fmt.Fprintf(s.Err, "%s has everything.\n", o.Dir)
	case !o.Check:
		_, _ = fmt.Fprintf(s.Err, "Keep %s safe, and a copy of deployment.key, tokens.json and jetstream.conf elsewhere: nothing can replace them.\n", o.Dir)
	}
	return nil
}
