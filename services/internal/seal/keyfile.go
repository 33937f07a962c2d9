package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tink-crypto/tink-go/v2/aead"
	"github.com/tink-crypto/tink-go/v2/insecurecleartextkeyset"
	"github.com/tink-crypto/tink-go/v2/keyset"
)

// keyFileMode lets nobody but the owner read the keys.
const keyFileMode fs.FileMode = 0o600

// Load reads the keyset at path. A file that others may write is refused: they
// could have tokens sealed under a key of theirs. One that others may read is
// not, because that is how a secret is mounted into a container; see
// [Sealer.OpenToOthers].
func Load(path string) (*Sealer, error) {
	h, info, err := read(path)
	if err != nil {
		return nil, err
	}
	s := &Sealer{path: path}
	return s, s.load(h, info)
}

// Reload reads the key file again if it changed, and says whether it did.
func (s *Sealer) Reload() (bool, error) {
	info, err := os.Stat(s.path)
	if err != nil {
		return false, fmt.Errorf("token key file: %w", err)
	}
	s.mu.RLock()
	same := os.SameFile(info, s.file) && info.ModTime().Equal(s.file.ModTime()) && info.Size() == s.file.Size()
	s.mu.RUnlock()
	if same {
		return false, nil
	}
	h, info, err := read(s.path)
	if err != nil {
		return false, err
	}
	return true, s.load(h, info)
}

// Rotate adds a new key to the keyset at path, under which everything is sealed
// from now on. The old keys stay and still open.
func Rotate(path string) error {
	h, info, err := read(path)
	if err != nil {
		return err
	}
	m := keyset.NewManagerFromHandle(h)
	id, err := m.Add(aead.AES256GCMKeyTemplate())
	if err != nil {
		return fmt.Errorf("add to token keyset: %w", err)
	}
	if err := m.SetPrimary(id); err != nil {
		return fmt.Errorf("add to token keyset: %w", err)
	}
	if h, err = m.Handle(); err != nil {
		return fmt.Errorf("add to token keyset: %w", err)
	}
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&buf)); err != nil {
		return fmt.Errorf("write token keyset: %w", err)
	}
	if err := writeWhole(path, buf.Bytes(), info.Mode().Perm(), os.Rename); err != nil {
		return fmt.Errorf("write token key file: %w", err)
	}
	return nil
}

// OpenToOthers says whether people read the keyset who need not: it is this
// user's own file, and not for this user alone. A mounted secret is another
// user's file, which only its being readable lets us read.
func (s *Sealer) OpenToOthers() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.file.Mode().Perm()&0o044 != 0 && ownFile(s.file)
}

func read(path string) (*keyset.Handle, fs.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("token key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("token key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return nil, nil, fmt.Errorf("token key file %s has mode %04o: others may write it; set it to 0600", path, mode)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("token key file: %w", err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil {
		// Not wrapped: a parser's error may quote the file.
		return nil, nil, fmt.Errorf("token key file %s is not a tink keyset in JSON", path)
	}
	return h, info, nil
}

// Create makes a new AES-256-GCM keyset at path and returns its Sealer. It
// never replaces a file: with its keyset lost, every stored token is.
func Create(path string) (*Sealer, error) {
	h, err := keyset.NewHandle(aead.AES256GCMKeyTemplate())
	if err != nil {
		return nil, fmt.Errorf("make token keyset: %w", err)
	}
	var buf bytes.Buffer
	if err := insecurecleartextkeyset.Write(h, keyset.NewJSONWriter(&buf)); err != nil {
		return nil, fmt.Errorf("write token keyset: %w", err)
	}
	// Unlike rename, link fails if path exists: two processes that create it at
	// once end with one keyset.
	err = writeWhole(path, buf.Bytes(), keyFileMode, os.Link)
	if errors.Is(err, fs.ErrExist) {
		return nil, fmt.Errorf("token key file %s: %w, and is never replaced: without it stored tokens are lost; `rollcall keys rotate` adds a key to it", path, fs.ErrExist)
	}
	if err != nil {
		return nil, fmt.Errorf("write token key file: %w", err)
	}
	return Load(path)
}

// writeWhole puts the whole file in its place or nothing: a crash leaves no half
// of one.
func writeWhole(path string, data []byte, mode fs.FileMode, place func(from, to string) error) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keyset-*") // CreateTemp's mode is 0600
	if err != nil {
		return err
	}
	defer func() {
		if gone := os.Remove(tmp.Name()); !errors.Is(gone, fs.ErrNotExist) {
			err = errors.Join(err, gone)
		}
	}()
	if err := tmp.Chmod(mode); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if _, err := tmp.Write(data); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return place(tmp.Name(), path)
}
