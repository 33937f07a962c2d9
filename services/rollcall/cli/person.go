package cli

import (
	"context"
	"errors"
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
)

func newPerson(s Streams) *cobra.Command {
	n := &connection{streams: s}
	c := &cobra.Command{Use: "person", Short: "See one person's whole story, say whose a Salesforce user is, and allow what is asked"}
	n.flags(c)
	c.AddCommand(newPersonShow(s, n), newMerge(s, n), newRelease(s, n), newAllow(s, n))
	return group(c)
}

func newPersonShow(s Streams, n *connection) *cobra.Command {
	var format output
	c := &cobra.Command{
		Use:   "show PERSON",
		Short: "What HR said, what is desired and by which rule, what Salesforce has, what happened when",
		Long: `Show one person: what every source said, what is desired and by which rule,
what Salesforce has, what happened when, and the traces that tell the story.

The person is found by key, correlation id, userName, employee number, e-mail
address or Salesforce username; with the deployment key of --config (or of
./.rollcall) a correlation id is found at once, anything else by going through
everybody. With a configuration that has orgs it also says, per org, which rule
matches them, or why none does: each condition, and the values it looked at. No
org is asked for that.`,
		Args: exactly(1, "one person"),
		RunE: func(c *cobra.Command, args []string) error {
			return withOperator(c.Context(), n, func(ctx context.Context, o *operator.Operator, b *bus.Bus) error {
				v, err := o.Person(ctx, args[0])
				if err != nil {
					return explainFind(err, args[0])
				}
				all := n.cover(ctx, b, v)
				if format == outputJSON {
					return printJSON(s.Out, all)
				}
				all.print(s.Out)
				return nil
			})
		},
	}
	format.flag(c)
	return c
}

func explainFind(err error, name string) error {
	switch {
	case errors.Is(err, operator.ErrNobody):
		return fmt.Errorf("nobody is known as %q: give a key, correlation id, userName, employee number, e-mail address or Salesforce username", name)
	case errors.Is(err, operator.ErrSeveral):
		return fmt.Errorf("%w: give one of these keys", err)
	}
	return err
}

func printPerson(w io.Writer, v operator.PersonView) {
	grid(w, nil, filled([]table.Row{
		{"key", v.Key},
		{"correlation id", correlationID(v)},
		{"traces", strings.Join(v.TraceIDs, "\n")},
	}), 2)
	if v.Person != nil {
		printSources(w, v.Person)
	}
	for _, org := range v.Orgs {
		printOrg(w, org)
	}
	if len(v.Audit) > 0 {
		_, _ = fmt.Fprintf(w, "\nAudit log\n")
		printAudit(w, v.Audit)
	}
}

func correlationID(v operator.PersonView) string {
	if v.Person == nil {
		return ""
	}
	return v.Person.CorrelationID
}

func printSources(w io.Writer, p *events.PersonState) {
	for _, name := range slices.Sorted(maps.Keys(p.Sources)) {
		s := p.Sources[name]
		_, _ = fmt.Fprintf(w, "\nWhat %s said\n", name)
		rows := []table.Row{{"from", from(s.Origin)}, {"version", s.SourceVersion}}
		if s.Removed {
			rows = append(rows, table.Row{"removed", "yes"})
		}
		if s.Person != nil {
			rows = append(rows, personRows(s.Person)...)
		}
		if active, said := s.IsActive(); said && !s.Removed {
			rows = append(rows, table.Row{"active", active})
		}
		grid(w, nil, filled(rows), 2)
	}
	var groups []string
	for _, m := range p.Groups {
		if !m.Left {
			groups = append(groups, m.Name+" ("+m.Source+")")
		}
	}
	if len(groups) > 0 {
		slices.Sort(groups)
		_, _ = fmt.Fprintf(w, "\nGroups: %s\n", strings.Join(groups, ", "))
	}
}

func personRows(p *events.Person) []table.Row {
	rows := []table.Row{
		{"userName", p.UserName}, {"displayName", p.DisplayName}, {"title", p.Title}, {"userType", p.UserType},
		{"locale, time zone", strings.Trim(p.Locale+", "+p.Timezone, ", ")},
	}
	if p.Name != nil {
		rows = append(rows, table.Row{"name", strings.TrimSpace(p.Name.GivenName + " " + p.Name.FamilyName)})
	}
	for _, e := range p.Emails {
		rows = append(rows, table.Row{"e-mail", e.Value})
	}
	if e := p.Enterprise; e != nil {
		rows = append(rows, table.Row{"department", e.Department}, table.Row{"division", e.Division}, table.Row{"employee number", e.EmployeeNumber})
		if e.Manager != nil {
			rows = append(rows, table.Row{"manager", e.Manager.Value})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.Custom)) {
		rows = append(rows, table.Row{"custom." + name, p.Custom[name]})
	}
	return rows
}

