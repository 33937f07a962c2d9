package emulator

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Save writes orgs, rows, refusals, planted usernames and refresh tokens as
// JSON. The file holds secrets.
func (s *Server) Save(w io.Writer) error { return s.set.Save(w) }

// Load fills a server that has no orgs from what Save wrote.
func (s *Server) Load(r io.Reader) error { return s.set.Load(r) }

// SaveFile saves to a file: complete or not at all.
func (s *Server) SaveFile(path string) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*")
	if err != nil {
		return fmt.Errorf("emulator: save: %w", err)
	}
	defer func() { _ = os.Remove(f.Name()) }() // gone already when the rename worked
	err = s.Save(f)
	if cerr := f.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("emulator: save: %w", cerr)
	}
	if err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fmt.Errorf("emulator: save: %w", err)
	}
	return nil
}

// LoadFile loads what SaveFile wrote.
func (s *Server) LoadFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("emulator: load: %w", err)
	}
	defer func() { _ = f.Close() }() // it was only read
	return s.Load(bufio.NewReader(f))
}
