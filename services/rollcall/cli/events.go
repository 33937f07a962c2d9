package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

func newEvents(s Streams) *cobra.Command {
	n := &connection{streams: s}
	c := &cobra.Command{Use: "events", Short: "See what became of the events that sources published"}
	n.flags(c)
	c.AddCommand(newEventsList(s, n))
	return group(c)
}

// eventsList is the flags of events list.
type eventsList struct {
	source, person, event, fate, since string
	limit                              int
}

func newEventsList(s Streams, n *connection) *cobra.Command {
	var (
		l      eventsList
		format output
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List events and what became of each: counts, superseded by which, rejected",
		Long: `List events as sources published them, and what became of each:

  counts      what it says is what counts
  superseded  when it came, one that is newer by its sourceversion had come before
  replaced    one that came later counts
  rejected    it could not be understood (rollcall tasks list --cause poison)
  waiting     it has not been read yet

An event whose fields do not count may still be the one that says whether the person
is active. Whom an event is about is said by the sources of --config, which is required.`,
		Example: `  rollcall events list --fate superseded --source hr --since 24h --config rollcall.yaml
  rollcall events list --event 17 --since 0 --config rollcall.yaml`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error { return l.run(c.Context(), s, n, format) },
	}
	f := c.Flags()
	f.StringVar(&l.source, "source", "", "of this `source` only")
	f.StringVar(&l.person, "person", "", "about this person only: `key`, username, correlation id")
	f.StringVar(&l.event, "event", "", "with this `id`, or number in DIRECTORY, only")
	f.StringVar(&l.fate, "fate", "", "of this `fate` only: "+fateNames())
	f.StringVar(&l.since, "since", "24h", "stored since then: a `duration` like 2h, or a time; 0 for all")
	f.IntVar(&l.limit, "limit", 200, "the newest so many; 0 for all")
	_ = c.RegisterFlagCompletionFunc("fate", cobra.FixedCompletions(strings.Split(fateNames(), ", "), cobra.ShellCompDirectiveNoFileComp))
	format.flag(c)
	return c
}

func fateNames() string {
	var out []string
	for _, f := range operator.EventFates() {
		out = append(out, string(f))
	}
	return strings.Join(out, ", ")
}

func (l *eventsList) run(ctx context.Context, s Streams, n *connection, format output) error {
	sources, err := n.sources()
	if err != nil {
		return err
	}
	f := operator.EventFilter{Source: l.source, ID: l.event, Fate: operator.EventFate(l.fate), Limit: l.limit}
	switch {
	case l.fate != "" && !slices.Contains(operator.EventFates(), f.Fate):
		return wrongUse("--fate %s is not what becomes of an event; there are: %s", l.fate, fateNames())
	case l.source != "" && sources[l.source] == nil:
		return wrongUse("--source %s is not in the configuration; there are: %s", l.source, strings.Join(slices.Sorted(maps.Keys(sources)), ", "))
	case l.limit < 0:
		return wrongUse("--limit %d is below 0", l.limit)
	}
	if l.since != "0" {
		if f.Since, err = parseSince(l.since, time.Now()); err != nil {
			return err
		}
	}
	return withOperator(ctx, n, func(ctx context.Context, o *operator.Operator, _ *bus.Bus) error {
		if l.person != "" {
			if f.Key, err = o.Key(ctx, l.person); err != nil {
				return explainFind(err, l.person)
			}
		}
		list, err := o.Events(ctx, f, func(source string, e *events.Event) (string, error) {
			if sources[source] == nil {
				return "", fmt.Errorf("source %s is not in the configuration", source)
			}
			return sources[source].Of(e)
		})
		if err != nil {
			return err
		}
		if format == outputJSON {
			return printJSON(s.Out, append([]operator.Event{}, list...))
		}
		printEvents(s.Out, list)
		return nil
	})
}

// sources reads the correlation ids of every configured source.
func (n *connection) sources() (map[string]*correlation.IDs, error) {
	file, err := n.load()
	if err != nil {
		return nil, err
	}
	if len(file.Sources) == 0 {
		return nil, wrongUse("--config is required: its sources say whom an event is about")
	}
	out := make(map[string]*correlation.IDs, len(file.Sources))
	for name, cfg := range file.Sources {
		if out[name], err = correlation.New(name, cfg); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func printEvents(w io.Writer, list []operator.Event) {
	if len(list) == 0 {
		_, _ = fmt.Fprintln(w, "No event fits.")
		return
	}
	rows := make([]table.Row, len(list))
	for i, e := range list {
		fate := string(e.Fate)
		if e.SaysActive && e.Fate != operator.EventCounts {
			fate += ", but for its word on active"
		}
		rows[i] = table.Row{e.Seq, stamp(e.At), e.Source, e.ID, e.SourceVersion, e.Key, fate, winner(e)}
	}
	grid(w, table.Row{"number", "stored", "source", "event", "version", "about", "became", "by"}, rows, 4, 7, 8)
}

// winner is the event that counts in place of one, or why there is none.
func winner(e operator.Event) string {
	if e.By == nil {
		return e.Note
	}
	text := fmt.Sprintf("%d, event %s of %s", e.By.Seq, e.By.ID, stamp(e.By.At))
	if e.By.SourceVersion != "" {
		text += ", version " + e.By.SourceVersion
	}
	if e.By.Removal {
		text += ", a removal"
	}
	return text
}
