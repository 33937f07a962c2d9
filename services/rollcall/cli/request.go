package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/user"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// request is the flags of retry and discard.
type request struct {
	tasks       *tasks
	verb        events.Verb
	filter      filter
	format      output
	all, dryRun bool
	yes, wait   bool
	waitFor     time.Duration
	by, reason  string
}

func (t *tasks) newRetry() *cobra.Command {
	r := &request{tasks: t, verb: events.VerbRetry}
	c := r.command("retry [NUMBER...]", "Look at parked people again")
	c.Long = `Ask for parked people to be looked at again: by number, by filters, or --all.

It is an entry of the audit log that retry-scheduler acts on. Whoever handles a
person reads what is desired now, so a stale task does no harm. The task stays
until it succeeds, and closes by itself then.`
	c.Example = `  rollcall tasks retry 17 --wait
  rollcall tasks retry --cause licence --all --wait
  rollcall tasks retry --org emea --dry-run`
	return c
}

func (t *tasks) newDiscard() *cobra.Command {
	r := &request{tasks: t, verb: events.VerbDiscard}
	c := r.command("discard [NUMBER...]", "Give parked people's change up")
	c.Long = `Give up the change for which people are parked: by number, by filters, or --all.

The task is removed, and that revision is not tried again; the next change of
the person is. It needs --yes, or --dry-run to see whom it concerns.`
	c.Example = `  rollcall tasks discard 17 --reason "test account" --dry-run
  rollcall tasks discard 17 --reason "test account" --yes`
	c.Flags().BoolVar(&r.yes, "yes", false, "do it")
	return c
}

func (r *request) command(use, short string) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short,
		RunE: func(c *cobra.Command, args []string) error { return r.run(c.Context(), args) },
	}
	f := c.Flags()
	r.filter.flags(c)
	r.format.flag(c)
	f.BoolVar(&r.all, "all", false, "all that the filters pick; without filters, all")
	f.BoolVar(&r.dryRun, "dry-run", false, "say whom it concerns, and do nothing")
	f.BoolVar(&r.wait, "wait", false, "wait and show what came of each")
	f.DurationVar(&r.waitFor, "wait-timeout", time.Minute, "wait no longer than this")
	f.StringVar(&r.by, "as", defaultName(), "who asks, for the audit log")
	f.StringVar(&r.reason, "reason", "", "why, for the audit log")
	return c
}

