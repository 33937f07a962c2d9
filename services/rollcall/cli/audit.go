package cli

import (
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
	var verbs []string
	for _, v := range events.Verbs() {
		verbs = append(verbs, string(v))
	}
	f := c.Flags()
	f.StringVar(&org, "org", "", "about this `org` only")
	f.StringVar(&key, "person", "", "about the person with this `key` only")
	f.StringVar(&by, "by", "", "by this `name` only")
	f.StringVar(&verb, "verb", "", "with this `verb` only: "+strings.Join(verbs, ", "))
	f.StringVar(&request, "request", "", "of the request with this `id` only")
	f.StringVar(&since, "since", "", "since then: a `duration` like 2h, or a time")
	f.IntVar(&limit, "limit", 200, "the newest so many; 0 for all")
	format.flag(c)
	n.flags(c)
	return c
}

func printAudit(w io.Writer, list []operator.AuditEntry) {
	if len(list) == 0 {
		_, _ = fmt.Fprintln(w, "The audit log holds nothing that fits.")
		return
	}
	rows := make([]table.Row, len(list))
	for i, e := range list {
		rows[i] = table.Row{stamp(e.At), e.Verb, e.By, aboutEntry(e), e.Note, e.Request}
	}
	grid(w, table.Row{"when", "what", "who", "about", "note", "request"}, rows, 4, 5)
}

// aboutEntry names whom an entry is about.
func aboutEntry(e operator.AuditEntry) string {
	s := e.Select
	if s == nil {
		return about(e.Targets)
	}
	who := "everybody"
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

// about names one target, or counts several.
func about(targets []events.Target) string {
	switch len(targets) {
	case 0:
		return ""
	case 1:
		t := targets[0]
		return strings.Join(slices.DeleteFunc([]string{t.Org, string(t.Cause), string(t.Key)}, func(s string) bool { return s == "" }), " ")
	}
	if targets[0].Cause == "" {
		return fmt.Sprintf("%s %s to %s", targets[0].Org, targets[0].Key, targets[1].Key)
	}
	return fmt.Sprintf("%d tasks, the first %s %s", len(targets), targets[0].Org, targets[0].Cause)
}
