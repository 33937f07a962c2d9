package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// holdDecision is the flags of release and reject.
type holdDecision struct {
	holds       *holds
	verb        events.Verb
	filter      heldFilter
	format      output
	dryRun, yes bool
	by, reason  string
}

func (h *holds) newDecision(verb events.Verb) *cobra.Command {
	d := &holdDecision{holds: h, verb: verb}
	c := &cobra.Command{ValidArgsFunction: h.complete, RunE: func(c *cobra.Command, args []string) error { return d.run(c.Context(), args) }}
	switch verb {
	case events.VerbRelease:
		c.Use, c.Short = "release [HOLD]", "Let what is held through: a hold, a part of one, or one person who cannot wait"
		c.Long = `Let what is held happen, as it is held now. What comes to be wished for afterwards,
and takes more, is held again.

With --person and no HOLD, one person is let through before the hold is judged: a
leaver who has to be out now. Only a few may go that way within the hour (gate.urgent).`
		c.Example = `  rollcall hold release production/source:hr --reason "the plant is sold" --dry-run
  rollcall hold release production/source:hr --reason "the plant is sold" --yes
  rollcall hold release --person ann@example.com --reason "dismissed today" --yes`
	default:
		c.Use, c.Short = "reject [HOLD]", "Do not do what is held: they keep what they have until there is another wish"
		c.Long = `Do not do what is held. They keep what they have until the source or the
configuration wishes for something else. The hold is over, and what comes later is
judged anew. Mend the cause all the same: until then it goes on wishing for it.`
		c.Example = `  rollcall hold reject production/config --reason "a typo, mended in the next version" --yes`
	}
	f := c.Flags()
	d.filter.flags(c)
	d.format.flag(c)
	f.BoolVar(&d.dryRun, "dry-run", false, "say whom it concerns, and do nothing")
	f.BoolVar(&d.yes, "yes", false, "do it")
	f.StringVar(&d.by, "as", defaultName(), "who asks, for the audit log")
	f.StringVar(&d.reason, "reason", "", "why, for the audit log; required")
	return c
}

// urgent says that single people are let through before their hold is judged.
func (d *holdDecision) urgent(args []string) bool {
	return d.verb == events.VerbRelease && len(args) == 0 && d.filter.person != ""
}

// stillAsked leaves those out of whom somebody has said no already, unless they are
// all there are or are named: whoever releases the rest does not mean them.
func (d *holdDecision) stillAsked(list []operator.HeldPerson) []operator.HeldPerson {
	open := slices.DeleteFunc(slices.Clone(list), func(h operator.HeldPerson) bool { return h.Rejected })
	if d.verb != events.VerbRelease || d.filter.person != "" || len(open) == 0 {
		return list
	}
	return open
}

func (d *holdDecision) run(ctx context.Context, args []string) error {
	picked, err := d.filter.parse(args)
	if err != nil {
		return err
	}
	picked.Waiting = d.verb == events.VerbReject
	switch {
	case len(args) == 0 && d.filter.person == "":
		return wrongUse("say which: a hold, or --person")
	case strings.TrimSpace(d.reason) == "" && !d.dryRun:
		return wrongUse("--reason is required: the audit log says why")
	case d.by == "":
		return wrongUse("--as is required: the audit log says who asked")
	case !d.yes && !d.dryRun:
		return wrongUse("%s is for good: say --yes, or --dry-run to see whom it concerns", d.verb)
	}
	return d.holds.with(ctx, func(ctx context.Context, o *operator.Operator) error {
		list, err := o.Held(ctx, picked)
		if err != nil {
			return err
		}
		list = d.stillAsked(list)
		return d.ask(ctx, o, list, d.urgent(args))
	})
}

// decidedJSON is what -o json prints.
type decidedJSON struct {
	Verb     events.Verb           `json:"verb"`
	DryRun   bool                  `json:"dryRun"`
	Urgent   bool                  `json:"urgent"`
	Held     []operator.HeldPerson `json:"held"`
	Requests []operator.Asked      `json:"requests"`
}

func (d *holdDecision) ask(ctx context.Context, o *operator.Operator, list []operator.HeldPerson, urgent bool) error {
	out := decidedJSON{Verb: d.verb, DryRun: d.dryRun, Urgent: urgent, Held: append([]operator.HeldPerson{}, list...), Requests: []operator.Asked{}}
	if !d.dryRun && len(list) > 0 {
		var err error
		if out.Requests, err = o.Decide(ctx, d.verb, d.by, d.reason, urgent, list); err != nil {
			return fmt.Errorf("%d requests were stored: %w", len(out.Requests), err)
		}
	}
	w := d.holds.streams.Out
	switch {
	case d.format == outputJSON:
		return printJSON(w, out)
	case len(list) == 0:
		_, _ = fmt.Fprintln(w, "Nothing is held that fits.")
	case d.dryRun:
		_, _ = fmt.Fprintf(w, "%s would be asked for, for %d:\n", d.verb, len(list))
		d.holds.printPeople(list)
	default:
		_, _ = fmt.Fprintf(w, "%s of %d asked for. rollcall hold list shows what is still held, rollcall audit what came of it.\n", d.verb, len(list))
		if urgent {
			_, _ = fmt.Fprintln(w, "Only few go through by themselves in an hour: whoever is beyond that stays held, though the audit log says released.")
		}
	}
	return nil
}