// defaultName is who is at the keyboard, as far as the machine knows.
func defaultName() string {
	if name := os.Getenv("ROLLCALL_AS"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}

func (r *request) run(ctx context.Context, args []string) error {
	numbers, err := parseNumbers(args)
	if err != nil {
		return err
	}
	picked, err := r.filter.parse(time.Now())
	if err != nil {
		return err
	}
	switch {
	case len(numbers) == 0 && r.filter.empty() && !r.all:
		return wrongUse("say which: numbers, filters, or --all")
	case len(numbers) > 0 && (r.all || !r.filter.empty()):
		return wrongUse("numbers go with neither filters nor --all")
	case r.verb == events.VerbDiscard && !r.yes && !r.dryRun:
		return wrongUse("discard gives a change up: say --yes, or --dry-run to see whom it concerns")
	case r.by == "":
		return wrongUse("--as is required: the audit log says who asked")
	}
	return r.tasks.with(ctx, func(ctx context.Context, o *operator.Operator) error {
		list, err := choose(ctx, o, numbers, picked)
		if err != nil {
			return err
		}
		return r.ask(ctx, o, list)
	})
}

// choose finds the tasks as they are now: what has changed by the time the
// request is handled is refused there.
func choose(ctx context.Context, o *operator.Operator, numbers []uint64, picked operator.Filter) ([]operator.Task, error) {
	if len(numbers) == 0 {
		return o.List(ctx, picked)
	}
	var (
		list   []operator.Task
		faults []error
	)
	for _, n := range numbers {
		task, err := o.Show(ctx, n)
		if errors.Is(err, bus.ErrNotFound) {
			err = fmt.Errorf("there is no task %d", n)
		}
		list, faults = append(list, task), append(faults, err)
	}
	return list, errors.Join(faults...)
}

// asked is what -o json prints.
type asked struct {
	Verb     events.Verb       `json:"verb"`
	DryRun   bool              `json:"dryRun"`
	Tasks    []operator.Task   `json:"tasks"`
	Requests []operator.Asked  `json:"requests"`
	Results  []operator.Result `json:"results,omitempty"`
}

func (r *request) ask(ctx context.Context, o *operator.Operator, list []operator.Task) error {
	out := asked{Verb: r.verb, DryRun: r.dryRun, Tasks: list, Requests: []operator.Asked{}}
	if out.Tasks == nil {
		out.Tasks = []operator.Task{}
	}
	if r.dryRun || len(list) == 0 {
		return r.printAsked(out)
	}
	var err error
	out.Requests, err = o.Request(ctx, r.verb, r.by, r.reason, list)
	if err != nil {
		return errors.Join(fmt.Errorf("%d of %d requests were stored: %w", len(out.Requests), (len(list)+events.MaxTargets-1)/events.MaxTargets, err))
	}
	if !r.wait {
		return r.printAsked(out)
	}
	if r.format == outputTable {
		_, _ = fmt.Fprintf(r.tasks.streams.Err, "%s of %d asked for; waiting for what comes of it\n", r.verb, len(list))
	}
	limited, cancel := context.WithTimeout(ctx, r.waitFor)
	defer cancel()
	if err := o.Wait(limited, list, out.Requests, func(res operator.Result) { out.Results = append(out.Results, res) }); err != nil {
		return err
	}
	if err := r.printAsked(out); err != nil {
		return err
	}
	return r.verdict(out.Results)
}

// verdict fails the command where something did not come of it as asked.
func (r *request) verdict(results []operator.Result) error {
	want := operator.FateApplied
	if r.verb == events.VerbDiscard {
		want = operator.FateDiscarded
	}
	for _, res := range results {
		if res.Fate != want {
			return errReported
		}
	}
	return nil
}

func (r *request) printAsked(a asked) error {
	w := r.tasks.streams.Out
	switch {
	case r.format == outputJSON:
		return printJSON(w, a)
	case len(a.Tasks) == 0:
		_, _ = fmt.Fprintln(w, "Nobody is parked who fits.")
	case a.DryRun:
		_, _ = fmt.Fprintf(w, "%s would be asked for, for %d:\n", a.Verb, len(a.Tasks))
		return r.tasks.printShort(a.Tasks)
	case a.Results == nil:
		_, _ = fmt.Fprintf(w, "%s of %d asked for. rollcall tasks list shows who is still parked.\n", a.Verb, len(a.Tasks))
	default:
		r.printResults(a.Results)
	}
	return nil
}

func (t *tasks) printShort(list []operator.Task) error {
	rows := make([]table.Row, len(list))
	for i, task := range list {
		rows[i] = table.Row{task.Seq, who(task), task.Target().Org, task.Target().Cause, sentence(task)}
	}
	grid(t.streams.Out, table.Row{"task", "person", "org", "cause", "what was said"}, rows, 5)
	return nil
}

func (r *request) printResults(results []operator.Result) {
	count := map[operator.Fate]int{}
	rows := make([]table.Row, len(results))
	for i, res := range results {
		count[res.Fate]++
		note := res.Note
		if res.Failure != nil {
			note = string(res.Failure.Cause) + ": " + res.Failure.Message
		}
		rows[i] = table.Row{res.Task.Seq, who(res.Task), res.Task.Target().Org, res.Fate, note}
	}
	grid(r.tasks.streams.Out, table.Row{"task", "person", "org", "came of it", "why"}, rows, 5)
	for _, fate := range []operator.Fate{operator.FateApplied, operator.FateDiscarded, operator.FateParked, operator.FateScheduled, operator.FateRefused, operator.FateWaiting} {
		if count[fate] > 0 {
			_, _ = fmt.Fprintf(r.tasks.streams.Out, "%s %d  ", fate, count[fate])
		}
	}
	_, _ = fmt.Fprintln(r.tasks.streams.Out)
}
