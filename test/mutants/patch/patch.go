// Package patch puts faults into code without touching the tree: a text that
// stands in a file once, and what stands there instead. The go command compiles
// the result by an overlay.
package patch

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strconv"
)

// Patch is one text in place of another.
type Patch struct {
	Name string
	// File, from the root of the tree, holds Old exactly once; New stands in its
	// place.
	File     string
	Old, New string
}

// In returns the source with the patch in it.
func (p Patch) In(source []byte) ([]byte, error) {
	switch n := bytes.Count(source, []byte(p.Old)); {
	case n != 1:
		return nil, fmt.Errorf("%s: its text stands %d times in %s, must be once: bring it up to date", p.Name, n, p.File)
	case p.Old == p.New:
		return nil, fmt.Errorf("%s: it changes nothing", p.Name)
	}
	return bytes.Replace(source, []byte(p.Old), []byte(p.New), 1), nil
}

// Read returns the file below root with the patch in it.
func (p Patch) Read(root string) ([]byte, error) {
	source, err := os.ReadFile(filepath.Join(root, p.File))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return p.In(source)
}

// folder of the package that the patch is in.
func (p Patch) folder() string { return path.Dir(p.File) }

// Overlay writes into dir what the go command takes in place of the patched files,
// and returns the name of the list, for -overlay. Patches of one file are put in
// one after the other.
func Overlay(root, dir string, patches ...Patch) (string, error) {
	var files []string
	sources := map[string][]byte{}
	for _, p := range patches {
		source, known := sources[p.File]
		if !known {
			var err error
			if source, err = os.ReadFile(filepath.Join(root, p.File)); err != nil {
				return "", fmt.Errorf("%s: %w", p.Name, err)
			}
			files = append(files, p.File)
		}
		patched, err := p.In(source)
		if err != nil {
			return "", err
		}
		sources[p.File] = patched
	}
	replace := map[string]string{}
	for i, file := range files {
		instead := filepath.Join(dir, strconv.Itoa(i)+"-"+filepath.Base(file))
		if err := os.WriteFile(instead, sources[file], 0o600); err != nil {
			return "", fmt.Errorf("overlay: %w", err)
		}
		replace[filepath.Join(root, file)] = instead
	}
	data, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, data, 0o600); err != nil {
		return "", fmt.Errorf("overlay: %w", err)
	}
	return list, nil
}
