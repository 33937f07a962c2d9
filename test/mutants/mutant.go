package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
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

// in returns the source with the fault in it.
func (m mutant) in(source []byte) ([]byte, error) {
	switch n := bytes.Count(source, []byte(m.old)); {
	case n != 1:
		return nil, fmt.Errorf("%s: its text stands %d times in %s, must be once: bring it up to date", m.name, n, m.file)
	case m.old == m.new:
		return nil, fmt.Errorf("%s: it changes nothing", m.name)
	}
	return bytes.Replace(source, []byte(m.old), []byte(m.new), 1), nil
}

// read returns the file below root with the fault in it.
func (m mutant) read(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, m.file))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.name, err)
	}
	return m.in(source)
}

// overlay writes into dir what the go command takes in place of the file.
func (m mutant) overlay(root, dir string) (string, error) {
	broken, err := m.read(root)
	if err != nil {
		return "", err
	}
	instead, list := filepath.Join(dir, filepath.Base(m.file)), filepath.Join(dir, "overlay.json")
	data, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(root, m.file): instead}})
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.name, err)
	}
	if err := os.WriteFile(instead, broken, 0o600); err != nil {
		return "", fmt.Errorf("%s: %w", m.name, err)
	}
	if err := os.WriteFile(list, data, 0o600); err != nil {
		return "", fmt.Errorf("%s: %w", m.name, err)
	}
	return list, nil
}
