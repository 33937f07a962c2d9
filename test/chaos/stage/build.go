package stage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/test/chaos/plan"
	"github.com/rollcall-sync/rollcall/test/mutants/patch"
)

// Root is the folder of go.work.
func Root(ctx context.Context) (string, error) {
	said, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
	work := strings.TrimSpace(string(said))
	if err != nil || filepath.Base(work) != "go.work" {
		return "", fmt.Errorf("go.work is not found (%q): run this in the tree: %w", work, errors.Join(err, os.ErrNotExist))
	}
	return filepath.Dir(work), nil
}

// programs are what runs, by name, with their packages.
func programs() map[string]string {
	out := map[string]string{"rollcall": "./services/rollcall", "nats-server": "github.com/nats-io/nats-server/v2"}
	for name := range plan.Services() {
		out[name] = "./services/" + name
	}
	return out
}

// Build makes all programs in dir, hurried.
func Build(ctx context.Context, root, dir string) error {
	return build(ctx, root, dir, programs())
}

// Break makes in dir some programs with a fault in them; the others are those of good.
func Break(ctx context.Context, root, good, dir string, fault patch.Patch, broken []string) error {
	some := map[string]string{}
	for name, pkg := range programs() {
		if slices.Contains(broken, name) {
			some[name] = pkg
			continue
		}
		if err := os.Symlink(filepath.Join(good, name), filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("build: %w", err)
		}
	}
	return build(ctx, root, dir, some, fault)
}

func build(ctx context.Context, root, dir string, programs map[string]string, faults ...patch.Patch) error {
	overlay, err := os.MkdirTemp("", "chaos-overlay-")
	if err != nil {
		return fmt.Errorf("build: %w", err)
	}
	defer os.RemoveAll(overlay) //nolint:errcheck // it is in the folder for what may go away
	list, err := patch.Overlay(root, overlay, append(Hurry(), faults...)...)
	if err != nil {
		return err
	}
	for name, pkg := range programs {
		cmd := exec.CommandContext(ctx, "go", "build", "-overlay", list, "-o", filepath.Join(dir, name), pkg) //nolint:gosec // our own packages
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w\n%s", name, err, out)
		}
	}
	return nil
}
