package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// handover is the flags of the commands that say whose a Salesforce user is.
type handover struct {
	streams         Streams
	connection      *connection
	format          output
	verb            events.Verb
	org, by, reason string
	yes, dryRun     bool
	waitFor         time.Duration
}

func newMerge(s Streams, n *connection) *cobra.Command {
	h := &handover{streams: s, connection: n, verb: events.VerbMerge}
	return h.command(&cobra.Command{
		Use:   "merge OLD NEW",
		Short: "Give the Salesforce user of one person to another, who is the same human",
		Long: `Give the Salesforce user of OLD to NEW: one human under two numbers, who was hired
again, say, or whose number was wrong. NEW is then made as they should be on that
user, and OLD never touches it again. Where OLD is active as well, OLD is parked.

OLD and NEW are found as by person show; OLD may be a key of which only a user's
owner record is left. Without --yes nothing is done, and what would be is shown.`,
		Example: `  rollcall person merge C-77 E-501 --org emea --reason "contractor became employee"
  rollcall person merge C-77 E-501 --org emea --reason "contractor became employee" --yes`,
		Args: exactly(2, "two people: who has the user, and who is to have it"),
	})
}

func newRelease(s Streams, n *connection) *cobra.Command {
	h := &handover{streams: s, connection: n, verb: events.VerbUnlink}
	return h.command(&cobra.Command{
		Use:   "release PERSON",
		Short: "Take a person's Salesforce user away from them, for nobody",
		Long: `Take a person's Salesforce user away from them: Rollcall forgets that it is theirs,
and changes nothing in Salesforce. Somebody active is then looked for anew by the
matching rules: correct in Salesforce or HR first what led to the wrong user. For
somebody who has left nobody is looked for any more.

Of somebody whose user went to another number, it forgets that: they get a user of
their own. Without --yes nothing is done, and what would be is shown.`,
		Example: `  rollcall person release E-77 --org emea --reason "number given to somebody new" --yes`,
		Args:    exactly(1, "one person"),
	})
}

func (h *handover) command(c *cobra.Command) *cobra.Command {
	c.RunE = func(c *cobra.Command, args []string) error { return h.run(c.Context(), args) }
	f := c.Flags()
	h.format.flag(c)
	f.StringVar(&h.org, "org", "", "in this `org` (required)")
	f.StringVar(&h.reason, "reason", "", "why, for the audit log (required)")
	f.StringVar(&h.by, "as", defaultName(), "who asks, for the audit log")
	f.BoolVar(&h.yes, "yes", false, "do it")
	f.BoolVar(&h.dryRun, "dry-run", false, "show what would be done, and do nothing: as without --yes")
	f.DurationVar(&h.waitFor, "wait-timeout", time.Minute, "wait no longer than this for what came of it")
	return c
}

func (h *handover) run(ctx context.Context, args []string) error {
	switch {
	case events.CheckName(h.org) != nil:
		return wrongUse("--org is required: the name of an org")
	case h.reason == "":
		return wrongUse("--reason is required: the audit log says why")
	case h.by == "":
		return wrongUse("--as is required: the audit log says who asked")
	case h.yes && h.dryRun:
		return wrongUse("--yes and --dry-run say the opposite of each other")
	}
	return withOperator(ctx, h.connection, func(ctx context.Context, o *operator.Operator, _ *bus.Bus) error {
		plan, err := h.plan(ctx, o, args)
		if err != nil {
			return explainHandover(err, h.org)
		}
		out := handedOver{Verb: h.verb, DryRun: !h.yes, Handover: plan}
		if h.yes {
			return h.ask(ctx, o, out)
		}
		return h.print(out)
	})
}

func (h *handover) plan(ctx context.Context, o *operator.Operator, args []string) (operator.Handover, error) {
	if h.verb == events.VerbMerge {
		return o.Merge(ctx, h.org, args[0], args[1])
	}
	return o.Release(ctx, h.org, args[0])
}

