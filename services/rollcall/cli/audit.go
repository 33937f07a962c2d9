package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
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
	f.StringVar(&verb, "verb", "", "with this `verb` only: "+verbList())
	f.StringVar(&request, "request", "", "of the request with this `id` only")
	f.StringVar(&since, "since", "", "since then: a `duration` like 2h, or a time")
	f.IntVar(&limit, "limit", 200, "the newest so many; 0 for all")
	format.flag(c)
	n.flags(c)
	return c
}

// verbList names all verbs of the audit log.
func verbList() string {
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
		rows[i] = table.Row{stamp(e.At), e.Verb, e.By, about(e.Targets), e.Note, e.Request}
	}
	grid(w, table.Row{"when", "what", "who", "about", "note", "request"}, rows, 4, 5)
}

// about names one target, or counts several.
func about(targets []events.Target) string {
	switch len(targets) {
	case 0:
		return ""
	case 1:
		t := targets[0]
		return fmt.Sprintf("%s %s %s", t.Org, kindOf(t), t.Key)
	}
	return fmt.Sprintf("%d, the first %s %s", len(targets), targets[0].Org, kindOf(targets[0]))
}

// kindOf is the cause of a dead letter, or the aspect that is held.
func kindOf(t events.Target) string { return cmp.Or(string(t.Aspect), string(t.Cause)) }
