package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rollcall-sync/rollcall/test/mutants/patch"
)

// check says which mutants do not fit the code: their text is not there once, they
// do not compile, or the tests that have to kill them are gone.
func check(ctx context.Context, root string, list []mutant) error {
	var faults []error
	var patches []patch.Patch
	names := map[string]bool{}
	for _, m := range list {
		if names[m.name] {
			faults = append(faults, fmt.Errorf("%s: there are two of this name", m.name))
		}
		names[m.name] = true
		patches = append(patches, m.patch())
		faults = append(faults, m.hasTests(root))
	}
	return errors.Join(append(faults, patch.Compiles(ctx, root, patches))...)
}

// hasTests says which of the tests that have to kill a mutant are not there.
func (m mutant) hasTests(root string) error {
	files, err := filepath.Glob(filepath.Join(root, m.tests(), "*_test.go"))
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
