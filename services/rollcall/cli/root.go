package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/internal/app"
)

// Streams are where a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// errReported ends a command whose result says already what went wrong.
var errReported = errors.New("reported")

// exitStatus ends a command with an exit code of its own; its result says why.
type exitStatus int

func (exitStatus) Error() string { return errReported.Error() }

func (exitStatus) Unwrap() error { return errReported }

// Execute runs one command line and returns its exit code.
func Execute(ctx context.Context, args []string, s Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err != nil && strings.HasPrefix(err.Error(), "unknown command") { // cobra has no type for it
		err = app.Usage(err)
	}
	if err != nil && !errors.Is(err, errReported) {
		_, _ = fmt.Fprintf(s.Err, "rollcall: %v\n", err)
	}
	return exitCode(err)
}

// exitCode is the exit code that goes with an error of a command.
func exitCode(err error) int {
	var status exitStatus
	if errors.As(err, &status) {
		return int(status)
	}
	return app.ExitCode(err)
}

func newRoot(s Streams) *cobra.Command {
	root := &cobra.Command{
		Use:   "rollcall",
		Short: "Keep Salesforce's users true to the HR system's",
		Long: `Rollcall keeps Salesforce's users true to the HR system's.

Start with ` + "`rollcall up --demo`" + `: it runs everything on this machine, with an
emulated Salesforce org and a sample HR export, and says what to try next.`,
		Version:       app.Version(),
		SilenceErrors: true, // Execute says it
		SilenceUsage:  true,
	}
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return app.Usage(fmt.Errorf("%w (see %s --help)", err, c.CommandPath()))
	})
	root.AddCommand(
		newUp(s), newEmulator(s), newPublish(s), newPlan(s), newTasks(s), newHold(s), newResync(s), newPerson(s), newEvents(s), newStatus(s), newAudit(s),
		newPause(s), newResume(s), newKeys(s), newConnect(s), newProvision(s), newPermissions(s), newHealth(), newDoctor(s),
	)
	return root
}

// isTerminal says whether something written to w is seen by a person who can
// watch it change.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok || os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" || os.Getenv("CI") != "" {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0 && f.Name() != os.DevNull
}

// exactly refuses a wrong number of arguments as wrong use.
func exactly(n int, what string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if len(args) != n {
			return app.Usage(fmt.Errorf("%s takes %s (see %s --help)", c.CommandPath(), what, c.CommandPath()))
		}
		return nil
	}
}

// group is a command that only holds others: alone it shows its help, and an
// unknown one below it is wrong use.
func group(c *cobra.Command) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) > 0 {
			return wrongUse("unknown command %q for %q (see %s --help)", args[0], c.CommandPath(), c.CommandPath())
		}
		return c.Help()
	}
	return c
}
