package cli

import (
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

func newEmulator(s Streams) *cobra.Command {
	var listen, id, secret, state string
	c := &cobra.Command{
		Use:   "emulator",
		Short: "Run an emulated Salesforce org alone",
		Long: `Run an emulated Salesforce org: its REST API, and under /_emulator/ what a test
needs: planned faults, seats, a journal of every request. Its users are kept in
memory, and with --state in a file. It is for tests: do not let a network reach it.`,
		Example: `  rollcall emulator --listen 127.0.0.1:8025 --client-id demo --client-secret demo-secret`,
		Args:    exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			if id == "" || secret == "" {
				return wrongUse("--client-id and --client-secret are required")
			}
			e, err := up.StartEmulator(c.Context(), up.EmulatorOptions{
				Listen: listen, Flag: "--listen", Org: emulator.DefaultOrg(id, secret), State: state,
				Log: slog.New(slog.NewTextHandler(s.Err, nil)),
			})
			if err != nil {
				return err //nolint:wrapcheck // says what to do
			}
			defer e.Close()
			_, _ = fmt.Fprintf(s.Err, "An emulated org is at %s (login URL and API); its journal and faults are at %s/_emulator/\n", e.URL, e.URL)
			<-c.Context().Done()
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&listen, "listen", up.DefaultEmulatorListen, "`address` to listen at")
	f.StringVar(&id, "client-id", "", "consumer key of the org's connected app")
	f.StringVar(&state, "state", "", "`file` in which the org outlives the process")
	f.StringVar(&secret, "client-secret", "", "consumer secret of the org's connected app")
	return c
}
