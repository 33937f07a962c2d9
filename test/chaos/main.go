package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rollcall-sync/rollcall/test/chaos/check"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
	"github.com/rollcall-sync/rollcall/test/chaos/stage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
		os.Exit(1)
	}
}

// options are the flags.
type options struct {
	seed    uint64
	seeds   int
	jobs    int
	minutes float64
	manual  bool
	quiet   bool
	judge   string
	faults  bool
	only    string
	keep    string
	bin     string
}

func parse(args []string) (options, error) {
	var o options
	f := flag.NewFlagSet("chaos", flag.ContinueOnError)
	f.Uint64Var(&o.seed, "seed", 0, "which plan; 0 for a fresh one, which is printed")
	f.IntVar(&o.seeds, "seeds", 1, "so many seeds, from the first one on")
	f.IntVar(&o.jobs, "jobs", 1, "so many of them at once")
	f.Float64Var(&o.minutes, "minutes", 2, "how long a run is to take in all; hostility is what its quiet end leaves of it")
	f.BoolVar(&o.manual, "manual", manualByDefault, "users are changed by hand, too")
	f.BoolVar(&o.quiet, "quiet", false, "do not print the plan")
	f.StringVar(&o.judge, "check", "", "judge the dump in this `file` again, and run nothing")
	f.BoolVar(&o.faults, "faults", false, "break the programs on purpose, one fault after another, and see each caught")
	f.StringVar(&o.only, "only", "", "with -faults, those with this in their `name`")
	f.StringVar(&o.keep, "keep", "", "`folder` for the dumps; those of runs that went wrong are kept anyway")
	f.StringVar(&o.bin, "bin", "", "`folder` of programs that are built already; empty: build them")
	err := f.Parse(args)
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano()) % 1_000_000_000
	}
	return o, err
}

// manualByDefault: what Salesforce has is read, and put right.
const manualByDefault = true

// quietEnd is about what the end of a run takes.
const quietEnd = 30 * time.Second

// shortest is hostility that is worth the name.
const shortest = 8 * time.Second

// length is how long hostility lasts.
func (o options) length() time.Duration {
	return max(time.Duration(o.minutes*float64(time.Minute))-quietEnd, shortest)
}

func (o options) plan(seed uint64) plan.Plan {
	return plan.Draw(plan.Options{Seed: seed, Length: o.length(), Manual: o.manual})
}

// command repeats a run.
func (o options) command(seed uint64) string {
	return fmt.Sprintf("make chaos SEED=%d MINUTES=%g MANUAL=%t", seed, o.minutes, o.manual)
}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return nil
	case err != nil:
		return err
	case o.judge != "":
		d, err := dump.Read(o.judge)
		if err != nil {
			return err
		}
		return judge(d, out)
	}
	root, err := stage.Root(ctx)
	if err != nil {
		return err
	}
	if o.faults {
		return breakAll(ctx, o, root, out)
	}
	if o.bin != "" {
		return o.all(ctx, o.bin, out)
	}
	bin, err := os.MkdirTemp("", "chaos-bin-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin) //nolint:errcheck // it is in the folder for what may go away
	if err := stage.Build(ctx, root, bin); err != nil {
		return err
	}
	return o.all(ctx, bin, out)
}

// judge prints what the checker says of a dump; its error says that a rule is broken.
func judge(d *dump.Dump, out io.Writer) error {
	broken := check.All(d)
	for _, b := range broken {
		fmt.Fprintln(out, b)
	}
	if len(broken) > 0 {
		check.Explain(d, broken, out)
		return fmt.Errorf("seed %d: %d violations; again: %s", d.Seed, len(broken), d.Command)
	}
	return nil
}

// one is a run and its judgement.
func (o options) one(ctx context.Context, bin string, seed uint64, out io.Writer) error {
	p := o.plan(seed)
	if !o.quiet {
		p.Print(out)
	}
	dir, err := os.MkdirTemp("", fmt.Sprintf("chaos-%d-", seed))
	if err != nil {
		return err
	}
	began := time.Now()
	d, err := stage.Run(ctx, p, bin, dir)
	if err != nil {
		return fmt.Errorf("seed %d (what is left is in %s): %w", seed, dir, err)
	}
	d.Command = o.command(seed)
	verdict := judge(d, out)
	if verdict != nil || o.keep != "" {
		file := filepath.Join(cmp.Or(o.keep, os.TempDir()), fmt.Sprintf("chaos-%d.json.gz", seed))
		if err := d.Write(file); err != nil {
			return errors.Join(verdict, err)
		}
		fmt.Fprintf(out, "the dump is %s: judge it again with go run ./test/chaos -check %s\n", file, file)
	}
	if verdict == nil {
		fmt.Fprintf(out, "seed %d: all rules hold, after %s; %s\n", seed, time.Since(began).Round(time.Second), check.Figures(d))
	}
	return errors.Join(verdict, os.RemoveAll(dir)) //nolint:gosec // a folder made above
}
