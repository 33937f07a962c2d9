package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// resyncShown is how many people a table shows; -o json has all.
const resyncShown = 50

// resync is the flags of the command.
type resync struct {
	streams     Streams
	connection  connection
	format      output
	org, state  string
	all, dryRun bool
	wait        bool
	waitFor     time.Duration
	by, reason  string
}

func newResync(s Streams) *cobra.Command {
	r := &resync{streams: s, connection: connection{streams: s}}
	c := &cobra.Command{
		Use:   "resync [PERSON...]",
		Short: "Read people anew from Salesforce, and put right what is not so",
		Long: `Have people read anew from Salesforce: by key, username or correlation id, by
filters, or --all of an org or of all orgs.

It is an entry of the audit log that retry-scheduler acts on, as one job for each
org: whoever is selected when it is handled goes into the lane check, and whatever
differs from what is desired is sent, under the settings of push.check.`,
		Example: `  rollcall resync person@example.com --wait
  rollcall resync --org emea --state left --dry-run
  rollcall resync --org emea --all --reason "sandbox refreshed"`,
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&r.org, "org", "", "of this `org` only")
	f.StringVar(&r.state, "state", "", "who is in this `state` only: "+strings.Join(events.SelectStates(), ", "))
	f.BoolVar(&r.all, "all", false, "all that the filters pick; without filters, all of all orgs")
	f.BoolVar(&r.dryRun, "dry-run", false, "say whom it concerns, and do nothing")
	f.BoolVar(&r.wait, "wait", false, "wait and show what came of each")
	f.DurationVar(&r.waitFor, "wait-timeout", time.Minute, "wait no longer than this")
	f.StringVar(&r.by, "as", defaultName(), "who asks, for the audit log")
	f.StringVar(&r.reason, "reason", "", "why, for the audit log")
	r.format.flag(c)
	r.connection.flags(c)
	_ = c.RegisterFlagCompletionFunc("state", cobra.FixedCompletions(events.SelectStates(), cobra.ShellCompDirectiveNoFileComp))
	return c
}

func (r *resync) run(ctx context.Context, args []string) error {
	switch {
	case r.state != "" && !slices.Contains(events.SelectStates(), r.state):
		return wrongUse("--state %s is not a state; there are: %v", r.state, events.SelectStates())
	case len(args) == 0 && !r.all && !r.dryRun:
		return wrongUse("say whom: people, or --all (of --org, --state)")
	case len(args) > 0 && r.all:
		return wrongUse("people go without --all")
	case len(args) > events.MaxTargets:
		return wrongUse("%d people are too many for one request, the limit is %d", len(args), events.MaxTargets)
	case r.by == "":
		return wrongUse("--as is required: the audit log says who asked")
	}
	return withOperator(ctx, &r.connection, func(ctx context.Context, o *operator.Operator, b *bus.Bus) error {
		selections, err := r.selections(ctx, o, b, args)
		if err != nil {
			return err
		}
		return r.ask(ctx, o, selections)
	})
}

// selections are whom it is about, one for each org.
func (r *resync) selections(ctx context.Context, o *operator.Operator, b *bus.Bus, names []string) ([]events.Selection, error) {
	orgs, err := orgsOf(ctx, b)
	if err != nil {
		return nil, err
	}
	if r.org != "" {
		if !slices.Contains(orgs, r.org) {
			return nil, wrongUse("--org %s is not an org; there are: %v", r.org, orgs)
		}
		orgs = []string{r.org}
	}
	var keys []events.Key
	for _, name := range names {
		key, err := o.Find(ctx, name)
		if err != nil {
			return nil, explainFind(err, name)
		}
		keys = append(keys, key)
	}
	out := make([]events.Selection, len(orgs))
	for i, org := range orgs {
		out[i] = events.Selection{Org: org, Keys: keys, State: r.state}
	}
	return out, nil
}

// resynced is what -o json prints.
type resynced struct {
	DryRun   bool                `json:"dryRun"`
	People   []operator.Resynced `json:"people"`
	Requests []operator.Asked    `json:"requests"`
}

func (r *resync) ask(ctx context.Context, o *operator.Operator, selections []events.Selection) error {
	out := resynced{DryRun: r.dryRun, People: []operator.Resynced{}, Requests: []operator.Asked{}}
	for _, s := range selections {
		people, err := o.Select(ctx, s)
		if err != nil {
			return err
		}
		out.People = append(out.People, people...)
		if r.dryRun || len(people) == 0 {
			continue
		}
		asked, err := o.Resync(ctx, r.by, r.reason, s)
		if err != nil {
			return err
		}
		out.Requests = append(out.Requests, asked)
	}
	if r.wait && !r.dryRun {
		limited, cancel := context.WithTimeout(ctx, r.waitFor)
		defer cancel()
		if err := o.Await(limited, out.People); err != nil {
			return err
		}
	}
	if err := r.print(out); err != nil {
		return err
	}
	return r.verdict(out)
}

// verdict fails the command where somebody was waited for and is not as desired.
func (r *resync) verdict(out resynced) error {
	if !r.wait || r.dryRun {
		return nil
	}
	for _, p := range out.People {
		if p.Outcome == nil || p.Outcome.Result != events.ResultApplied {
			return errReported
		}
	}
	return nil
}

func (r *resync) print(out resynced) error {
	w := r.streams.Out
	if r.format == outputJSON {
		return printJSON(w, out)
	}
	switch {
	case len(out.People) == 0:
		_, _ = fmt.Fprintln(w, "Nobody fits.")
		return nil
	case out.DryRun:
		_, _ = fmt.Fprintf(w, "%d would be read anew:\n", len(out.People))
	default:
		_, _ = fmt.Fprintf(w, "%d are read anew. rollcall status shows how many wait in the lane check.\n", len(out.People))
	}
	shown := out.People[:min(len(out.People), resyncShown)]
	rows := make([]table.Row, len(shown))
	for i, p := range shown {
		rows[i] = table.Row{p.Username, p.Key, p.Org, differs(p.Drift), seenAt(p.Seen), came(p)}
	}
	grid(w, table.Row{"person", "key", "org", "known to differ", "last seen", "came of it"}, rows, 4, 6)
	if more := len(out.People) - len(shown); more > 0 {
		_, _ = fmt.Fprintf(w, "and %d more; -o json has all.\n", more)
	}
	return nil
}

func came(p operator.Resynced) string {
	switch {
	case p.Outcome == nil:
		return ""
	case p.Outcome.Failure != nil:
		return string(p.Outcome.Result) + ": " + string(p.Outcome.Failure.Cause) + ": " + p.Outcome.Failure.Message
	case len(p.Outcome.Actions) == 0:
		return "nothing differed"
	}
	return strings.Join(p.Outcome.Actions, ", ")
}

// differs says what is known to differ, and what is done about it.
func differs(d *events.Drift) string {
	if !d.Stands() {
		return ""
	}
	var parts []string
	if len(d.Repair) > 0 {
		parts = append(parts, "being put right: "+strings.Join(d.Repair, ", "))
	}
	if len(d.Left) > 0 {
		parts = append(parts, "left as it is: "+strings.Join(d.Left, ", "))
	}
	if len(d.Names) > 0 {
		parts = append(parts, "("+strings.Join(d.Names, ", ")+")")
	}
	return strings.Join(parts, " ")
}

func seenAt(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return stamp(t)
}
