package house

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/modfile"
)

// The two modules that people import: their README's example is a program that
// does what it says in a module of somebody else, and brings no more along than
// the README says.
func TestLibraries(t *testing.T) {
	t.Parallel()
	tree := readWorkspace(t)
	for _, dir := range tree.public() {
		if !strings.HasPrefix(dir, "pkg/") {
			continue
		}
		t.Run(dir, func(t *testing.T) {
			t.Parallel()
			run(t, inTree(dir), append(os.Environ(), "GOWORK="), "go", "list", "-deps", "./...") // downloads what is missing
			env := withProxy(t, newProxy(t, []string{dir}, tree.version))
			readme := readReadme(t, dir)

			scratch := t.TempDir()
			if err := os.WriteFile(filepath.Join(scratch, "main.go"), []byte(readme.program), 0o644); err != nil {
				t.Fatal(err)
			}
			run(t, scratch, env, "go", "mod", "init", "program.example")
			run(t, scratch, env, "go", "get", house+dir+"@"+tree.version)
			if got := run(t, scratch, env, "go", "run", "."); got != readme.prints {
				t.Errorf("the example prints\n%sand %s/README.md says\n%s", got, dir, readme.prints)
			}

			content, err := os.ReadFile(filepath.Join(scratch, "go.mod"))
			if err != nil {
				t.Fatal(err)
			}
			file, err := modfile.Parse("go.mod", content, nil)
			if err != nil {
				t.Fatal(err)
			}
			wantModules(t, "who imports "+dir+" gets", file, append(readme.needs, house+dir))
			wantModules(t, dir+"/go.mod names", readModule(t, dir), slices.Concat(readme.needs, readme.tests))
		})
	}
}

func wantModules(t *testing.T, who string, file *modfile.File, want []string) {
	t.Helper()
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(required(file))); !slices.Equal(got, want) {
		t.Errorf("%s %v, and its README says %v", who, got, want)
	}
}

// readme is what the README of a library says that can be tried.
type readme struct {
	program, prints string
	needs, tests    []string // modules: for all, and for its own tests only
}

var (
	example = regexp.MustCompile("(?s)```go\n(package main\n.*?)```\n\nIt prints:\n\n```\n(.*?)```\n")
	row     = regexp.MustCompile("(?m)^\\| (`.*`) \\| (.*) \\|$")
	code    = regexp.MustCompile("`([^`]+)`")
)

func readReadme(t *testing.T, dir string) readme {
	t.Helper()
	page := string(read(t, dir+"/README.md"))
	parts := example.FindStringSubmatch(page)
	if parts == nil {
		t.Fatalf("%s/README.md has no program and what it prints", dir)
	}
	r := readme{program: parts[1], prints: parts[2]}
	_, list, found := strings.Cut(page, "\n## What it needs\n")
	if !found {
		t.Fatalf("%s/README.md does not say what it needs", dir)
	}
	for _, module := range row.FindAllStringSubmatch(list, -1) {
		for _, name := range code.FindAllStringSubmatch(module[1], -1) {
			if strings.Contains(module[2], "its own tests only") {
				r.tests = append(r.tests, name[1])
			} else {
				r.needs = append(r.needs, name[1])
			}
		}
	}
	return r
}
