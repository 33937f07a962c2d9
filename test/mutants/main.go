package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

// run tries the mutants that args ask for and prints the table. Its error says
// that not all were killed.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	jobs := flags.Int("jobs", runtime.NumCPU(), "how many are tried at once")
	limit := flags.Duration("limit", 2*time.Minute, "how long the tests of one may take")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := treeRoot(ctx)
	if err != nil {
		return err
	}
	chosen := slices.DeleteFunc(all(), func(m mutant) bool { return !m.matches(flags.Args()) })
	if len(chosen) == 0 {
		return fmt.Errorf("none has %s in its name or file", strings.Join(flags.Args(), " or "))
	}
	r := runner{root: root, limit: *limit}
	if err := r.unbroken(ctx, chosen); err != nil {
		return err
	}
	return r.all(ctx, chosen, *jobs, out)
}

// treeRoot is the folder of go.work.
func treeRoot(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	work := strings.TrimSpace(string(said))
	if err != nil || filepath.Base(work) != "go.work" {
		return "", fmt.Errorf("go.work is not found (%q): run this in the tree: %w", work, errors.Join(err, os.ErrNotExist))
	}
	return filepath.Dir(work), nil
}

// unbroken sees all tests pass without a fault: one that fails anyway kills
// whatever one likes.
func (r runner) unbroken(ctx context.Context, list []mutant) error {
	tests := map[string]map[string]bool{}
	for _, m := range list {
		for t := range strings.FieldsSeq(m.run) {
			if tests[m.tests()] == nil {
				tests[m.tests()] = map[string]bool{}
			}
			tests[m.tests()][t] = true
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(tests)) {
		said, err := r.test(ctx, folder, slices.Sorted(maps.Keys(tests[folder])))
		if err != nil {
			return fmt.Errorf("the tests of %s fail without any mutant: %w\n%s", folder, err, said)
		}
	}
	return nil
}

// all tries mutants, some at once, and prints what came of each, in their order.
func (r runner) all(ctx context.Context, list []mutant, jobs int, out io.Writer) error {
	began := time.Now()
	turn := make(chan struct{}, max(jobs, 1))
	results := make([]chan verdict, len(list))
	for i, m := range list {
		results[i] = make(chan verdict, 1)
		go func() {
			turn <- struct{}{}
			defer func() { <-turn }()
			results[i] <- r.try(ctx, m)
		}()
	}
	wide, killed := widths(list), 0
	fmt.Fprintf(out, "%-*s  %-*s  %7s  %s\n", wide.name, "mutant", wide.file, "file", "seconds", "killed by")
	var alive []error
	for i, m := range list {
		v := <-results[i]
		says := v.killer
		if v.killer == "" {
			says = v.fault
			alive = append(alive, fmt.Errorf("%s: %s\n\t%s: %q\n\tbecame %q: %s", m.name, v.fault, m.file, m.old, m.new, m.why))
		} else {
			killed++
		}
		fmt.Fprintf(out, "%-*s  %-*s  %7.1f  %s\n", wide.name, m.name, wide.file, m.short(), v.took.Seconds(), says)
	}
	fmt.Fprintf(out, "%d mutants, %d killed, in %s\n", len(list), killed, time.Since(began).Round(time.Second))
	return errors.Join(alive...)
}

// short is the file from its service on.
func (m mutant) short() string { return strings.TrimPrefix(m.file, "services/") }

type columns struct{ name, file int }

func widths(list []mutant) columns {
	var w columns
	for _, m := range list {
		w.name, w.file = max(w.name, len(m.name)), max(w.file, len(m.short()))
	}
	return w
}
