package plan

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/preview"
	"github.com/rollcall-sync/rollcall/services/internal/doctor"
)

const (
	// minWidth and maxWidth bound how wide a plan is printed.
	minWidth, maxWidth = 60, 120
	// named is how many people are named of a kind.
	named = 3
	// numberWidth is what a column of numbers takes at most, with its border.
	numberWidth = 10
)

// view prints.
type view struct {
	w     io.Writer
	width int
}

// Print prints a plan, no wider than width.
func Print(w io.Writer, r Report, width int) {
	v := view{w: w, width: min(max(width, minWidth), maxWidth)}
	v.head(r)
	if r.Plan.Person != nil {
		v.person(*r.Plan.Person)
		return
	}
	for i := range r.Plan.Orgs {
		o := &r.Plan.Orgs[i]
		v.line("")
		v.org(o)
		if at := slices.IndexFunc(r.Supplies, func(s doctor.Supply) bool { return s.Org == o.Org }); at >= 0 {
			v.supply(o, r.Supplies[at])
		} else {
			v.seatsUnknown(o, "the org was not asked")
		}
		if o.Calls > 0 {
			v.text("API calls: %d or more, an estimate.", o.Calls)
		}
	}
	for _, d := range r.Plan.Dropped {
		v.line("")
		v.text("Org %s is not in this configuration: %s who have a user there keep it as it is, and nobody looks at it any more.", d.Org, people(d.Active))
	}
}

func (v *view) line(s string) { _, _ = fmt.Fprintln(v.w, s) }

// text prints a sentence, broken where the width ends. Control characters of what
// HR or Salesforce said are taken out: a terminal would obey them.
func (v *view) text(format string, args ...any) {
	for line := range strings.SplitSeq(text.WrapSoft(strings.Map(printable, fmt.Sprintf(format, args...)), v.width), "\n") {
		v.line(strings.TrimRight(line, " "))
	}
}

func printable(r rune) rune {
	if r == '\n' || unicode.IsPrint(r) {
		return r
	}
	return unicode.ReplacementChar
}

func people(n int) string {
	if n == 1 {
		return "1 person"
	}
	return fmt.Sprintf("%d people", n)
}

func (v *view) head(r Report) {
	switch {
	case r.InForce == nil:
		v.text("Plan under configuration %s; none is in force: assignment has never run.", r.Hash)
	case r.Changed():
		v.text("Plan under configuration %s; in force is another one, %s (generation %d).", r.Hash, r.InForce.Hash, r.InForce.Generation)
	default:
		v.text("Plan under configuration %s, which is in force (generation %d).", r.Hash, r.InForce.Generation)
	}
	p := &r.Plan
	v.text("%s looked at in %.1f s, something changes for %d. Nothing was sent, nothing was written.", people(p.People), r.Seconds, p.Changed)
	if rows := p.Rows; rows != nil {
		v.rows(rows)
		if r.Changed() {
			v.text("What follows is of both, the file and the configuration: plan the configuration without the file to see its part.")
		}
	}
	if r.InForce != nil && !r.InForce.Swept {
		v.text("NOT ALL IN IT: not everybody has been compared with the configuration in force yet; what that changes is counted here too.")
	}
	if r.Waiting > 0 {
		v.text("NOT ALL IN IT: assignment has %d events still to take.", r.Waiting)
	}
	if p.Unreadable > 0 {
		v.text("NOT ALL IN IT: the state of %s cannot be read by this version of Rollcall.", people(p.Unreadable))
	}
}

func (v *view) rows(rows *preview.Rows) {
	v.text("%d events of the file: %d say nothing new, %d would be rejected.", rows.Events, rows.Superseded, rows.Refused)
	for i, f := range rows.Faults {
		if i == named {
			v.text("  and %d more", rows.Refused-i)
			break
		}
		v.text("  line %d: %s", f.Line, f.Reason)
	}
	if rows.Groups > 0 {
		v.text("NOT ALL IN IT: %d events are about groups; what they mean for members is not planned.", rows.Groups)
	}
}

func (v *view) org(o *preview.Org) {
	v.text("Org %s: %s", o.Org, verdict(o))
	for _, t := range o.Takes {
		if t.Over {
			v.text("OVER THE LIMIT: %s; %d at once pass the gate, so this would be held until an operator decides.", takes(t), t.Limit)
		}
	}
	if o.Held > 0 {
		v.text("Held: something of %s waits for an operator already, and goes on waiting (rollcall hold list).", people(o.Held))
	}
	v.rules(o)
	v.changes(o)
	for _, of := range []string{
		string(preview.Created), string(preview.Reactivated), string(preview.Deactivated), string(preview.Stuck), preview.SampleUnmatched,
	} {
		v.sample(o, of)
	}
}

// verdict is the org in one line, the worst first.
func verdict(o *preview.Org) string {
	var parts []string
	for _, what := range []preview.What{
		preview.Deactivated, preview.Stuck, preview.Created, preview.Reactivated, preview.Updated, preview.Mended, preview.Sought, preview.Other,
	} {
		if n := o.What[what]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, words(what)))
		}
	}
	if len(parts) == 0 {
		return "nothing changes"
	}
	return strings.Join(parts, ", ")
}

func words(w preview.What) string {
	switch w {
	case preview.Created:
		return "get a user"
	case preview.Reactivated:
		return "get their user back"
	case preview.Deactivated:
		return "lose access"
	case preview.Sought:
		return "have left, and are looked for"
	case preview.Updated:
		return "change"
	case preview.Stuck:
		return "cannot be worked out any more, and are parked"
	case preview.Mended:
		return "can be worked out again"
	case preview.Nothing, preview.Other:
	}
	return "change nothing in Salesforce"
}

