package house

import (
	"debug/buildinfo"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// The go command refuses to install a program whose module replaces anything,
// and go.work has to stand in for every version that is not tagged yet.
func TestModulesAskForEachOther(t *testing.T) {
	t.Parallel()
	tree := readWorkspace(t)
	stood := map[string]string{}
	for _, r := range tree.stands {
		if r.Old.Version != tree.version || house+strings.TrimPrefix(r.New.Path, "./") != r.Old.Path {
			t.Errorf("go.work: %s %s is %s, want the module's folder and one version for all (make next-version)", r.Old.Path, r.Old.Version, r.New.Path)
		}
		stood[r.Old.Path] = r.Old.Version
	}
	for _, dir := range tree.modules {
		file := readModule(t, dir)
		if file.Module.Mod.Path != house+dir {
			t.Errorf("%s/go.mod is of %s", dir, file.Module.Mod.Path)
		}
		for _, r := range file.Replace {
			t.Errorf("%s/go.mod replaces %s: go install refuses such a module; go.work is for that", dir, r.Old)
		}
		for _, x := range file.Exclude {
			t.Errorf("%s/go.mod excludes %s: go install refuses such a module", dir, x.Mod)
		}
		for _, r := range file.Require {
			if !strings.HasPrefix(r.Mod.Path, house) {
				continue
			}
			if r.Mod.Version != tree.version {
				t.Errorf("%s/go.mod asks for %s, want %s (make next-version)", dir, r.Mod, tree.version)
			}
			if stood[r.Mod.Path] == "" {
				t.Errorf("go.work has no folder for %s, which %s asks for", r.Mod, dir)
			}
		}
	}
}

// What people type: it comes out with the version, and of the same modules
// that the tree is built and tested with.
func TestInstall(t *testing.T) {
	t.Parallel()
	tree := readWorkspace(t)
	built := modulesOf(t, "./services/rollcall") // downloads what is missing, as any build of the tree does
	env := withProxy(t, newProxy(t, tree.public(), tree.version))

	bin := t.TempDir()
	run(t, bin, append(env, "GOBIN="+bin), "go", "install", house+"services/rollcall@"+tree.version)
	program := filepath.Join(bin, "rollcall")
	if out := run(t, bin, os.Environ(), program, "--version"); strings.TrimSpace(out) != "rollcall version "+tree.version {
		t.Errorf("rollcall --version says %q", out)
	}
	if out := run(t, bin, os.Environ(), program, "help"); !strings.Contains(out, "Available Commands:") {
		t.Errorf("rollcall help says %s", out)
	}

	info, err := buildinfo.ReadFile(program)
	if err != nil {
		t.Fatal(err)
	}
	named := required(readModule(t, "services/rollcall"))
	for _, m := range info.Deps {
		// What is missing is no failure of go install: it takes the newest there is.
		if named[m.Path] == "" {
			t.Errorf("services/rollcall/go.mod does not name %s, which the program is made of (make tidy-fix)", m.Path)
		}
		if want := built[m.Path]; m.Version != want && !strings.HasPrefix(m.Path, house) {
			t.Errorf("installed with %s %s, built and tested with %s: name that version in services/rollcall/go.mod", m.Path, m.Version, want)
		}
	}
}

// modulesOf are the modules that a program of the tree is made of, with their versions.
func modulesOf(t *testing.T, pkg string) map[string]string {
	t.Helper()
	out := run(t, inTree("."), append(os.Environ(), "GOWORK="), "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Version}}{{end}}", pkg)
	modules := map[string]string{}
	for line := range strings.Lines(out) {
		path, version, _ := strings.Cut(strings.TrimSpace(line), " ")
		modules[path] = version
	}
	return modules
}

// required are the modules that a go.mod names, with their versions.
func required(file *modfile.File) map[string]string {
	modules := map[string]string{}
	for _, r := range file.Require {
		modules[r.Mod.Path] = r.Mod.Version
	}
	return modules
}

// withProxy is an environment that knows a proxy of files and what this machine
// has downloaded already, and nothing else: no other proxy is asked for modules
// that only the working tree has, and no cache but a new one keeps them.
func withProxy(t *testing.T, proxy string) []string {
	t.Helper()
	cache := strings.TrimSpace(run(t, ".", os.Environ(), "go", "env", "GOMODCACHE"))
	return append(os.Environ(),
		"GOPROXY=file://"+filepath.ToSlash(proxy)+",file://"+filepath.ToSlash(cache)+"/cache/download",
		"GOMODCACHE="+t.TempDir(), "GOFLAGS=-modcacherw -trimpath", "GOWORK=off",
		"GOSUMDB=off", // go.sum vouched for what was downloaded
		"GOPRIVATE=", "GONOPROXY=", "GONOSUMDB=")
}

func run(t *testing.T, dir string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, env
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, errs.String())
	}
	return string(out)
}
