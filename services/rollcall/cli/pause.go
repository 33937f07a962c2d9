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
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// pausing is the flags of pause and resume.
type pausing struct {
	streams    Streams
	connection connection
	verb       events.Verb
	scope      struct{ org, lane, source string }
	by, reason string
	waitFor    time.Duration
	format     output
}

func newPause(s Streams) *cobra.Command {
	p := &pausing{streams: s, connection: connection{streams: s}, verb: events.VerbPause}
	c := p.command("pause", "Leave an org, a lane or a source alone, until you say otherwise")
	c.Long = `Leave an org, one lane of an org, or a source alone.

Within a second no replica takes anything of it any more. What is under way is
finished. Nothing is lost, nobody's attempt is counted and nobody is parked:
what waits goes on waiting, over restarts, until rollcall resume. Leavers of what
is paused stay active. rollcall status says what is paused, by whom, why and
since when; RollcallPausedLong reminds of it after four hours.`
	c.Example = `  rollcall pause --org emea --reason "Salesforce release tonight"
  rollcall pause --org emea --lane backfill --reason "sandbox refresh"
  rollcall pause --source hr --reason "wrong export, see ticket 4711"`
	return c
}

func newResume(s Streams) *cobra.Command {
	p := &pausing{streams: s, connection: connection{streams: s}, verb: events.VerbResume}
	c := p.command("resume", "Go on with what was paused")
	c.Long = `Go on with what was paused: what waited is worked on now, as it is wanted now.

A lane that was paused by itself stays so when its org is resumed.`
	c.Example = `  rollcall resume --org emea
  rollcall resume --source hr --reason "export corrected"`
	return c
}

func (p *pausing) command(use, short string) *cobra.Command {
	c := &cobra.Command{
		Use: use, Short: short, Args: exactly(0, "no argument"),
		RunE: func(c *cobra.Command, _ []string) error { return p.run(c.Context()) },
	}
	f := c.Flags()
	f.StringVar(&p.scope.org, "org", "", "this `org`")
	f.StringVar(&p.scope.lane, "lane", "", "this `lane` of --org only: "+strings.Join(laneNames(), ", "))
	f.StringVar(&p.scope.source, "source", "", "this `source`")
	f.StringVar(&p.by, "as", defaultName(), "who asks, for the audit log")
	f.StringVar(&p.reason, "reason", "", "why, for the audit log and for whoever looks at status")
	f.DurationVar(&p.waitFor, "wait-timeout", 10*time.Second, "wait no longer than this for retry-scheduler, which does it")
	p.format.flag(c)
	p.connection.flags(c)
	_ = c.RegisterFlagCompletionFunc("lane", cobra.FixedCompletions(laneNames(), cobra.ShellCompDirectiveNoFileComp))
	_ = c.RegisterFlagCompletionFunc("org", p.complete(func(ctx context.Context) ([]string, error) {
		var orgs []string
		err := withOperator(ctx, &p.connection, func(ctx context.Context, _ *operator.Operator, b *bus.Bus) error {
			var err error
			orgs, err = orgsOf(ctx, b)
			return err
		})
		return orgs, err
	}))
	_ = c.RegisterFlagCompletionFunc("source", p.complete(func(context.Context) ([]string, error) {
		file, err := p.connection.load()
		return slices.Sorted(maps.Keys(file.Sources)), err
	}))
	return c
}

// complete offers names to the shell; what cannot be looked up is not offered.
func (p *pausing) complete(names func(context.Context) ([]string, error)) cobra.CompletionFunc {
	return func(c *cobra.Command, _ []string, _ string) ([]string, cobra.ShellCompDirective) {
		list, err := names(c.Context())
		if err != nil {
			return nil, cobra.ShellCompDirectiveError
		}
		return list, cobra.ShellCompDirectiveNoFileComp
	}
}

func laneNames() []string {
	var out []string
	for _, l := range events.Lanes() {
		out = append(out, string(l))
	}
	return out
}

