package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestEveryMutantFitsTheCode: its text is there once, it compiles, and the tests
// that have to kill it are there. Whether they do, make mutants tells.
func TestEveryMutantFitsTheCode(t *testing.T) {
	t.Parallel()
	root, err := treeRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := check(t.Context(), root, all()); err != nil {
		t.Error(err)
	}
}

const (
	sum = `package sum

// Sum adds what is positive.
func Sum(list ...int) (n int) {
	for _, i := range list {
		if i > 0 {
			n += i
		}
	}
	return n
}
`
	sumTest = `package sum

import "testing"

func TestSum(t *testing.T) {
	if got := Sum(1, 2, -3); got != 3 {
		t.Errorf("%d", got)
	}
}

func TestNothing(t *testing.T) {}

func TestForEver(t *testing.T) {
	for Sum(1) == 1 {
	}
}
`
)

// tree is one of a single package, with a test that notices some faults.
func tree(t *testing.T) runner {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{"go.mod": "module sum\n\ngo 1.26.0\n", "sum/sum.go": sum, "sum/sum_test.go": sumTest} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return runner{root: root, env: []string{"GOWORK=off"}, limit: time.Minute}
}

func broken(old, mutated, run string) mutant {
	return mutant{name: "sum: " + old, file: "sum/sum.go", old: old, new: mutated, run: run}
}

// TestAVerdictIsTheTests: killed by the test that fails, and by nothing else that
// may go wrong.
func TestAVerdictIsTheTests(t *testing.T) {
	t.Parallel()
	r := tree(t)
	for name, c := range map[string]struct {
		m             mutant
		killer, fault string
	}{
		"noticed":                  {broken("n += i", "n -= i", "TestNothing TestSum"), "TestSum", ""},
		"not noticed":              {broken("i > 0", "i >= 0", "TestSum"), "", survived},
		"by another test":          {broken("n += i", "n -= i", "TestNothing"), "", survived},
		"panics":                   {broken("n += i", "panic(i)", "TestSum"), "TestSum", ""},
		"does not compile":         {broken("n += i", "n += j", "TestSum"), "", "DOES NOT COMPILE"},
		"no such test":             {broken("n += i", "n -= i", "TestNone"), "", "NO SUCH TEST"},
		"a text that is not there": {broken("n -= i", "n += i", "TestSum"), "", "stands 0 times"},
		"a text that is twice":     {broken("n", "m", "TestSum"), "", "must be once"},
		"changes nothing":          {broken("n += i", "n += i", "TestSum"), "", "changes nothing"},
	} {
		v := r.try(t.Context(), c.m)
		if v.killer != c.killer || (v.fault == "") != (c.fault == "") || !strings.Contains(v.fault, c.fault) {
			t.Errorf("%s: %+v, want killed by %q, or %q", name, v, c.killer, c.fault)
		}
	}
	r.limit = time.Second
	if v := r.try(t.Context(), broken("n += i", "n += i + 0", "TestForEver")); v.fault != "NO END IN TIME" {
		t.Errorf("without an end: %+v", v)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if v := r.try(ended, broken("n += i", "n -= i", "TestSum")); v.fault != "NOT TRIED" {
		t.Errorf("interrupted: %+v", v)
	}
	if now, err := os.ReadFile(filepath.Join(r.root, "sum/sum.go")); err != nil || string(now) != sum {
		t.Errorf("the tree was changed: %s, %v", now, err)
	}
}

// TestASurvivorFailsTheRun, and the table names everybody in order.
func TestASurvivorFailsTheRun(t *testing.T) {
	t.Parallel()
	r := tree(t)
	killed, alive := broken("n += i", "n -= i", "TestSum"), broken("i > 0", "i >= 0", "TestSum")
	var out bytes.Buffer
	if err := r.all(t.Context(), []mutant{killed}, 1, &out); err != nil || !strings.Contains(out.String(), "1 mutants, 1 killed") {
		t.Errorf("%v:\n%s", err, &out)
	}
	out.Reset()
	err := r.all(t.Context(), []mutant{killed, alive}, 2, &out)
	if err == nil || !strings.Contains(err.Error(), "sum: i > 0: SURVIVED") || strings.Contains(err.Error(), killed.name) {
		t.Errorf("the error is %v", err)
	}
	if table := out.String(); strings.Index(table, killed.name) > strings.Index(table, alive.name) || !strings.Contains(table, "2 mutants, 1 killed") {
		t.Errorf("the table is\n%s", table)
	}
	if err := r.unbroken(t.Context(), []mutant{killed}); err != nil {
		t.Errorf("tests that pass: %v", err)
	}
	failing := killed
	failing.run = "TestForEver"
	r.limit = time.Second
	if err := r.unbroken(t.Context(), []mutant{failing}); err == nil {
		t.Error("tests that fail anyway kill whatever one likes")
	}
}

func TestMutantsAreAskedForByNameOrFile(t *testing.T) {
	t.Parallel()
	m := mutant{name: "plan: two owners", file: "services/salesforce-pusher/plan/learn.go"}
	for asked, want := range map[string]bool{"": true, "plan": true, "owners": true, "plan/learn": true, "learn.go": true, "push": false, "services": false} {
		if m.matches(strings.Fields(asked)) != want {
			t.Errorf("%q: %v", asked, !want)
		}
	}
	if err := run(t.Context(), []string{"no such mutant"}, &bytes.Buffer{}); err == nil {
		t.Error("asked for none, and it ran")
	}
}