func takes(t preview.Taking) string {
	switch t.Aspect {
	case events.AspectActive:
		return people(t.People) + " lose their user"
	case events.AspectAccess:
		return people(t.People) + " lose a profile, permission set or group"
	}
	return people(t.People) + " get another username, e-mail address or federation id"
}

func (v *view) rules(o *preview.Org) {
	t := v.table(2)
	t.AppendHeader(table.Row{"rule", "before", "after"})
	for _, r := range o.Rules {
		t.AppendRow(row(r.Rule, r.Before, r.After))
	}
	t.AppendSeparator()
	t.AppendRow(row("all who have a user", o.Active.Before, o.Active.After))
	for _, n := range []struct {
		what  string
		count int
	}{
		{"employed, and no rule matches", o.Unmatched}, {"no user, and a condition cannot be decided", o.Undecidable},
		{"no source under authority has spoken of them", o.Unheard},
	} {
		if n.count > 0 {
			t.AppendRow(row(n.what, "", n.count))
		}
	}
	t.Render()
}

// changes lists what changes, by name.
func (v *view) changes(o *preview.Org) {
	var rows []table.Row
	for _, name := range slices.Sorted(maps.Keys(o.Fields)) {
		rows = append(rows, row("field "+name, o.Fields[name]))
	}
	for _, m := range o.Profiles {
		rows = append(rows, row("profile "+none(m.From)+" → "+none(m.To), m.People))
	}
	for _, m := range o.Roles {
		rows = append(rows, row("role "+none(m.From)+" → "+none(m.To), m.People))
	}
	for _, k := range events.AssignmentKinds() {
		for _, a := range o.Assignments {
			if a.Kind == k.Key && a.Gained > 0 {
				rows = append(rows, row("gain "+k.One+" "+a.Name, a.Gained))
			}
			if a.Kind == k.Key && a.Lost > 0 {
				rows = append(rows, row("lose "+k.One+" "+a.Name, a.Lost))
			}
		}
	}
	if len(rows) == 0 {
		return
	}
	t := v.table(1)
	t.AppendHeader(table.Row{"what changes", "people"})
	t.AppendRows(rows)
	t.Render()
}

func none(name string) string {
	if name == "" {
		return "none"
	}
	return name
}

func (v *view) sample(o *preview.Org, of string) {
	list := o.Samples[of]
	if len(list) == 0 {
		return
	}
	total, what := o.What[preview.What(of)], words(preview.What(of))
	if of == preview.SampleUnmatched {
		total, what = o.Unmatched, "match no rule"
	}
	var names []string
	for _, who := range list[:min(len(list), named)] {
		names = append(names, who.Name)
	}
	if more := total - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	v.text("%s: %s", strings.ToUpper(what[:1])+what[1:], strings.Join(names, ", "))
	if of == string(preview.Deactivated) && o.WithoutUser > 0 {
		v.text("  Of them %d never had a user.", o.WithoutUser)
	}
}

// supply says what the org has of what is asked for.
func (v *view) supply(o *preview.Org, s doctor.Supply) {
	if s.Unasked != "" {
		v.text("Names: not known whether the org has all of them: %s", s.Unasked)
		v.seatsUnknown(o, s.Unasked)
		return
	}
	for _, f := range s.Missing {
		v.text("NAMES: %s. %s", f.Message, f.Advice)
	}
	if len(s.Missing) == 0 {
		v.text("Names: the org has all that the configuration names.")
	}
	for _, l := range s.Licences {
		v.licence(o, l)
	}
}

func (v *view) licence(o *preview.Org, l doctor.Licence) {
	needed := 0
	for _, profile := range l.Profiles {
		needed += o.Seats[profile]
	}
	free := int(l.Total - l.Used)
	switch {
	case needed == 0:
	case needed < 0:
		v.text("Seats of %s: %d fewer.", l.Name, -needed)
	case l.Total < 0:
		v.text("Seats of %s: %d more; there is no end of them.", l.Name, needed)
	case needed > free:
		v.text("SEATS of %s: %d more, and %d of %d are free: %d people are parked for want of one.", l.Name, needed, max(0, free), l.Total, needed-max(0, free))
	default:
		v.text("Seats of %s: %d more; %d of %d are free.", l.Name, needed, free, l.Total)
	}
}

func (v *view) seatsUnknown(o *preview.Org, why string) {
	for _, profile := range slices.Sorted(maps.Keys(o.Seats)) {
		if n := o.Seats[profile]; n < 0 {
			v.text("Seats of profile %s: %d fewer.", profile, -n)
		} else {
			v.text("Seats of profile %s: %d more; how many are free is not known: %s.", profile, n, strings.TrimSuffix(why, "."))
		}
	}
}

// table is one whose first column takes what the numbers leave.
func (v *view) table(numbers int) table.Writer {
	t := table.NewWriter()
	t.SetOutputMirror(v.w)
	t.SetStyle(table.StyleLight)
	t.Style().Format.Header = text.FormatDefault
	columns := []table.ColumnConfig{{Number: 1, WidthMax: v.width - 4 - numbers*numberWidth, WidthMaxEnforcer: text.WrapSoft}}
	for n := range numbers {
		columns = append(columns, table.ColumnConfig{Number: n + 2, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	t.SetColumnConfigs(columns)
	return t
}

func row(name string, numbers ...any) table.Row {
	return append(table.Row{strings.Map(printable, name)}, numbers...)
}
