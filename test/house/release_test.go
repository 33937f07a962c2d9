package house

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the tags of a release yield is what TestInstall installs from: the same
// sums, from git and from the proxy of files.
func TestTaggedClone(t *testing.T) {
	t.Parallel()
	tree := readWorkspace(t)
	c := newClone(t)
	c.write("CHANGELOG.md", "# Changelog\n\n## ["+strings.TrimPrefix(tree.version, "v")+"]\n")
	c.commit("Release")
	c.make("tag", "VERSION="+tree.version)

	fromGit := append(c.env, "GOPROXY=direct", "GOVCS=*:git",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url."+c.dir+".insteadOf", "GIT_CONFIG_VALUE_0=https://"+strings.TrimSuffix(house, "/"),
		"GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw", "GOWORK=off", "GOSUMDB=off", "GOPRIVATE=", "GONOPROXY=")
	fromFiles := withProxy(t, newProxy(t, tree.public(), tree.version))
	for _, dir := range tree.public() {
		tagged, packed := sum(t, fromGit, dir, tree.version), sum(t, fromFiles, dir, tree.version)
		if tagged != packed {
			t.Errorf("%s@%s is %s from its tag and %s from the proxy of files", dir, tree.version, tagged, packed)
		}
	}
}

// sum is the hash of a module's archive, as go.sum would have it.
func sum(t *testing.T, env []string, dir, version string) string {
	t.Helper()
	var download struct{ Sum string }
	if err := json.Unmarshal([]byte(run(t, t.TempDir(), env, "go", "mod", "download", "-json", house+dir+"@"+version)), &download); err != nil {
		t.Fatal(err)
	}
	return download.Sum
}

// A release that would not hold together is refused, and all reasons are told.
func TestReleaseIsRefused(t *testing.T) {
	t.Parallel()
	tree := readWorkspace(t)
	c := newClone(t)
	c.refuses("release-check", "VERSION=unknown", "say which: VERSION=")
	c.refuses("release-check", "VERSION=v2.0.0", "modules would have other names")

	c.write("README.md", "changed")
	c.refuses("tag", "VERSION=v0.77.0", "ask each other for "+tree.version+", not for v0.77.0", "changes beside it", "no section [0.77.0]")

	c.make("next-version", "VERSION=v0.77.0")
	c.write("CHANGELOG.md", "## [0.77.0]\n")
	c.commit("Release")
	c.make("release-check", "VERSION=v0.77.0")
	c.make("tag", "VERSION=v0.77.0")
	if got, want := c.tags(), []string{"pkg/events/v0.77.0", "pkg/salesforce/v0.77.0", "services/rollcall/v0.77.0", "services/v0.77.0", "v0.77.0"}; !slices.Equal(got, want) {
		t.Errorf("tags %v, want %v", got, want)
	}
	c.refuses("tag", "VERSION=v0.77.0", "there is a tag v0.77.0", "there is a tag services/rollcall/v0.77.0")
}

// clone is a repository that holds what the working tree holds.
type clone struct {
	t   *testing.T
	dir string
	env []string
}

func newClone(t *testing.T) clone {
	t.Helper()
	c := clone{t: t, dir: t.TempDir()}
	// Whatever make runs these tests has its own ideas of VERSION, and whoever
	// runs them of git.
	c.env = append(slices.DeleteFunc(os.Environ(), func(v string) bool {
		name, _, _ := strings.Cut(v, "=")
		return strings.HasPrefix(name, "MAKE") || strings.HasPrefix(name, "GIT_") || name == "VERSION" || name == "MFLAGS"
	}), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_SYSTEM="+os.DevNull, "GIT_AUTHOR_NAME=house", "GIT_AUTHOR_EMAIL=house@rollcall.example",
		"GIT_COMMITTER_NAME=house", "GIT_COMMITTER_EMAIL=house@rollcall.example")
	for _, path := range listed(t, ".") {
		c.write(path, string(read(t, path)))
	}
	c.git("init", "--quiet")
	c.commit("As it is in the working tree")
	return c
}

func (c clone) write(path, content string) {
	c.t.Helper()
	at := filepath.Join(c.dir, filepath.FromSlash(path))
	if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

func (c clone) commit(message string) {
	c.t.Helper()
	c.git("add", "--all")
	c.git("commit", "--quiet", "--message", message)
}

func (c clone) tags() []string {
	c.t.Helper()
	return strings.Fields(c.git("tag"))
}

func (c clone) git(args ...string) string {
	c.t.Helper()
	return run(c.t, c.dir, c.env, "git", args...)
}

func (c clone) make(args ...string) {
	c.t.Helper()
	run(c.t, c.dir, c.env, "make", args...)
}

func (c clone) refuses(target, version string, reasons ...string) {
	c.t.Helper()
	before := c.tags()
	cmd := exec.CommandContext(c.t.Context(), "make", target, version)
	cmd.Dir, cmd.Env = c.dir, c.env
	out, err := cmd.CombinedOutput()
	if err == nil {
		c.t.Errorf("make %s %s was well", target, version)
	}
	for _, reason := range reasons {
		if !strings.Contains(string(out), reason) {
			c.t.Errorf("make %s %s does not say %q, but %s", target, version, reason, out)
		}
	}
	if after := c.tags(); !slices.Equal(before, after) {
		c.t.Errorf("make %s %s was refused and made tags %v", target, version, after)
	}
}