func printOrg(w io.Writer, o operator.PersonOrg) {
	_, _ = fmt.Fprintf(w, "\nOrg %s\n", o.Org)
	var rows []table.Row
	if d := o.Desired; d != nil {
		rows = append(rows, desiredRows(o, d)...)
	}
	if l := o.Link; l != nil {
		rows = append(rows, linkRows(o, l)...)
	}
	if out := o.Outcome; out != nil {
		rows = append(rows, table.Row{"last attempt", fmt.Sprintf("%s, %s %s", stamp(out.At), out.Result, strings.Join(out.Actions, ", "))})
		if out.Failure != nil {
			rows = append(rows, table.Row{"why", fmt.Sprintf("%s: %s", out.Failure.Cause, out.Failure.Message)})
		}
	}
	rows = append(rows, table.Row{"next attempt", stamp(o.NextTry)})
	if d := o.Discarded; d != nil {
		rows = append(rows, table.Row{"given up", fmt.Sprintf("revision %d, by %s, %s", d.Revision, d.By, stamp(d.At))})
	}
	for _, h := range o.Held {
		rows = append(rows, table.Row{"held", heldSentence(o.Org, h)})
	}
	for _, t := range o.Tasks {
		rows = append(rows, table.Row{"parked", fmt.Sprintf("task %d, %s since %s, %d attempts: %s", t.Seq, t.Target().Cause, stamp(t.Letter.FirstAt), t.Letter.Attempts, sentence(t))})
	}
	grid(w, nil, filled(rows), 2)
}

func desiredRows(o operator.PersonOrg, d *events.Desired) []table.Row {
	state := "inactive"
	if d.Active {
		state = "active"
	}
	rule := d.Rule
	if rule == "" {
		rule = "none matched"
	}
	rows := []table.Row{
		{"desired", fmt.Sprintf("%s, revision %d of %s, lane %s", state, o.Revision, stamp(o.DesiredAt), d.Lane)},
		{"by rule", rule},
		{"profile, role", strings.Trim(d.Profile+", "+d.Role, ", ")},
	}
	for _, k := range events.AssignmentKinds() {
		rows = append(rows, table.Row{k.Many, strings.Join(d.Assignments[k.Key], ", ")})
	}
	for _, name := range slices.Sorted(maps.Keys(d.Fields)) {
		rows = append(rows, table.Row{"  " + name, fmt.Sprint(d.Fields[name])})
	}
	if d.Problem != nil {
		rows = append(rows, table.Row{"problem", d.Problem.Message})
	}
	return rows
}

func linkRows(o operator.PersonOrg, l *events.Link) []table.Row {
	state := "inactive"
	if l.Active {
		state = "active"
	}
	if l.Frozen {
		state += ", frozen"
	}
	has := "no user"
	if l.UserID != "" {
		has = l.UserID + ", " + state + " when last seen " + stamp(o.Seen)
		if o.Seen.IsZero() {
			has = l.UserID + ", which nobody has looked at yet; " + state + " as last written"
		}
		if o.Owner != nil {
			has += ", " + o.Owner.By + " by Rollcall"
		}
	}
	rows := []table.Row{{"salesforce has", has}, {"applied", applied(o, l)}}
	if m := l.Moved; m != nil && l.UserID == "" {
		rows = append(rows, table.Row{"had", fmt.Sprintf("%s, until %s; since then it is %s", m.UserID, stamp(m.At), whose(m.To))})
	}
	if l.Drift.Stands() {
		rows = append(rows, table.Row{"differs", differs(l.Drift) + ", seen " + stamp(l.Drift.At)})
	}
	if l.Claim != nil {
		rows = append(rows, table.Row{"in hand", "until " + stamp(l.Claim.Until)})
	}
	if l.Attempts > 0 {
		rows = append(rows, table.Row{"failures in a row", fmt.Sprintf("%d since %s", l.Attempts, stamp(l.FirstFailedAt))})
	}
	return rows
}

func whose(k events.Key) string {
	if k == "" {
		return "nobody's"
	}
	return "that of " + string(k)
}

func applied(o operator.PersonOrg, l *events.Link) string {
	switch {
	case l.AppliedRevision == 0:
		return "nothing yet"
	case l.AppliedRevision == o.Revision:
		return fmt.Sprintf("revision %d, which is the newest", l.AppliedRevision)
	}
	return fmt.Sprintf("revision %d, the newest is %d", l.AppliedRevision, o.Revision)
}
