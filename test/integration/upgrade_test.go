//go:build !containers

package integration

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// previousVar names the commit that is upgraded from, the last one by default.
const previousVar = "ROLLCALL_PREVIOUS"

// TestRollingUpgrade replaces every service of the previous commit by this one's
// while people arrive, and then goes back: both work side by side on the same
// streams, by the previous commit's configuration.
func TestRollingUpgrade(t *testing.T) {
	parallel(t)
	tree := previous(t)
	r := newRigOf(t, filepath.Join(tree, "test/integration/testdata/rollcall.yaml"), nil)
	arrived := 0
	for _, name := range services() {
		r.add(name+"-previous", filepath.Join(tree, name), "--config", r.configPath())
		r.procs[name].stop()
	}
	r.arrive(&arrived)
	for _, name := range services() {
		r.replace(name+"-previous", name, &arrived)
	}
	for _, name := range services() {
		r.replace(name, name+"-previous", &arrived)
	}
	r.awaitQuiet(quietWithin)
	if n := len(r.users()); n != arrived {
		t.Errorf("%d users, want %d", n, arrived)
	}
	if st, err := r.status(t.Context()); err != nil || len(st.Parked) != 0 {
		t.Errorf("parked %v, error %v", st.Parked, err)
	}
}

// replace lets one program work beside another and then alone, while people arrive.
func (r *rig) replace(from, to string, arrived *int) {
	r.t.Helper()
	r.procs[to].start(r.t)
	r.arrive(arrived)
	r.procs[from].stop()
	r.arrive(arrived)
}

// previous builds the services of the previous commit and returns the folder
// with its tree and the programs.
func previous(t *testing.T) string {
	t.Helper()
	commit := os.Getenv(previousVar)
	if commit == "" {
		commit = "HEAD^"
	}
	if out, err := exec.CommandContext(t.Context(), "git", "rev-parse", "--verify", commit+"^{commit}").CombinedOutput(); err != nil {
		t.Skipf("no commit %s to upgrade from (a shallow clone has none; %s names another): %v: %s", commit, previousVar, err, out)
	}
	dir := t.TempDir()
	archive := exec.CommandContext(t.Context(), "git", "-C", "../..", "archive", commit)
	unpack := exec.CommandContext(t.Context(), "tar", "-x", "-C", dir)
	var packing, unpacking bytes.Buffer
	archive.Stderr, unpack.Stderr = &packing, &unpacking
	var err error
	if unpack.Stdin, err = archive.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := unpack.Start(); err != nil {
		t.Fatal(err)
	}
	if err := archive.Run(); err != nil {
		t.Fatalf("pack %s: %v: %s", commit, err, &packing)
	}
	if err := unpack.Wait(); err != nil {
		t.Fatalf("unpack %s: %v: %s", commit, err, &unpacking)
	}
	for _, name := range services() {
		build := exec.CommandContext(t.Context(), "go", "build", "-o", name, "./services/"+name)
		build.Dir = dir
		build.Env = append(os.Environ(), "GOWORK="+filepath.Join(dir, "go.work"))
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("build %s of %s: %v\n%s", name, commit, err, strings.TrimSpace(string(out)))
		}
	}
	return dir
}
