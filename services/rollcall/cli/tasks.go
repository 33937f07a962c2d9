package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// tasks is the flags that the commands about parked people share.
type tasks struct {
	streams    Streams
	connection connection
}

func newTasks(s Streams) *cobra.Command {
	t := &tasks{streams: s, connection: connection{streams: s}}
	c := &cobra.Command{
		Use:   "tasks",
		Short: "See who is parked and why, and say: again",
		Long: `A task is one person in one org that Salesforce refused, parked with the cause
until somebody acts, or one event that could not be understood.`,
	}
	t.connection.flags(c)
	c.AddCommand(t.newList(), t.newShow(), t.newRetry(), t.newDiscard())
	return group(c)
}

// filter is the flags that pick tasks.
type filter struct {
	org, cause, person, since string
}

func (f *filter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.org, "org", "", "of this `org` only")
	c.Flags().StringVar(&f.cause, "cause", "", "with this `cause` only")
	c.Flags().StringVar(&f.person, "person", "", "about this person only: `key`, username or a part of it, correlation id, Salesforce user id")
	c.Flags().StringVar(&f.since, "since", "", "that failed last since then: a `duration` like 2h, or a time like 2026-01-31T08:00:00Z")
	_ = c.RegisterFlagCompletionFunc("cause", cobra.FixedCompletions(causeNames(), cobra.ShellCompDirectiveNoFileComp))
}

func (f *filter) empty() bool { return *f == filter{} }

func causeNames() []string {
	var out []string
	for _, c := range events.Causes() {
		out = append(out, string(c))
	}
	return out
}

func (f *filter) parse(now time.Time) (operator.Filter, error) {
	out := operator.Filter{Org: f.org, Cause: events.Cause(f.cause), Person: f.person}
	if f.cause != "" && !known(out.Cause) {
		return out, wrongUse("--cause %s is not a cause; there are: %v", f.cause, events.Causes())
	}
	if f.org != "" && f.org != events.NoOrg && events.CheckName(f.org) != nil {
		return out, wrongUse("--org %q is not the name of an org", f.org)
	}
	var err error
	out.Since, err = parseSince(f.since, now)
	return out, err
}

func known(cause events.Cause) bool {
	for _, c := range events.Causes() {
		if c == cause {
			return true
		}
	}
	return false
}

// parseSince reads a duration before now, or a time.
func parseSince(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := time.ParseDuration(text); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return t, nil
		}
	}
	return time.Time{}, wrongUse("--since %q is neither a duration like 2h nor a time like 2026-01-31T08:00:00Z", text)
}

// with connects and hands out what an admin has in hand.
func (t *tasks) with(ctx context.Context, do func(context.Context, *operator.Operator) error) error {
	return withOperator(ctx, &t.connection, func(ctx context.Context, o *operator.Operator, _ *bus.Bus) error { return do(ctx, o) })
}

func withOperator(ctx context.Context, n *connection, do func(context.Context, *operator.Operator, *bus.Bus) error) error {
	s, err := n.open(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	return do(ctx, operator.New(s.bus, s.tel, s.keyer), s.bus)
}

func (t *tasks) newList() *cobra.Command {
	var (
		f      filter
		format output
		limit  int
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List parked people with the cause, longest parked first",
		Example: `  rollcall tasks list
  rollcall tasks list --cause licence --org emea -o json`,
		Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			picked, err := f.parse(time.Now())
			if err != nil {
				return err
			}
			picked.Limit = limit
			return t.with(c.Context(), func(ctx context.Context, o *operator.Operator) error {
				list, err := o.List(ctx, picked)
				if err != nil {
					return err
				}
				return t.printList(list, format)
			})
		},
	}
	f.flags(c)
	format.flag(c)
	c.Flags().IntVar(&limit, "limit", 0, "at most so many; 0 for all")
	return c
}

func (t *tasks) newShow() *cobra.Command {
	var format output
	c := &cobra.Command{
		Use:   "show NUMBER",
		Short: "Show one task whole: what Salesforce said, what it means, what to do",
		Args:  exactly(1, "one number, as tasks list shows it"),
		RunE: func(c *cobra.Command, args []string) error {
			numbers, err := parseNumbers(args)
			if err != nil {
				return err
			}
			return t.with(c.Context(), func(ctx context.Context, o *operator.Operator) error {
				task, err := o.Show(ctx, numbers[0])
				if errors.Is(err, bus.ErrNotFound) {
					return fmt.Errorf("there is no task %d: it may be closed, or parked again under another number (rollcall tasks list)", numbers[0])
				}
				if err != nil {
					return err
				}
				return t.printTask(task, format)
			})
		},
	}
	format.flag(c)
	return c
}

func parseNumbers(args []string) ([]uint64, error) {
	var out []uint64
	for _, a := range args {
		n, err := strconv.ParseUint(a, 10, 64)
		if err != nil || n == 0 {
			return nil, wrongUse("%q is not the number of a task (rollcall tasks list shows them)", a)
		}
		out = append(out, n)
	}
	return out, nil
}
