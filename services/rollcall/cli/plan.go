package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/rollcall-sync/rollcall/services/assignment/preview"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/doctor"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
	"github.com/rollcall-sync/rollcall/services/rollcall/hrimport"
	"github.com/rollcall-sync/rollcall/services/rollcall/plan"
	"github.com/rollcall-sync/rollcall/services/rollcall/publish"
	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

// exitOver is the exit code of a plan that takes more away than passes the gate at
// once.
const exitOver = 3

// planning is the flags of `rollcall plan`.
type planning struct {
	publishing
	person  string
	offline bool
	timeout time.Duration
}

func newPlan(s Streams) *cobra.Command {
	p := &planning{publishing: publishing{streams: s, connection: connection{streams: s}}}
	c := &cobra.Command{
		Use:   "plan [FILE]",
		Short: "What a changed configuration, or an export, would do; nothing is sent",
		Long: `Say what would happen, and let nothing happen: with --config NEW what that
configuration would change for everybody, with FILE what publishing that export
would, under the configuration. It is what assignment would work out, over what is
stored now.

It shows people per rule before and after, who gets, loses or changes a user, each
field, profile, role, permission set and group, how many API calls that takes, and
of every org that answers which names it lacks and how many seats are free. Only
those whom a FILE names are looked at: who is not in it stays as they are. FILE is
read as ` + "`rollcall publish`" + ` reads it.

Without --config, that of a ` + "`rollcall up`" + ` on this machine is taken. The exit code
is 3 where more would be taken away in one org than passes the gate at once
(orgs.<name>.gate), 2 for wrong use and a configuration with faults, 1 where
something failed or rows of FILE cannot be used, else 0.`,
		Example: `  rollcall plan --config new.yaml
  rollcall plan workers.csv --mapping mapping.yaml --config rollcall.yaml
  rollcall plan --config new.yaml --person sample.person@example.com
  rollcall plan --config new.yaml -o json`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) > 1 {
				return wrongUse("%s takes one file at most (see %s --help)", c.CommandPath(), c.CommandPath())
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error { return p.run(c.Context(), args) },
	}
	f := c.Flags()
	f.StringVar(&p.mapping, "mapping", "", "column mapping `file` of a CSV export")
	f.StringVar(&p.source, "source", "", "`name` of the source in the configuration, for CloudEvents")
	f.StringVar(&p.person, "person", "", "look at `one` person: key, correlation id, userName, e-mail address or Salesforce username")
	f.BoolVar(&p.offline, "offline", false, "ask no org for names and seats")
	f.DurationVar(&p.timeout, "timeout", 15*time.Second, "give up on one question to an org after this long")
	p.format.flag(c)
	p.connection.flags(c)
	return c
}

func (p *planning) run(ctx context.Context, args []string) error {
	n := &p.connection
	if at := filepath.Join(up.DefaultDir, up.ConfigName); n.config == "" && fileExists(at) {
		n.config = at // so that whoever else looks for it finds the same
	}
	file, faults, err := n.read()
	if err = cmp.Or(err, faults); err != nil {
		return app.Usage(err)
	}
	if _, err := preview.New(nil, file, nil); err != nil {
		return app.Usage(fmt.Errorf("%s:\n%w", n.config, err))
	}
	o := plan.Options{File: file}
	unusable := 0
	if len(args) == 1 {
		read, done, err := p.publication(args[0], &unusable)
		if err != nil {
			return err
		}
		defer done()
		o.Publication = read
	}
	r, err := p.make(ctx, o)
	if err != nil {
		return err
	}
	if err := p.show(r); err != nil {
		return err
	}
	switch {
	case r.Over:
		return exitStatus(exitOver)
	case unusable > 0:
		return errReported
	}
	return nil
}

// make connects, finds the person, and plans.
func (p *planning) make(ctx context.Context, o plan.Options) (plan.Report, error) {
	sess, err := p.connection.open(ctx)
	if err != nil {
		return plan.Report{}, err
	}
	defer sess.close()
	o.Bus = sess.bus
	if o.Keyer = sess.keyer; o.Keyer == nil && o.Publication != nil {
		return plan.Report{}, wrongUse("deployment.keyFile is not set in %s, and nobody in the file can be recognised without it", p.connection.config)
	}
	if p.person != "" {
		key, err := operator.New(sess.bus, sess.tel, sess.keyer).Key(ctx, p.person)
		switch {
		case err == nil:
			o.Person = key
		case errors.Is(err, operator.ErrNobody) && o.Publication != nil && o.Keyer != nil:
			o.Person = o.Keyer.Person(p.person) // they may be new in the file
		default:
			return plan.Report{}, explainFind(err, p.person)
		}
	}
	if !p.offline {
		examine := doctor.Doctor{File: o.File, Timeout: p.timeout, Slow: (&waiting{w: p.streams.Err}).say}
		o.Ask = func(ctx context.Context, org string) doctor.Supply { return examine.Supply(ctx, sess.bus, org) }
	}
	return plan.Make(ctx, o)
}

// publication reads a file as publish does; rows that cannot be used are reported
// and counted.
func (p *planning) publication(path string, unusable *int) (read preview.Publication, done func(), err error) {
	in, err := p.openFile(path)
	if err != nil {
		return nil, nil, err
	}
	file, remove, err := hrimport.Rewindable(in)
	if err != nil {
		return nil, nil, errors.Join(err, in.Close())
	}
	done = func() {
		remove()
		_ = in.Close()
	}
	x, err := p.reader(path, file)
	if err != nil {
		done()
		return nil, nil, app.Usage(err)
	}
	var problems publish.Result
	if _, err := publish.Survey(x.read, file, func(row hrimport.Row) error {
		problems.Rows++
		if len(row.Problems) > 0 {
			problems.Unusable++
			for _, one := range row.Problems[:min(len(row.Problems), max(0, maxProblems-len(problems.Problems)))] {
				problems.Problems = append(problems.Problems, publish.Problem(one))
			}
		}
		return nil
	}); err != nil {
		done()
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	*unusable = problems.Unusable
	p.reportUnusable(problems)
	return replay(x.read, file), done, nil
}

// maxProblems is how many rows that cannot be used are listed.
const maxProblems = 100

func (p *planning) reportUnusable(r publish.Result) {
	if r.Unusable == 0 {
		return
	}
	for _, one := range r.Problems {
		_, _ = fmt.Fprintf(p.streams.Err, "line %d %s: %s\n", one.Line, one.Column, one.Reason)
	}
	_, _ = fmt.Fprintf(p.streams.Err, "%d of %d rows cannot be used and are not in the plan.\n", r.Unusable, r.Rows)
}

// replay reads a file from its beginning, as often as it is asked.
func replay(rows publish.Reader, file io.ReadSeeker) preview.Publication {
	return func(each func(preview.Row) error) error {
		_, err := publish.Survey(rows, file, func(row hrimport.Row) error {
			if row.Event == nil || len(row.Problems) > 0 {
				return nil
			}
			return each(preview.Row{Line: row.Line, Subject: row.Subject, Data: row.Data})
		})
		return err
	}
}

func (p *planning) show(r plan.Report) error {
	if p.format == outputJSON {
		return printJSON(p.streams.Out, r)
	}
	plan.Print(p.streams.Out, r, widthOf(p.streams.Out))
	return nil
}
