package assign

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/internal/correlation"
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
}

// ConfigFrom takes assignment's part of the configuration: deployment.keyFile,
// sources, precedence and orgs.*.assign. The error joins every fault, each
// expression that does not compile with its place among them.
func ConfigFrom(f config.File) (Config, error) {
	sources, errSources := readSources(f.Sources)
	compiled, errRules := rules.Compile(f)
	keyer, errKey := readKey(f.Deployment.KeyFile)
	if err := errors.Join(errKey, errSources, errRules); err != nil {
		return Config{}, err
	}
	return Config{
		reader: &reader{sources: sources, keyer: keyer},
		rules:  compiled,
		gates:  readGates(f),
		id:     events.ConfigurationID{Hash: f.Hash(), Program: app.Version()},
	}, nil
}

// CheckMappings says whether every expression of the configuration compiles; it
// reads no file, so a configuration can be checked away from its installation.
func CheckMappings(f config.File) error {
	_, errSources := readSources(f.Sources)
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

func readSources(sources map[string]config.Source) (map[string]source, error) {
	var faults []error
	out := make(map[string]source, len(sources))
	for _, name := range slices.Sorted(maps.Keys(sources)) {
		if err := events.CheckName(name); err != nil {
			faults = append(faults, fmt.Errorf("sources: %w", err))
		}
		ids, err := correlation.New(name, sources[name])
		if err != nil {
			faults = append(faults, err)
		}
		out[name] = source{ids: ids, versions: sources[name].VersionKind()}
	}
	return out, errors.Join(faults...)
}
