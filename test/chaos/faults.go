package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/test/chaos/check"
	"github.com/rollcall-sync/rollcall/test/chaos/faults"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
	"github.com/rollcall-sync/rollcall/test/chaos/stage"
)

// seedsForAFault is how many seeds a fault may get away with.
const seedsForAFault = 5

// catch is what came of one fault.
type catch struct {
	fault faults.Fault
	// rules are those that were broken, by the first seed that broke any.
	rules []string
	seeds int
	took  time.Duration
	err   error
}

// breakAll runs each fault until a rule is broken, and prints which; the error says
// what was not caught.
func breakAll(ctx context.Context, o options, root string, out io.Writer) error {
	good := o.bin
	if good == "" {
		dir, err := os.MkdirTemp("", "chaos-bin-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir) //nolint:errcheck // it is in the folder for what may go away
		if err := stage.Build(ctx, root, dir); err != nil {
			return err
		}
		good = dir
	}
	list := slices.DeleteFunc(faults.All(), func(f faults.Fault) bool { return !strings.Contains(f.Name, o.only) })
	results := make([]chan catch, len(list))
	turn := make(chan struct{}, max(o.jobs, 1))
	for i, f := range list {
		results[i] = make(chan catch, 1)
		go func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			results[i] <- o.catch(ctx, root, good, f)
		}()
	}
	var missed []error
	for i := range list {
		c := <-results[i]
		fmt.Fprintf(out, "%-42s  %d seeds  %4.0f s  %s\n", c.fault.Name, c.seeds, c.took.Seconds(), c.says())
		if c.err != nil || len(c.rules) == 0 {
			missed = append(missed, fmt.Errorf("%s: %s: %s", c.fault.Name, c.says(), c.fault.Why))
		}
	}
	fmt.Fprintf(out, "%d faults, %d caught\n", len(list), len(list)-len(missed))
	return errors.Join(missed...)
}

func (c catch) says() string {
	switch {
	case c.err != nil:
		return c.err.Error()
	case len(c.rules) == 0:
		return "NOT CAUGHT"
	}
	return strings.Join(c.rules, "; ")
}

// catch runs programs with a fault in them until a rule is broken.
func (o options) catch(ctx context.Context, root, good string, f faults.Fault) catch {
	began := time.Now()
	c := catch{fault: f}
	c.err = func() error {
		bin, err := os.MkdirTemp("", "chaos-broken-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(bin) //nolint:errcheck // it is in the folder for what may go away
		if err := stage.Break(ctx, root, good, bin, f.Patch, f.Programs); err != nil {
			return err
		}
		for c.seeds < seedsForAFault && len(c.rules) == 0 {
			c.seeds++
			if c.rules, err = o.brokenRules(ctx, bin, o.seed+uint64(c.seeds)); err != nil { //nolint:gosec // a small count
				return err
			}
		}
		return nil
	}()
	c.took = time.Since(began)
	return c
}

// brokenRules are the rules that one run breaks.
func (o options) brokenRules(ctx context.Context, bin string, seed uint64) ([]string, error) {
	dir, err := os.MkdirTemp("", "chaos-broken-run-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // it is in the folder for what may go away
	d, err := stage.Run(ctx, plan.Draw(plan.Options{Seed: seed, Length: o.length(), Manual: o.manual}), bin, dir)
	if err != nil {
		return nil, err
	}
	d.Command = o.command(seed)
	if o.keep != "" {
		if err := d.Write(filepath.Join(o.keep, fmt.Sprintf("broken-%d.json.gz", seed))); err != nil {
			return nil, err
		}
	}
	var rules []string
	for _, v := range check.All(d) {
		if !slices.Contains(rules, v.Rule) {
			rules = append(rules, v.Rule)
		}
	}
	return rules, nil
}
