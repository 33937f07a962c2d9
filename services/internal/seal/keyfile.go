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

// Load reads the keyset at path. A file that others may read is refused: what
// it protects would be open already.
func Load(path string) (*Sealer, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("token key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("token key file %s is not a regular file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("token key file %s has mode %04o: others may read it; set it to 0600", path, mode)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("token key file: %w", err)
	}
	h, err := insecurecleartextkeyset.Read(keyset.NewJSONReader(bytes.NewReader(data)))
	if err != nil {
		// Not wrapped: a parser's error may quote the file.
		return nil, fmt.Errorf("token key file %s is not a tink keyset in JSON", path)
	}
	return fromHandle(h, data)
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
	if err := writeNew(path, buf.Bytes()); err != nil {
		return nil, fmt.Errorf("write token key file: %w", err)
	}
	return fromHandle(h, buf.Bytes())
}

// writeNew puts the whole file in its place or nothing: two processes that
// create it at once end with one keyset, and a crash leaves no half of one.
func writeNew(path string, data []byte) (err error) {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".keyset-*") // CreateTemp's mode is 0600
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.Remove(tmp.Name())) }()
	if err := tmp.Chmod(keyFileMode); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if _, err := tmp.Write(data); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), path) // unlike rename, fails if path exists
}
