package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// check says which mutants do not fit the code: their text is not there once, they
// do not compile, or the tests that have to kill them are gone.
func check(ctx context.Context, root string, list []mutant) error {
	c := checker{root: root, fset: token.NewFileSet(), packages: map[string]compiled{}}
	if err := c.load(ctx, list); err != nil {
		return err
	}
	var faults []error
	names := map[string]bool{}
	for _, m := range list {
		if names[m.name] {
			faults = append(faults, fmt.Errorf("%s: there are two of this name", m.name))
		}
		names[m.name] = true
		faults = append(faults, c.compiles(m), c.hasTests(m))
	}
	return errors.Join(faults...)
}

// compiled is a package as go list has it, and how its importers see it.
type compiled struct {
	ImportPath, Dir, Export string
	GoFiles                 []string
}

// checker type-checks packages against what the compiler made of their imports:
// in a hundredth of the time that compiling takes.
type checker struct {
	root     string
	fset     *token.FileSet
	packages map[string]compiled
	imports  types.Importer
}

// load has the compiler make what the mutants' packages import.
func (c *checker) load(ctx context.Context, list []mutant) error {
	var folders []string
	for _, m := range list {
		folders = append(folders, "./"+m.folder())
	}
	slices.Sort(folders)
	args := append([]string{"list", "-export", "-deps", "-json=ImportPath,Dir,Export,GoFiles"}, slices.Compact(folders)...)
	cmd := exec.CommandContext(ctx, "go", args...) //nolint:gosec // the table's own folders
	var fault bytes.Buffer
	cmd.Dir, cmd.Stderr = c.root, &fault
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("go list: %w: %s", err, fault.String())
	}
	for each := json.NewDecoder(bytes.NewReader(out)); ; {
		var p compiled
		if err := each.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("go list: %w", err)
		}
		c.packages[p.ImportPath] = p
	}
	c.imports = importer.ForCompiler(c.fset, "gc", func(path string) (io.ReadCloser, error) {
		return os.Open(c.packages[path].Export)
	})
	return nil
}

// compiles type-checks a mutant's package with the fault in it.
func (c *checker) compiles(m mutant) error {
	broken, err := m.read(c.root)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.root, m.folder())
	for _, p := range c.packages {
		if p.Dir != dir {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			var source any
			if name == filepath.Base(m.file) {
				source = broken
			}
			f, err := parser.ParseFile(c.fset, filepath.Join(dir, name), source, parser.SkipObjectResolution)
			if err != nil {
				return fmt.Errorf("%s: does not compile: %w", m.name, err)
			}
			files = append(files, f)
		}
		if _, err := (&types.Config{Importer: c.imports}).Check(p.ImportPath, c.fset, files, nil); err != nil {
			return fmt.Errorf("%s: does not compile: %w", m.name, err)
		}
		return nil
	}
	return fmt.Errorf("%s: %s is in no package", m.name, m.file)
}

// hasTests says which of the tests that have to kill a mutant are not there.
func (c *checker) hasTests(m mutant) error {
	files, err := filepath.Glob(filepath.Join(c.root, m.tests(), "*_test.go"))
	if err != nil {
		return fmt.Errorf("%s: %w", m.name, err)
	}
	var sources bytes.Buffer
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
		sources.Write(source)
	}
	var gone []error
	for t := range strings.FieldsSeq(m.run) {
		if !bytes.Contains(sources.Bytes(), []byte("\nfunc "+t+"(t *testing.T)")) {
			gone = append(gone, fmt.Errorf("%s: %s has no test %s", m.name, m.tests(), t))
		}
	}
	if len(strings.Fields(m.run)) == 0 {
		gone = append(gone, fmt.Errorf("%s: it names no test", m.name))
	}
	return errors.Join(gone...)
}