func explainHandover(err error, org string) error {
	switch {
	case errors.Is(err, operator.ErrNobody):
		return fmt.Errorf("%w: give a key, a Salesforce username, or (with --config) a correlation id", err)
	case errors.Is(err, operator.ErrSeveral):
		return fmt.Errorf("%w: give one of these keys", err)
	case errors.Is(err, operator.ErrNoUser):
		return fmt.Errorf("in org %s, %w: there is nothing to move or let go", org, err)
	}
	return err
}

// handedOver is what -o json prints.
type handedOver struct {
	Verb     events.Verb          `json:"verb"`
	DryRun   bool                 `json:"dryRun"`
	Handover operator.Handover    `json:"handover"`
	Request  *operator.Asked      `json:"request,omitempty"`
	Result   *operator.AuditEntry `json:"result,omitempty"`
}

func (h *handover) ask(ctx context.Context, o *operator.Operator, out handedOver) error {
	asked, err := o.HandOver(ctx, h.by, h.reason, out.Handover)
	if err != nil {
		return err
	}
	out.Request = &asked
	if out.Result, err = awaited(ctx, o, asked, h.waitFor); err != nil {
		return err
	}
	if err := h.print(out); err != nil {
		return err
	}
	return done(out.Result)
}

// awaited waits for what comes of a request; nil where nothing did within the time.
func awaited(ctx context.Context, o *operator.Operator, asked operator.Asked, within time.Duration) (*operator.AuditEntry, error) {
	limited, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	got, err := o.Came(limited, asked)
	switch {
	case err == nil:
		return &got, nil
	case limited.Err() == nil || ctx.Err() != nil:
		return nil, err
	}
	return nil, nil //nolint:nilnil // nobody has answered yet
}

// done is the exit of what was asked for: nothing came of it, or no.
func done(got *operator.AuditEntry) error {
	if got == nil || got.Verb == events.VerbRefused {
		return errReported
	}
	return nil
}

func (h *handover) print(out handedOver) error {
	w := h.streams.Out
	if h.format == outputJSON {
		return printJSON(w, out)
	}
	rows := []table.Row{{"org", out.Handover.Org}, {"user", out.Handover.UserID}, {"of", party(out.Handover.From)}}
	if out.Verb == events.VerbMerge {
		rows = append(rows, table.Row{"for", party(out.Handover.To)})
	}
	if id := out.Handover.Drops; id != "" {
		rows = append(rows, table.Row{"let go", id + ", which stays in Salesforce as it is: deactivate it there, and give it another username and federation id"})
	}
	grid(w, nil, filled(rows), 2)
	switch {
	case out.DryRun:
		_, _ = fmt.Fprintf(w, "Nothing is done yet: say --yes to %s.\n", out.Verb)
	case out.Result == nil:
		_, _ = fmt.Fprintf(w, "Asked for; nothing came of it within %s. It waits while somebody works on them, or while a call without an answer may still be applied (ten minutes): rollcall audit --request %s\n", h.waitFor, out.Request.ID)
	case out.Result.Verb == events.VerbRefused:
		_, _ = fmt.Fprintf(w, "Refused. %s\n", out.Result.Note)
	case out.Verb == events.VerbMerge:
		_, _ = fmt.Fprintf(w, "Done: the user is that of %s, who is looked at now (rollcall person show %s).\n", out.Handover.To.Key, out.Handover.To.Key)
	default:
		_, _ = fmt.Fprintf(w, "Done: the user is nobody's. %s is looked at now (rollcall person show %s).\n", out.Handover.From.Key, out.Handover.From.Key)
	}
	return nil
}

func party(p operator.Party) string {
	text := string(p.Key)
	if p.Username != "" {
		text += ", " + p.Username
	}
	switch {
	case !p.Known:
		text += ", nothing is desired of them here"
	case p.Active:
		text += ", active as desired"
	default:
		text += ", inactive as desired"
	}
	if p.UserID == "" && p.Moved != nil && p.Moved.To != "" {
		text += ", user " + p.Moved.UserID + " went to " + string(p.Moved.To)
	}
	return text
}
