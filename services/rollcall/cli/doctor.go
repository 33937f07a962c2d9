package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/assignment/assign"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/doctor"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

// exitWarn is the exit code of a doctor who found nothing worse than a warning;
// a failed check is exit code 1, as everything that failed.
const exitWarn = 3

func newDoctor(s Streams) *cobra.Command {
	n := &connection{streams: s}
	var format output
	var timeout time.Duration
	c := &cobra.Command{
		Use:   "doctor [ORG]...",
		Short: "Look at NATS, the configuration and the orgs, and say what to do",
		Long: `Look at NATS, the configuration and every org (or those named), and say of each
thing whether it is well, what that means, and what to do.

It only looks: nothing is written, no token is asked for (the one that
token-refresher keeps is used), and no secret is shown. Where NATS is away, what
can be looked at without it is.

Without --config, that of a ` + "`rollcall up`" + ` on this machine is taken. The exit code
says the worst: 0 all is well, 3 there are warnings, 1 something failed, 2 wrong use.`,
		Example: `  rollcall doctor
  rollcall doctor production --config rollcall.yaml
  rollcall doctor -o json --config rollcall.yaml`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			return n.completeOrgs(args), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(c *cobra.Command, args []string) error {
			return examine(c.Context(), n, args, timeout, format)
		},
	}
	format.flag(c)
	n.flags(c)
	c.Flags().DurationVar(&timeout, "timeout", 15*time.Second, "give up on one check after this long")
	return c
}

// completeOrgs are the orgs that are not on the command line yet.
func (n *connection) completeOrgs(args []string) []string {
	file, _, err := n.read()
	if err != nil {
		return nil
	}
	return slices.DeleteFunc(slices.Sorted(maps.Keys(file.Orgs)), func(org string) bool { return slices.Contains(args, org) })
}

// read reads the configuration as far as it can be read; faults is what is
// wrong with it. The error is that there is none.
func (n *connection) read() (file config.File, faults, err error) {
	path := cmp.Or(n.config, filepath.Join(up.DefaultDir, up.ConfigName))
	data, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && n.config == "":
		return file, nil, errors.New("--config is required: there is no `rollcall up` here whose configuration could be looked at")
	case err != nil:
		return file, nil, fmt.Errorf("configuration file: %w", err)
	}
	file, faults = config.Parse(data, filepath.Dir(path))
	n.override(&file)
	for key, name := range map[*string]string{&file.Deployment.KeyFile: up.DeploymentKey, &file.Tokens.KeyFile: up.TokensKey} {
		if at := filepath.Join(up.DefaultDir, name); *key == "" && fileExists(at) {
			*key = at // where rollcall up made it
		}
	}
	return file, faults, nil
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func examine(ctx context.Context, n *connection, orgs []string, timeout time.Duration, format output) error {
	file, faults, err := n.read()
	if err != nil {
		return app.Usage(err)
	}
	for _, org := range orgs {
		if _, there := file.Orgs[org]; !there {
			return wrongUse("the configuration has no org %q", org)
		}
	}
	waiting := &waiting{w: n.streams.Err}
	report := doctor.Doctor{
		File: file, FileErr: faults, Expressions: assign.CheckMappings, Timeout: timeout, Slow: waiting.say,
		Connect: func(ctx context.Context) (*bus.Bus, error) {
			// What the connection logs is said by the finding.
			return app.Connect(ctx, cmp.Or(n.role, bus.RoleOperator), file, telemetry.Discard())
		},
	}.Examine(ctx, orgs...)
	if format == outputJSON {
		err = printJSON(n.streams.Out, report)
	} else {
		printReport(n.streams.Out, report)
	}
	return errors.Join(err, exitOf(report.Worst))
}

func exitOf(worst doctor.Level) error {
	switch worst {
	case doctor.Warn:
		return exitStatus(exitWarn)
	case doctor.Fail:
		return exitStatus(app.ExitFailed)
	case doctor.OK, doctor.Skipped:
	}
	return nil
}

// waiting says what is being waited for.
type waiting struct {
	mu sync.Mutex
	w  io.Writer
}

func (w *waiting) say(check, org string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if org != "" {
		check += " of " + org
	}
	_, _ = fmt.Fprintf(w.w, "still looking at %s ...\n", check)
}
