package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/rollcall-sync/rollcall/test/mutants/patch"
)

// runner runs tests in the tree at root, each for no longer than limit.
type runner struct {
	root  string
	env   []string
	limit time.Duration
}

// verdict is what came of a mutant: killed by a test, or why it was not.
type verdict struct {
	killer string
	fault  string
	took   time.Duration
}

// survived is the fault of a mutant that no test notices.
const survived = "SURVIVED"

// try puts a mutant in and runs the tests that have to fail.
func (r runner) try(ctx context.Context, m mutant) verdict {
	began := time.Now()
	v := r.judge(ctx, m)
	v.took = time.Since(began)
	return v
}

func (r runner) judge(ctx context.Context, m mutant) verdict {
	dir, err := os.MkdirTemp("", "mutant-")
	if err != nil {
		return verdict{fault: err.Error()}
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left is in the folder for what is left
	list, err := patch.Overlay(r.root, dir, m.patch())
	if err != nil {
		return verdict{fault: err.Error()}
	}
	return verdictOf(r.test(ctx, m.tests(), strings.Fields(m.run), "-overlay", list))
}

// test runs tests of a folder and returns what they said.
func (r runner) test(ctx context.Context, folder string, tests []string, more ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, r.limit+time.Minute) // the rest is for building
	defer cancel()
	args := append([]string{"test", "-count=1", "-failfast", "-vet=off", "-timeout", r.limit.String(),
		"-run", "^(" + strings.Join(tests, "|") + ")$"}, more...)
	args = append(args, "./"+folder)
	if r.draws(folder) {
		args = append(args, "-rapid.nofailfile") // a draw that kills a mutant is not kept in the tree
	}
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the table's own arguments
	var said bytes.Buffer
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = r.root, append(os.Environ(), r.env...), &said, &said
	// The go command leaves the test behind when it is killed alone.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	return said.String(), errors.Join(err, ctx.Err())
}

// draws says whether tests of a folder are given values by rapid.
func (r runner) draws(folder string) bool {
	files, err := filepath.Glob(filepath.Join(r.root, folder, "*_test.go"))
	return err == nil && slices.ContainsFunc(files, func(name string) bool {
		source, err := os.ReadFile(name)
		return err == nil && bytes.Contains(source, []byte(`"pgregory.net/rapid"`))
	})
}

// failed is how a test says that it did.
var failed = regexp.MustCompile(`(?m)^--- FAIL: (\S+)`)

// verdictOf reads what the tests of a mutant said.
func verdictOf(said string, err error) verdict {
	switch hit := failed.FindStringSubmatch(said); {
	case err == nil && strings.Contains(said, "no tests to run"):
		return verdict{fault: "NO SUCH TEST"}
	case err == nil:
		return verdict{fault: survived}
	case strings.Contains(said, "[build failed]"), strings.Contains(said, "[setup failed]"):
		return verdict{fault: "DOES NOT COMPILE"}
	// A test that waits for ever says nothing: it may be the machine.
	case strings.Contains(said, "panic: test timed out"), errors.Is(err, context.DeadlineExceeded):
		return verdict{fault: "NO END IN TIME"}
	case errors.Is(err, context.Canceled):
		return verdict{fault: "NOT TRIED"}
	case hit != nil:
		return verdict{killer: hit[1]}
	case strings.Contains(said, "panic:"), strings.Contains(said, "fatal error:"):
		return verdict{killer: "a panic"}
	}
	return verdict{fault: fmt.Sprintf("NOT TRIED: %v: %s", err, tail(said))}
}

// tail is the last line that says anything.
func tail(said string) string {
	lines := strings.Split(strings.TrimSpace(said), "\n")
	return lines[len(lines)-1]
}