// check says what is wrong with the flags.
func (p *pausing) check() (events.Scope, error) {
	s := events.Scope{Org: p.scope.org, Lane: events.Lane(p.scope.lane), Source: p.scope.source}
	switch {
	case s.Lane != "" && s.Org == "":
		return s, wrongUse("--lane goes with --org: of which org?")
	case s.Org == "" && s.Source == "":
		return s, wrongUse("say what: --org, --org with --lane, or --source")
	case s.Org != "" && s.Source != "":
		return s, wrongUse("--org and --source are two: say one after the other")
	case s.Lane != "" && !slices.Contains(events.Lanes(), s.Lane):
		return s, wrongUse("--lane: there is no %q, only %s", s.Lane, strings.Join(laneNames(), ", "))
	case p.verb == events.VerbPause && strings.TrimSpace(p.reason) == "":
		return s, wrongUse("--reason is required: whoever finds it paused wants to know why")
	case p.by == "":
		return s, wrongUse("--as is required: the audit log says who asked")
	}
	return s, nil
}

// cameOfIt is what -o json prints.
type cameOfIt struct {
	Scope   events.Scope `json:"scope"`
	Verb    events.Verb  `json:"verb"` // paused, resumed, refused; empty where nobody answered
	Note    string       `json:"note,omitempty"`
	Request string       `json:"request"`
}

func (p *pausing) run(ctx context.Context) error {
	scope, err := p.check()
	if err != nil {
		return err
	}
	return withOperator(ctx, &p.connection, func(ctx context.Context, o *operator.Operator, b *bus.Bus) error {
		asked, err := p.ask(ctx, o, b, scope)
		if err != nil {
			return err
		}
		limited, cancel := context.WithTimeout(ctx, p.waitFor)
		defer cancel()
		answer, err := o.Answer(limited, asked)
		if err != nil {
			return err
		}
		return p.report(scope, asked, answer)
	})
}

// ask asks for it. A name that is not there is refused here where that can be
// seen, and by retry-scheduler in any case.
func (p *pausing) ask(ctx context.Context, o *operator.Operator, b *bus.Bus, scope events.Scope) (operator.Asked, error) {
	if orgs, err := orgsOf(ctx, b); err != nil {
		return operator.Asked{}, err
	} else if scope.Org != "" && !slices.Contains(orgs, scope.Org) {
		return operator.Asked{}, wrongUse("--org: there is no org %q, only %s", scope.Org, strings.Join(orgs, ", "))
	}
	if p.verb == events.VerbPause {
		return o.Pause(ctx, p.by, p.reason, scope)
	}
	paused, err := o.Pauses(ctx)
	if err != nil {
		return operator.Asked{}, err
	}
	i := slices.IndexFunc(paused, func(one operator.Paused) bool { return one.Scope == scope })
	if i < 0 {
		return operator.Asked{}, wrongUse("%s is not paused; paused is %s", scope, pausedNames(paused))
	}
	return o.Resume(ctx, p.by, p.reason, paused[i].Pause)
}

func pausedNames(list []operator.Paused) string {
	if len(list) == 0 {
		return "nothing"
	}
	names := make([]string, len(list))
	for i, one := range list {
		names[i] = one.Scope.String()
	}
	return strings.Join(names, ", ")
}

func (p *pausing) report(scope events.Scope, asked operator.Asked, answer *operator.AuditEntry) error {
	out := cameOfIt{Scope: scope, Request: asked.ID}
	if answer != nil {
		out.Verb, out.Note = answer.Verb, answer.Note
	}
	if p.format == outputJSON {
		if err := printJSON(p.streams.Out, out); err != nil {
			return err
		}
	}
	switch {
	case answer == nil:
		return fmt.Errorf("%s of %s is asked for, but nobody has done it: does retry-scheduler run? It does it as soon as it does; rollcall status shows it then", p.verb, scope)
	case answer.Verb == events.VerbRefused:
		return fmt.Errorf("refused: %s", strings.TrimPrefix(answer.Note, string(p.verb)+": "))
	case p.format == outputJSON:
		return nil
	}
	_, err := fmt.Fprintf(p.streams.Out, "%s: %s\n", scope, answer.Verb)
	return err
}

// printPaused says what is paused, by whom and why.
func printPaused(w io.Writer, s operator.Status) {
	if len(s.Paused) == 0 {
		return
	}
	rows := make([]table.Row, len(s.Paused))
	for i, one := range s.Paused {
		waiting := ""
		if one.Source != "" {
			waiting = fmt.Sprintf("about %d events", one.Waiting)
		}
		rows[i] = table.Row{one.Scope.String(), ago(one.Since, s.At), one.By, one.Reason, waiting}
	}
	_, _ = fmt.Fprintln(w)
	grid(w, table.Row{"paused", "since", "by", "why", "waiting"}, rows, 4)
}
