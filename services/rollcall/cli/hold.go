package cli

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// holds is the flags that the commands about what is held share.
type holds struct {
	streams    Streams
	connection connection
}

func newHold(s Streams) *cobra.Command {
	h := &holds{streams: s, connection: connection{streams: s}}
	c := &cobra.Command{
		Use:   "hold",
		Short: "See what is held because it takes too much at once, and decide",
		Long: `A hold is what one cause (the configuration, a source, a group) would take from
more people of an org than its limit within the hour: a user, permission sets, an
address. They keep what they have until you release it or reject it, or until the
cause takes it back. Everything else about them goes on.`,
	}
	h.connection.flags(c)
	c.AddCommand(h.newList(), h.newShow(), h.newDecision(events.VerbRelease), h.newDecision(events.VerbReject))
	return group(c)
}

// heldFilter is the flags that pick what is held.
type heldFilter struct{ org, aspect, person string }

func (f *heldFilter) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.org, "org", "", "of this `org` only")
	c.Flags().StringVar(&f.aspect, "aspect", "", "of this `aspect` only: "+strings.Join(aspectNames(), ", "))
	c.Flags().StringVar(&f.person, "person", "", "about this person only: `key`, username or a part of it, correlation id")
	_ = c.RegisterFlagCompletionFunc("aspect", cobra.FixedCompletions(aspectNames(), cobra.ShellCompDirectiveNoFileComp))
}

func aspectNames() []string {
	var out []string
	for _, a := range events.Aspects() {
		out = append(out, string(a))
	}
	return out
}

func (f *heldFilter) parse(args []string) (operator.HoldFilter, error) {
	out := operator.HoldFilter{Org: f.org, Aspect: events.Aspect(f.aspect), Person: f.person}
	if f.aspect != "" && !slices.Contains(events.Aspects(), out.Aspect) {
		return out, wrongUse("--aspect %s is not an aspect; there are: %s", f.aspect, strings.Join(aspectNames(), ", "))
	}
	if f.org != "" && events.CheckName(f.org) != nil {
		return out, wrongUse("--org %q is not the name of an org", f.org)
	}
	switch len(args) {
	case 0:
		return out, nil
	case 1:
		out.Name = args[0]
	default:
		return out, wrongUse("one hold at a time, as `rollcall hold list` names it")
	}
	org, cause, ok := strings.Cut(out.Name, "/")
	if !ok || events.CheckName(org) != nil || cause == "" {
		return out, wrongUse("%q is not the name of a hold, which is like production/source:hr (rollcall hold list shows them)", out.Name)
	}
	return out, nil
}

func (h *holds) with(ctx context.Context, do func(context.Context, *operator.Operator) error) error {
	return withOperator(ctx, &h.connection, func(ctx context.Context, o *operator.Operator, _ *bus.Bus) error { return do(ctx, o) })
}

// complete are the names of the holds there are.
func (h *holds) complete(c *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	var out []string
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	_ = h.with(c.Context(), func(ctx context.Context, o *operator.Operator) error {
		list, err := o.Held(ctx, operator.HoldFilter{})
		for _, p := range list {
			if name := operator.HoldName(p.Org, p.Cause); !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
		return err
	})
	return out, cobra.ShellCompDirectiveNoFileComp
}

func (h *holds) newList() *cobra.Command {
	var f heldFilter
	var format output
	c := &cobra.Command{
		Use:   "list",
		Short: "List what is held, the oldest first: how many, what, and because of what",
		Args:  exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error {
			picked, err := f.parse(nil)
			if err != nil {
				return err
			}
			return h.with(c.Context(), func(ctx context.Context, o *operator.Operator) error {
				list, err := o.Held(ctx, picked)
				if err != nil {
					return err
				}
				all, err := o.Holds(ctx, list)
				if err != nil {
					return err
				}
				return h.printHolds(all, format)
			})
		},
	}
	f.flags(c)
	format.flag(c)
	return c
}

func (h *holds) newShow() *cobra.Command {
	var f heldFilter
	var format output
	c := &cobra.Command{
		Use:   "show HOLD",
		Short: "Show one hold whole: what would be taken from whom, and the event that came first",
		Example: `  rollcall hold show production/config
  rollcall hold show production/source:hr --person ann@example.com`,
		Args:              exactly(1, "one hold, as hold list names it"),
		ValidArgsFunction: h.complete,
		RunE: func(c *cobra.Command, args []string) error {
			picked, err := f.parse(args)
			if err != nil {
				return err
			}
			return h.with(c.Context(), func(ctx context.Context, o *operator.Operator) error {
				list, err := o.Held(ctx, picked)
				if err != nil {
					return err
				}
				if len(list) == 0 {
					return fmt.Errorf("nothing is held as %s: it may be decided or taken back (rollcall hold list)", args[0])
				}
				all, err := o.Holds(ctx, list)
				if err != nil {
					return err
				}
				return h.printHold(all[0], list, format)
			})
		},
	}
	f.flags(c)
	format.flag(c)
	return c
}
