package assign

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// Config is what assignment needs, checked and compiled. Make one with
// [ConfigFrom].
type Config struct {
	reader *reader
	rules  *rules.Rules
	// id tells the configuration from others, beat is how often a replica gives a
	// sign of life; 0 for as usual.
	id    events.ConfigurationID
	beat  time.Duration
	gates map[string]orgGate
	// file is all of it, for who says what it changes.
	file config.File
}

// ConfigFrom takes assignment's part of the configuration: deployment.keyFile,
// sources, precedence and orgs.*.assign. The error joins every fault, each
// expression that does not compile with its place among them.
func ConfigFrom(f config.File) (Config, error) {
	keyer, errKey := readKey(f.Deployment.KeyFile)
	sources, errSources := rules.NewReader(f.Sources, keyer)
	compiled, errRules := rules.Compile(f)
	if err := errors.Join(errKey, errSources, errRules); err != nil {
		return Config{}, err
	}
	return Config{
		reader: &reader{sources},
		rules:  compiled,
		gates:  readGates(f),
		id:     events.ConfigurationID{Hash: f.Hash(), Program: app.Version()},
		file:   f,
	}, nil
}

// CheckMappings says whether every expression of the configuration compiles; it
// reads no file, so a configuration can be checked away from its installation.
func CheckMappings(f config.File) error {
	_, errSources := rules.NewReader(f.Sources, nil)
	_, errRules := rules.Compile(f)
	return errors.Join(errSources, errRules)
}

func readKey(path string) (*events.Keyer, error) {
	if path == "" {
		return nil, errors.New("deployment.keyFile: is not set")
	}
	secret, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("deployment.keyFile: %w", err)
	}
	keyer, err := events.NewKeyer(secret)
	if err != nil {
		return nil, fmt.Errorf("deployment.keyFile: %w", err)
	}
	return keyer, nil
}
