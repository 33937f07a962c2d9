package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

func newUp(s Streams) *cobra.Command {
	o := up.Options{Stdout: s.Out, Stderr: s.Err, Terminal: isTerminal(s.Err)}
	var format output
	c := &cobra.Command{
		Use:   "up",
		Short: "Run everything in one process, with an embedded NATS server",
		Long: `Run all four services and an embedded NATS server in one process.

The data folder holds the streams, the deployment key and the keyset under which
tokens are sealed; keys that are missing are made. With --demo, an emulated
Salesforce org is added, the sample HR export is published, and what to try next
is printed. With --once it stops when all is quiet and prints a summary.`,
		Example: `  rollcall up --demo
  rollcall up --demo --once -o json
  rollcall up --config rollcall.yaml --data /var/lib/rollcall`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if o.Config == "" && !o.Demo {
				return wrongUse("--config is required (or --demo, to see it work)")
			}
			o.JSON = format == outputJSON
			o.ServeGiven = c.Flags().Changed("serve-listen")
			return up.Run(c.Context(), o)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Config, "config", "", "configuration `file`; in a demo, one is made in the data folder")
	f.StringVar(&o.Dir, "data", up.DefaultDir, "data `folder`: streams, keys, the demo's org")
	f.BoolVar(&o.Demo, "demo", false, "add an emulated Salesforce org and publish the sample export")
	f.BoolVar(&o.Once, "once", false, "stop when all is quiet, and print a summary")
	f.DurationVar(&o.OnceTimeout, "once-timeout", 10*time.Minute, "give up with --once after this long; 0 for never")
	f.StringVar(&o.Listen, "listen", up.DefaultListen, "where the embedded NATS server listens; empty for nowhere")
	f.StringVar(&o.EmulatorListen, "emulator-listen", up.DefaultEmulatorListen, "where the demo's org listens")
	f.StringVar(&o.ServeListen, "serve-listen", "", "where /metrics, /healthz and /readyz are, instead of serve.listen; empty for nowhere")
	format.flag(c)
	return c
}
