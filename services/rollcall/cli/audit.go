package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

func newAudit(s Streams) *cobra.Command {
	var (
		n                   = &connection{streams: s}
		format              output
		org, key, by, since string
		verb, request       string
		limit               int
	)
	c := &cobra.Command{
		Use:   "audit",
		Short: "Read the audit log: who asked for what, and what came of it",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			f := operator.AuditFilter{Org: org, Key: events.Key(key), By: by, Verb: events.Verb(verb), Request: request, Limit: limit}
			var err error
			if f.Since, err = parseSince(since, time.Now()); err != nil {
				return err
			}
			return withOperator(c.Context(), n, func(ctx context.Context, o *operator.Operator, _ *bus.Bus) error {
				list, err := o.Audit(ctx, f)
				if err != nil {
					return err
				}
				if format == outputJSON {
					return printJSON(s.Out, append([]operator.AuditEntry{}, list...))
				}
				printAudit(s.Out, list)
				return nil
			})
		},
	}
	f := c.Flags()
	f.StringVar(&org, "org", "", "about this `org` only")
	f.StringVar(&key, "person", "", "about the person with this `key` only")
	f.StringVar(&by, "by", "", "by this `name` only")
	f.StringVar(&verb, "verb", "", "with this `verb` only: "+verbNames())
	f.StringVar(&request, "request", "", "of the request with this `id` only")
	f.StringVar(&since, "since", "", "since then: a `duration` like 2h, or a time")
	f.IntVar(&limit, "limit", 200, "the newest so many; 0 for all")
	format.flag(c)
	n.flags(c)
	return c
}

// verbNames names all verbs of the audit log.
func verbNames() string {
	var out []string
	for _, v := range events.Verbs() {
		out = append(out, string(v))
	}
	return strings.Join(out, ", ")
}

func printAudit(w io.Writer, list []operator.AuditEntry) {
	if len(list) == 0 {
		_, _ = fmt.Fprintln(w, "The audit log holds nothing that fits.")
		return
	}
	rows := make([]table.Row, len(list))
	for i, e := range list {
		rows[i] = table.Row{stamp(e.At), e.Verb, e.By, about(e), e.Note, e.Request}
	}
	grid(w, table.Row{"when", "what", "who", "about", "note", "request"}, rows, 4, 5)
}

// about names one target, counts several, or says what an entry without is about.
func about(e operator.AuditEntry) string {
	targets := e.Targets
	switch {
	case e.Select != nil:
		return selected(e)
	case e.Scope != nil:
		return e.Scope.String()
	case e.Snapshot != nil:
		return fmt.Sprintf("source %s: %d people in %d rows, %d removed", e.Snapshot.Source, e.Snapshot.People, e.Snapshot.Rows, e.Snapshot.Absent)
	case len(targets) == 0:
		return ""
	case len(targets) == 1:
		t := targets[0]
		return strings.Join(slices.DeleteFunc([]string{t.Org, kindOf(t), string(t.Key)}, func(s string) bool { return s == "" }), " ")
	}
	if kindOf(targets[0]) == "" {
		return fmt.Sprintf("%s %s to %s", targets[0].Org, targets[0].Key, targets[1].Key)
	}
	return fmt.Sprintf("%d, the first %s %s", len(targets), targets[0].Org, kindOf(targets[0]))
}

// kindOf is the cause of a dead letter, or the aspect that is held.
func kindOf(t events.Target) string { return cmp.Or(string(t.Aspect), string(t.Cause)) }

// selected says of whom a resync is.
func selected(e operator.AuditEntry) string {
	s, who := e.Select, "everybody"
	switch len(s.Keys) {
	case 0:
	case 1:
		who = string(s.Keys[0])
	default:
		who = fmt.Sprintf("%d people", len(s.Keys))
	}
	if s.State != "" {
		who += " who is " + s.State
	}
	if e.Verb == events.VerbResynced {
		who += fmt.Sprintf(": %d", e.Count)
	}
	return s.Org + " " + who
}
