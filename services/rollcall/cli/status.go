package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/retry-scheduler/retry"
)

func newStatus(s Streams) *cobra.Command {
	n := &connection{streams: s}
	var format output
	c := &cobra.Command{
		Use:   "status",
		Short: "How everything stands: streams, lanes, orgs, who is parked",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			return withOperator(c.Context(), n, func(ctx context.Context, o *operator.Operator, b *bus.Bus) error {
				orgs, err := orgsOf(ctx, b)
				if err != nil {
					return err
				}
				st, err := o.Status(ctx, orgs)
				if err != nil {
					return err
				}
				if format == outputJSON {
					return printJSON(s.Out, st)
				}
				printStatus(s.Out, st)
				return nil
			})
		},
	}
	format.flag(c)
	n.flags(c)
	return c
}

// orgsOf finds the orgs by the consumers that were made for them, so that no
// configuration is needed to look.
func orgsOf(ctx context.Context, b *bus.Bus) ([]string, error) {
	list, err := b.Consumers(ctx, events.StreamRoster)
	if err != nil {
		return nil, fmt.Errorf("find orgs: %w", err)
	}
	before, after, _ := strings.Cut(events.WorkConsumer("\x00", events.LaneLeaver), "\x00")
	var orgs []string
	for _, c := range list {
		name, isWork := strings.CutPrefix(c.Name, before)
		name, isLeaver := strings.CutSuffix(name, after)
		if isWork && isLeaver {
			orgs = append(orgs, name)
		}
	}
	slices.Sort(orgs)
	return orgs, nil
}

func printStatus(w io.Writer, s operator.Status) {
	var rows []table.Row
	for _, o := range s.Orgs {
		rows = append(rows, orgRow(s, o))
	}
	grid(w, table.Row{"org", "state", "leaver", "change", "backfill", "check", "to be retried", "parked", "API calls today"}, rows)
	printPaused(w, s)
	for _, o := range s.Orgs {
		printHeld(w, o)
		printWaiting(w, s, o)
	}
	for _, o := range s.Orgs {
		printCheck(w, s, o)
	}
	_, _ = fmt.Fprintf(w, "\nOldest waiting leaver: %s\n", oldest(s.OldestLeaver))
	printParked(w, s.Parked)
	printConfiguration(w, s)

	rows = nil
	for _, c := range s.Stages {
		rows = append(rows, table.Row{c.Name, c.Stream, c.Pending, c.AckPending, c.Redelivered})
	}
	_, _ = fmt.Fprintln(w)
	grid(w, table.Row{"stage", "stream", "waiting", "in hand", "redelivered"}, rows)
	rows = nil
	for _, st := range s.Streams {
		rows = append(rows, table.Row{st.Name, st.Messages, st.LastSeq, megabytes(st.Bytes), ago(st.LastTime, s.At)})
	}
	_, _ = fmt.Fprintln(w)
	grid(w, table.Row{"stream", "messages", "last sequence", "size", "last message"}, rows)
}

func orgRow(s operator.Status, o operator.OrgStatus) table.Row {
	row := table.Row{o.Name, stateOf(s, o)}
	for _, lane := range o.Lanes {
		row = append(row, fmt.Sprintf("%d waiting, %d in hand", lane.Waiting, lane.InHand))
	}
	parked := 0
	for _, n := range o.Parked {
		parked += n
	}
	used := ""
	if o.Limit > 0 {
		used = fmt.Sprintf("%d of %d", o.Used, o.Limit)
	}
	return append(row, o.Scheduled, parked, used)
}

// stateOf is the org's state, in the words of its states.
func stateOf(s operator.Status, o operator.OrgStatus) string {
	i := slices.IndexFunc(s.Paused, func(p operator.Paused) bool { return p.Scope == events.Scope{Org: o.Name} })
	switch {
	case i >= 0:
		return "paused since " + ago(s.Paused[i].Since, s.At)
	case o.Token == events.TokenRefreshing:
		return "refreshing since " + ago(o.TokenSince, s.At)
	case o.Held:
		return "held since " + ago(o.Since, s.At)
	case o.Token == "":
		return "no token yet"
	}
	return string(o.Token)
}

func printHeld(w io.Writer, o operator.OrgStatus) {
	if !o.Held {
		return
	}
	advice := o.Advice
	if advice == "" {
		advice = retry.PolicyOf(o.Cause).Remedy
	}
	_, _ = fmt.Fprintf(w, "\nOrg %s is held: %s: %s\n  What to do: %s\n", o.Name, o.Cause, o.Why, advice)
	if !o.NextTry.IsZero() {
		_, _ = fmt.Fprintf(w, "  Next try: %s\n", stamp(o.NextTry))
	}
}

// printWaiting says what is held until an operator decides.
func printWaiting(w io.Writer, s operator.Status, o operator.OrgStatus) {
	for _, h := range o.Waiting {
		_, _ = fmt.Fprintf(w, "\nHeld in org %s since %s: %s of %d people, because of %s\n  What to do: rollcall hold show %s\n",
			o.Name, ago(h.Since, s.At), lossOf(h.Aspect), h.People, h.Cause, operator.HoldName(o.Name, h.Cause))
	}
}

// printCheck says how old what is known of Salesforce is, and what is only
// reported.
func printCheck(w io.Writer, s operator.Status, o operator.OrgStatus) {
	c := o.Check
	switch {
	case c == nil:
		_, _ = fmt.Fprintf(w, "\nOrg %s: nobody has read yet what Salesforce has.\n", o.Name)
		return
	case c.Stopped != "":
		_, _ = fmt.Fprintf(w, "\nOrg %s is not the one whose users are known: %s. Nobody is put right.\n  What to do: see whether `connect` leads to the right org; if it does, rollcall resync --org %s --all\n", o.Name, c.Stopped, o.Name)
	}
	_, _ = fmt.Fprintf(w, "\nOrg %s: read %s", o.Name, ago(c.Watermark, s.At))
	if !c.SeenSince.IsZero() {
		_, _ = fmt.Fprintf(w, "; everybody was compared since %s", stamp(c.SeenSince))
	}
	_, _ = fmt.Fprintln(w, ".")
	for _, kind := range slices.Sorted(maps.Keys(c.Reported)) {
		_, _ = fmt.Fprintf(w, "  %s by hand, and left as it is: %d (rollcall resync --org %s --state drifted --dry-run names them)\n", kind, c.Reported[kind], o.Name)
	}
}

func oldest(l *operator.Leaver) string {
	if l == nil {
		return "nobody waits"
	}
	return fmt.Sprintf("%s in org %s, for %s", l.Key, l.Org, l.Age)
}

func printParked(w io.Writer, parked map[events.Cause]int) {
	if len(parked) == 0 {
		_, _ = fmt.Fprintln(w, "Nobody is parked.")
		return
	}
	var rows []table.Row
	for _, cause := range slices.Sorted(maps.Keys(parked)) {
		rows = append(rows, table.Row{cause, parked[cause], retry.PolicyOf(cause).Title})
	}
	_, _ = fmt.Fprintln(w)
	grid(w, table.Row{"parked under", "people", "which means"}, rows)
}

func megabytes(n uint64) string { return fmt.Sprintf("%.1f MB", float64(n)/(1<<20)) }
