package up

import (
	"fmt"

	"github.com/rollcall-sync/rollcall/services/internal/seal"
)

// CreateDeploymentKey makes a deployment key at path. It never replaces one:
// with another key, everybody would be a stranger.
func CreateDeploymentKey(path string) error {
	if !missing(path) {
		return fmt.Errorf("make deployment key: %s exists already", path)
	}
	return writeMissing(path, newDeploymentKey)
}

// CreateTokensKey makes a keyset for sealing tokens at path. It never replaces one.
func CreateTokensKey(path string) error {
	if _, err := seal.Create(path); err != nil {
		return fmt.Errorf("make tokens key: %w", err)
	}
	return nil
}
