package keyring

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nkeys"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// nkeysConf holds the public keys. It follows from the seeds, so it is the one
// file that is written again when they change.
const nkeysConf = "nkeys.conf"

// SeedFile is the name of a role's seed.
func SeedFile(role string) string { return role + ".nkey" }

func seeds(roles []bus.Role) []file {
	files := make([]file, len(roles))
	for i, r := range roles {
		files[i] = file{SeedFile(r.Name), "the nkey of " + r.Name, sharedMode, writeSeed}
	}
	return files
}

func writeSeed(path string) error {
	pair, err := nkeys.CreateUser()
	if err != nil {
		return err
	}
	defer pair.Wipe()
	seed, err := pair.Seed()
	if err != nil {
		return err
	}
	return write(path, string(seed)+"\n")
}

// writePublicKeys writes the variables that NATS's accounts name, and says
// whether anything changed. The file keeps its inode, so that a container into
// which it is mounted sees the change.
func writePublicKeys(dir string, roles []bus.Role) (bool, error) {
	var b strings.Builder
	b.WriteString("# Public keys of NATS's users, from the seeds beside it: rollcall keys compose.\n")
	for _, r := range roles {
		public, err := publicKey(filepath.Join(dir, SeedFile(r.Name)))
		if err != nil {
			return false, err
		}
		fmt.Fprintf(&b, "%s: %q\n", r.Variable(), public)
	}
	path := filepath.Join(dir, nkeysConf)
	have, err := os.ReadFile(path)
	if err == nil && string(have) == b.String() {
		return false, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, fmt.Errorf("read public keys: %w", err)
	}
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil { //nolint:gosec // public keys
		return false, fmt.Errorf("write public keys: %w", err)
	}
	return true, nil
}

func publicKey(path string) (string, error) {
	seed, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read seed: %w", err)
	}
	pair, err := nkeys.FromSeed(bytes.TrimSpace(seed))
	if err != nil {
		return "", fmt.Errorf("%s is not an nkey seed", path) // the seed stays out of the error
	}
	defer pair.Wipe()
	public, err := pair.PublicKey()
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return public, nil
}
