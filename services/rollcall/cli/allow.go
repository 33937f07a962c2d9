package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// allowing is the flags of the command that says yes.
type allowing struct {
	streams         Streams
	connection      *connection
	format          output
	org, by, reason string
	yes, dryRun     bool
	waitFor         time.Duration
}

func newAllow(s Streams, n *connection) *cobra.Command {
	a := &allowing{streams: s, connection: n}
	c := &cobra.Command{
		Use:   "allow PERSON",
		Short: "Say yes to what a person is parked for: administrative rights, or somebody's user",
		Long: `Say yes to what a person is parked for under the cause approval: an administrative
profile or permission set that they would get, or an existing Salesforce user of an
administrator, or with a federation id, that would become theirs.

The yes holds for what is shown, once. Where more is desired by the time they are looked
at, they are parked again. Without --yes nothing is done, and what would be is shown.`,
		Example: `  rollcall person allow E-77 --org emea --reason "on call for the platform, ticket 4711"
  rollcall person allow E-77 --org emea --reason "on call for the platform, ticket 4711" --yes`,
		Args: exactly(1, "one person"),
		RunE: func(c *cobra.Command, args []string) error { return a.run(c.Context(), args[0]) },
	}
	f := c.Flags()
	a.format.flag(c)
	f.StringVar(&a.org, "org", "", "in this `org` (required)")
	f.StringVar(&a.reason, "reason", "", "why, for the audit log (required)")
	f.StringVar(&a.by, "as", defaultName(), "who asks, for the audit log")
	f.BoolVar(&a.yes, "yes", false, "do it")
	f.BoolVar(&a.dryRun, "dry-run", false, "show what would be done, and do nothing: as without --yes")
	f.DurationVar(&a.waitFor, "wait-timeout", time.Minute, "wait no longer than this for what came of it")
	return c
}

func (a *allowing) run(ctx context.Context, who string) error {
	switch {
	case events.CheckName(a.org) != nil:
		return wrongUse("--org is required: the name of an org")
	case a.reason == "":
		return wrongUse("--reason is required: the audit log says why")
	case a.by == "":
		return wrongUse("--as is required: the audit log says who asked")
	case a.yes && a.dryRun:
		return wrongUse("--yes and --dry-run say the opposite of each other")
	}
	return withOperator(ctx, a.connection, func(ctx context.Context, o *operator.Operator, _ *bus.Bus) error {
		asked, err := o.Allowance(ctx, a.org, who)
		if errors.Is(err, operator.ErrNothingAsked) {
			return fmt.Errorf("in org %s, %w: see rollcall person show %s", a.org, err, who)
		}
		if err != nil {
			return explainHandover(err, a.org)
		}
		out := allowedAnswer{DryRun: !a.yes, Allowance: asked}
		if a.yes {
			return a.ask(ctx, o, out)
		}
		return a.print(out)
	})
}

// allowedAnswer is what -o json prints.
type allowedAnswer struct {
	DryRun    bool                 `json:"dryRun"`
	Allowance operator.Allowance   `json:"allowance"`
	Request   *operator.Asked      `json:"request,omitempty"`
	Result    *operator.AuditEntry `json:"result,omitempty"`
}

func (a *allowing) ask(ctx context.Context, o *operator.Operator, out allowedAnswer) error {
	asked, err := o.Allow(ctx, a.by, a.reason, out.Allowance)
	if err != nil {
		return err
	}
	out.Request = &asked
	if out.Result, err = awaited(ctx, o, asked, a.waitFor); err != nil {
		return err
	}
	if err := a.print(out); err != nil {
		return err
	}
	return done(out.Result)
}

func (a *allowing) print(out allowedAnswer) error {
	w := a.streams.Out
	if a.format == outputJSON {
		return printJSON(w, out)
	}
	grid(w, nil, filled([]table.Row{
		{"org", out.Allowance.Org}, {"person", party(out.Allowance.Person)}, {"user", out.Allowance.Asks.UserID},
		{"gets", strings.Join(out.Allowance.Asks.Grants, ", ")}, {"why asked", out.Allowance.Why},
	}), 2)
	switch {
	case out.DryRun:
		_, _ = fmt.Fprintln(w, "Nothing is done yet: say --yes to allow it.")
	case out.Result == nil:
		_, _ = fmt.Fprintf(w, "Asked for; nothing came of it within %s. It waits while somebody works on them: rollcall audit --request %s\n", a.waitFor, out.Request.ID)
	case out.Result.Verb == events.VerbRefused:
		_, _ = fmt.Fprintf(w, "Refused. %s\n", out.Result.Note)
	default:
		_, _ = fmt.Fprintf(w, "Allowed. %s is looked at now (rollcall person show %s).\n", out.Allowance.Person.Key, out.Allowance.Person.Key)
	}
	return nil
}
