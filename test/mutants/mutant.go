package main

import (
	"path"
	"strings"

	"github.com/rollcall-sync/rollcall/test/mutants/patch"
)

// mutant is one fault put into the code.
type mutant struct {
	// name says what is broken: the room, and the rule that does not hold.
	name string
	// file, from the root of the tree, holds old exactly once; new stands in its
	// place.
	file     string
	old, new string
	// why is what goes wrong in an installation that has it.
	why string
	// run names the tests that have to fail, separated by spaces; by is the folder
	// they are in, that of file where it is empty.
	run, by string
}

// matches says whether a mutant is one of those asked for: all where nothing is.
// The folder of a service does not count: it would be asked for with its rooms.
func (m mutant) matches(asked []string) bool {
	room := path.Join(path.Base(m.folder()), path.Base(m.file))
	for _, a := range asked {
		if strings.Contains(m.name, a) || strings.Contains(room, a) {
			return true
		}
	}
	return len(asked) == 0
}

func (m mutant) folder() string { return path.Dir(m.file) }

// tests is the folder of the tests that have to fail.
func (m mutant) tests() string {
	if m.by != "" {
		return m.by
	}
	return m.folder()
}

// patch is what is put into the code.
func (m mutant) patch() patch.Patch {
	return patch.Patch{Name: m.name, File: m.file, Old: m.old, New: m.new}
}
