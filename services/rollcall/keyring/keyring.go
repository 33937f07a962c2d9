package keyring

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/rollcall/up"
)

const (
	// folderMode keeps other people of the host out.
	folderMode fs.FileMode = 0o700
	// sharedMode lets a container's own user read a file that is mounted into
	// it alone; on the host the folder is in the way.
	sharedMode fs.FileMode = 0o444
	// replacedMode is for what people write themselves.
	replacedMode fs.FileMode = 0o644
	// ownMode is for what no container needs.
	ownMode fs.FileMode = 0o400
)

// Options say what is made where.
type Options struct {
	// Dir is the folder.
	Dir string
	// Hosts are names and addresses of NATS beside the usual ones.
	Hosts []string
	// Sources are the upstream systems: each has a user of NATS.
	Sources []string
	// Check makes nothing and only says what is missing.
	Check bool
}

// Made is a file that was made, or with Check is missing.
type Made struct {
	Name string `json:"name"`
	What string `json:"what"`
}

// file is one file of the folder.
type file struct {
	name, what string
	mode       fs.FileMode
	// make writes the file at the path.
	make func(path string) error
}

// Result is what Compose did.
type Result struct {
	Made     []Made   `json:"made"`
	Warnings []string `json:"warnings,omitempty"`
}

// Compose makes what the compose stack needs and is not there yet.
func Compose(o Options) (Result, error) {
	var r Result
	if !o.Check {
		if err := os.MkdirAll(o.Dir, folderMode); err != nil {
			return r, fmt.Errorf("secrets folder: %w", err)
		}
	}
	roles := bus.Roles(nil, o.Sources)
	files := keyFiles()
	files = append(files, seeds(roles)...)
	files = append(files, certificates(o)...)
	var err error
	if r.Made, err = makeMissing(o, files); err != nil {
		return r, err
	}
	if !o.Check {
		changed, err := writePublicKeys(o.Dir, roles)
		if err != nil {
			return r, err
		}
		if changed {
			r.Made = append(r.Made, Made{nkeysConf, "the public keys, for NATS"})
		}
	}
	if !o.Check {
		if err := setModes(o.Dir, files); err != nil {
			return r, err
		}
	}
	r.Warnings, err = warnings(o)
	return r, err
}

// setModes gives what was there before its mode too: a secret that somebody put
// in place of ours has that of his editor, and a folder of before is open.
func setModes(dir string, files []file) error {
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&^folderMode != 0 {
		err = os.Chmod(dir, folderMode)
	}
	if err != nil {
		return fmt.Errorf("secrets folder: %w", err)
	}
	files = append(files, file{name: nkeysConf, mode: replacedMode}, file{name: caCert, mode: sharedMode})
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) { // the authority's key may be kept elsewhere
			continue
		}
		if err == nil && info.Mode().Perm()&f.mode != f.mode {
			err = os.Chmod(path, f.mode)
		}
		if err != nil {
			return fmt.Errorf("mode of %s: %w", f.name, err)
		}
	}
	return nil
}

// makeMissing makes every file that is not there, in order.
func makeMissing(o Options, files []file) ([]Made, error) {
	var made []Made
	for _, f := range files {
		path := filepath.Join(o.Dir, f.name)
		_, err := os.Stat(path)
		switch {
		case err == nil:
			continue
		case !errors.Is(err, fs.ErrNotExist):
			return made, fmt.Errorf("look at %s: %w", f.name, err)
		case !o.Check:
			if err := f.make(path); err != nil {
				return made, fmt.Errorf("make %s: %w", f.name, err)
			}
			if err := os.Chmod(path, f.mode); err != nil {
				return made, fmt.Errorf("make %s: %w", f.name, err)
			}
		}
		made = append(made, Made{f.name, f.what})
	}
	return made, nil
}

func keyFiles() []file {
	return []file{
		{"deployment.key", "the deployment key; nothing can replace it", sharedMode, up.CreateDeploymentKey},
		{"tokens.json", "the keyset that seals tokens", sharedMode, func(path string) error {
			_, err := seal.Create(path)
			return err
		}},
		{"jetstream.conf", "the key of NATS's disk; without it what is on the disk is lost", sharedMode, func(path string) error {
			return write(path, fmt.Sprintf("JS_KEY: %q\n", rand.Text()+rand.Text()))
		}},
		{"salesforce-client-secret", "a consumer secret for the emulated org; for a real one, put its own here", replacedMode, func(path string) error {
			return write(path, rand.Text()+"\n")
		}},
	}
}

// write makes a file that is not there.
func write(path, text string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
