package up

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/seal"
	"github.com/rollcall-sync/rollcall/services/rollcall/demo"
)

// Names in the data folder.
const (
	natsDir       = "nats"
	ConfigName    = "rollcall.yaml"
	DeploymentKey = "deployment.key"
	TokensKey     = "tokens.json"
	emulatorState = "emulator.json"
)

// prepare makes the data folder and what is missing in it, and returns the
// configuration with every file reference filled in.
func prepare(o Options) (config.File, error) {
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return config.File{}, fmt.Errorf("data folder: %w", err)
	}
	if o.Demo {
		if err := prepareDemo(o); err != nil {
			return config.File{}, err
		}
	}
	file, err := config.Load(configOf(o))
	if err != nil {
		return config.File{}, err
	}
	if o.ServeGiven {
		file.Serve.Listen = o.ServeListen
	}
	file.NATS.Provision, file.NATS.Replicas = true, 1
	return file, makeKeys(o.Dir, &file)
}

// configOf is the configuration file: that which is given, or the demo's.
func configOf(o Options) string {
	if o.Config == "" {
		return filepath.Join(o.Dir, ConfigName)
	}
	return o.Config
}

// prepareDemo writes the demo's configuration, unless one is given or there
// already, and a secret for its org.
func prepareDemo(o Options) error {
	if o.Config == "" {
		if err := writeMissing(configOf(o), func() []byte { return demo.ConfigFile }); err != nil {
			return err
		}
	}
	return writeMissing(filepath.Join(o.Dir, demo.SecretFile), func() []byte { return []byte(rand.Text()) })
}

// makeKeys makes the keys the configuration names, or their defaults in dir.
func makeKeys(dir string, f *config.File) error {
	if f.Deployment.KeyFile == "" {
		f.Deployment.KeyFile = filepath.Join(dir, DeploymentKey)
	}
	if f.Tokens.KeyFile == "" {
		f.Tokens.KeyFile = filepath.Join(dir, TokensKey)
	}
	if err := makeDeploymentKey(dir, f.Deployment.KeyFile); err != nil {
		return err
	}
	if missing(f.Tokens.KeyFile) {
		if _, err := seal.Create(f.Tokens.KeyFile); err != nil {
			return fmt.Errorf("tokens.keyFile: %w", err)
		}
	}
	return nil
}

// makeDeploymentKey makes a key for a new installation. Where there are people
// already, a new key would make strangers of them all, so it refuses.
func makeDeploymentKey(dir, path string) error {
	if missing(path) && !missing(filepath.Join(dir, natsDir)) {
		return fmt.Errorf("deployment.keyFile: %s is gone, but %s holds people named by it: put it back, or begin with an empty data folder",
			path, filepath.Join(dir, natsDir))
	}
	return writeMissing(path, newDeploymentKey)
}

func newDeploymentKey() []byte {
	key := make([]byte, 2*events.MinDeploymentKeyBytes)
	_, _ = rand.Read(key) // never fails, says crypto/rand
	return key
}

// writeMissing writes a file that only its owner may read, unless it is there.
func writeMissing(path string, content func() []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("make %s: %w", filepath.Base(path), err)
	}
	_, err = f.Write(content())
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(fmt.Errorf("make %s: %w", filepath.Base(path), err), os.Remove(path))
	}
	return nil
}

func missing(path string) bool {
	_, err := os.Stat(path)
	return errors.Is(err, fs.ErrNotExist)
}
