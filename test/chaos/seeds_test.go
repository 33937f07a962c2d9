package main

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/rollcall-sync/rollcall/test/chaos/stage"
)

//go:embed seeds
var seeds string

// inShort is how long a run of a test may take, in minutes.
const inShort = 0.7

// binVar names the folder of the programs for as long as the tests run.
const binVar = "ROLLCALL_CHAOS_BIN"

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "chaos-bin-")
	if err == nil {
		err = os.Setenv(binVar, dir)
	}
	if err != nil {
		panic(fmt.Sprintf("make a folder for the programs: %v", err))
	}
	defer func() { _ = os.RemoveAll(dir) }()
	m.Run()
}

// programs builds, once, everything that runs.
var programs = sync.OnceValues(func() (string, error) {
	ctx := context.Background()
	root, err := stage.Root(ctx)
	if err != nil {
		return "", err
	}
	return root, stage.Build(ctx, root, os.Getenv(binVar))
})

// built are the root of the tree and the folder of the programs.
func built(t *testing.T) (root, bin string) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds all programs and runs for a minute")
	}
	root, err := programs()
	if err != nil {
		t.Fatal(err)
	}
	return root, os.Getenv(binVar)
}

// TestSeedsThatWentWrong runs, in a short form, every seed of the list.
func TestSeedsThatWentWrong(t *testing.T) {
	t.Parallel()
	_, bin := built(t)
	for line := range strings.Lines(seeds) {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			seed, err := strconv.ParseUint(line, 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := (options{minutes: inShort, manual: manualByDefault}).one(t.Context(), bin, seed, &out); err != nil {
				t.Errorf("%v\n%s", err, &out)
			}
		})
	}
}

// TestAFaultIsCaught breaks the pusher, and wants a rule to notice: a checker that
// is content with everything would be content here.
func TestAFaultIsCaught(t *testing.T) {
	t.Parallel()
	root, bin := built(t)
	var out bytes.Buffer
	o := options{minutes: inShort, only: "a name stands in the log", seed: 1, bin: bin}
	if err := breakAll(t.Context(), o, root, &out); err != nil || !strings.Contains(out.String(), "1 faults, 1 caught") || !strings.Contains(out.String(), "7 nothing tells") {
		t.Errorf("%v\n%s", err, &out)
	}
}
