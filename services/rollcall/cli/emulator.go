package cli

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

// emulated is the flags of `rollcall emulator`.
type emulated struct {
	listen, state, cert, key, id, secret, secretFile string
	demo                                             bool
}

func newEmulator(s Streams) *cobra.Command {
	var e emulated
	c := &cobra.Command{
		Use:   "emulator",
		Short: "Run an emulated Salesforce org alone",
		Long: `Run an emulated Salesforce org: its REST API, and under /_emulator/ what a test
needs: planned faults, seats, a journal of every request. Its users are kept in
memory, and with --state in a file. It is for tests: do not let a network reach it
that others use.`,
		Example: `  rollcall emulator --listen 127.0.0.1:8025 --client-id demo --client-secret demo-secret
  rollcall emulator --demo --client-secret-file emulator-client-secret`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error { return e.run(c.Context(), s) },
	}
	f := c.Flags()
	f.StringVar(&e.listen, "listen", up.DefaultEmulatorListen, "`address` to listen at")
	f.StringVar(&e.state, "state", "", "`file` in which the org outlives the process")
	f.StringVar(&e.cert, "tls-cert", "", "`file` with the certificate, for TLS")
	f.StringVar(&e.key, "tls-key", "", "`file` with the certificate's key")
	f.BoolVar(&e.demo, "demo", false, "the org of the demo, with its roles, permission sets and too few seats")
	f.StringVar(&e.id, "client-id", "", "consumer key of the org's connected app (with --demo: "+demo.ClientID+")")
	f.StringVar(&e.secret, "client-secret", "", "consumer secret of the org's connected app; others on this machine may see it")
	f.StringVar(&e.secretFile, "client-secret-file", "", "`file` with the consumer secret")
	c.MarkFlagsMutuallyExclusive("client-secret", "client-secret-file")
	c.MarkFlagsRequiredTogether("tls-cert", "tls-key")
	return c
}

func (e *emulated) run(ctx context.Context, s Streams) error {
	org, err := e.org()
	if err != nil {
		return err
	}
	running, err := up.StartEmulator(ctx, up.EmulatorOptions{
		Listen: e.listen, Flag: "--listen", Org: org, State: e.state, CertFile: e.cert, KeyFile: e.key,
		Log: slog.New(slog.NewTextHandler(s.Err, nil)),
	})
	if err != nil {
		return err
	}
	defer running.Close()
	_, _ = fmt.Fprintf(s.Err, "An emulated org is at %s (login URL and API); its journal and faults are at %s/_emulator/\n", running.URL, running.URL)
	<-ctx.Done()
	return nil
}

// org is what the flags ask for.
func (e *emulated) org() (emulator.OrgConfig, error) {
	secret := e.secret
	if e.secretFile != "" {
		text, err := os.ReadFile(e.secretFile)
		if err != nil {
			return emulator.OrgConfig{}, wrongUse("--client-secret-file: %v", err)
		}
		secret = strings.TrimSpace(string(text))
	}
	switch {
	case e.id == "" && !e.demo && secret == "":
		return emulator.OrgConfig{}, wrongUse("--client-id, and --client-secret-file or --client-secret, are required; or --demo")
	case secret == "":
		return emulator.OrgConfig{}, wrongUse("--client-secret-file or --client-secret is required, and must not be empty")
	case e.id == "" && !e.demo:
		return emulator.OrgConfig{}, wrongUse("--client-id is required; or --demo")
	}
	if e.demo {
		org := demo.SalesforceOrg(secret)
		org.Clients[0].ClientID = cmp.Or(e.id, demo.ClientID)
		return org, nil
	}
	return emulator.DefaultOrg(e.id, secret), nil
}
