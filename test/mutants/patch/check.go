package patch

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
)

// Compiles says which patches do not fit the code: their text is not there once,
// or what comes of it does not compile.
func Compiles(ctx context.Context, root string, list []Patch) error {
	c := checker{root: root, fset: token.NewFileSet(), packages: map[string]compiled{}}
	if err := c.load(ctx, list); err != nil {
		return err
	}
	var faults []error
	for _, p := range list {
		faults = append(faults, c.compiles(p))
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

// load has the compiler make what the patches' packages import.
func (c *checker) load(ctx context.Context, list []Patch) error {
	var folders []string
	for _, p := range list {
		folders = append(folders, "./"+p.folder())
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

// compiles type-checks a package with the patch in it.
func (c *checker) compiles(fault Patch) error {
	broken, err := fault.Read(c.root)
	if err != nil {
		return err
	}
	dir := filepath.Join(c.root, fault.folder())
	for _, p := range c.packages {
		if p.Dir != dir {
			continue
		}
		var files []*ast.File
		for _, name := range p.GoFiles {
			var source any
			if name == filepath.Base(fault.File) {
				source = broken
			}
			f, err := parser.ParseFile(c.fset, filepath.Join(dir, name), source, parser.SkipObjectResolution)
			if err != nil {
				return fmt.Errorf("%s: does not compile: %w", fault.Name, err)
			}
			files = append(files, f)
		}
		if _, err := (&types.Config{Importer: c.imports}).Check(p.ImportPath, c.fset, files, nil); err != nil {
			return fmt.Errorf("%s: does not compile: %w", fault.Name, err)
		}
		return nil
	}
	return fmt.Errorf("%s: %s is in no package", fault.Name, fault.File)
}
