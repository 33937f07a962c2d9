package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

func newProvision(s Streams) *cobra.Command {
	n := &connection{streams: s, role: bus.RoleProvisioner}
	var dry bool
	c := &cobra.Command{
		Use:   "provision",
		Short: "Make the streams and consumers that a configuration needs",
		Long: `Make the streams and consumers that a configuration needs, where services may not
(nats.provision: false). It uses the provisioner's nkey. Run it once before the
services start, after an upgrade, and after adding an org; again it changes
nothing. Settings of streams that are there are changed where nothing is lost by
it, as the duplicate window, and the others are named.`,
		Example: `  rollcall provision --config rollcall.yaml --nkey secrets/provisioner.nkey
  rollcall provision --config rollcall.yaml --nkey secrets/provisioner.nkey --dry-run`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if n.config == "" {
				return wrongUse("--config is required: it names the orgs")
			}
			return provision(c.Context(), n, dry)
		},
	}
	n.flags(c)
	c.Flags().BoolVar(&dry, "dry-run", false, "make and change nothing, print what would be")
	return c
}

func provision(ctx context.Context, n *connection, dry bool) error {
	file, err := config.Load(n.config)
	if err != nil {
		return app.Usage(err)
	}
	n.patience = file.NATS.ConnectTimeout // a server that is just starting is waited for
	session, err := n.open(ctx)
	if err != nil {
		return err
	}
	defer session.close()
	plan, err := lookUntilThere(ctx, session.bus, app.Topology(file))
	would := map[bool]string{true: "would "}[dry]
	for _, m := range plan.Make {
		_, _ = fmt.Fprintf(n.streams.Out, "%-9s %s\n", would+"make", m)
	}
	for _, c := range plan.Change {
		_, _ = fmt.Fprintf(n.streams.Out, "%-9s %s\n", would+"change", c)
	}
	switch {
	case err != nil && !errors.Is(err, bus.ErrSettings):
		return fmt.Errorf("look at what is there: %w", err)
	case err != nil:
		return fmt.Errorf("not as Rollcall needs it, and nothing was changed:\n%w", err)
	case len(plan.Make)+len(plan.Change) == 0:
		_, _ = fmt.Fprintln(n.streams.Out, "Everything is there.")
	}
	if dry {
		return nil
	}
	// Even so: a consumer's settings may be those of an earlier version.
	file.NATS.Provision = true
	return app.EnsureTopology(ctx, session.bus, file, session.tel.Log)
}

const (
	// clusterPatience is how long a cluster may take to find its leader.
	clusterPatience = time.Minute
	lookAgain       = 250 * time.Millisecond
)

// lookUntilThere looks at what is there, once the server can say.
func lookUntilThere(ctx context.Context, b *bus.Bus, t bus.Topology) (bus.Plan, error) {
	bounded, cancel := context.WithTimeout(ctx, clusterPatience)
	defer cancel()
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		plan, err := b.Plan(ctx, t)
		if err == nil || !bus.Passing(err) {
			return plan, err
		}
		select {
		case <-tick.C:
		case <-bounded.Done():
			return bus.Plan{}, err
		}
	}
}
