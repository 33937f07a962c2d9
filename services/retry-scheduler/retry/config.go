package retry

import (
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// Config is what retry-scheduler needs. All but the names has a default: what is
// done about a failure is the policy table's, not an installation's.
type Config struct {
	// Batch is the most outcomes handled at once. Default 200.
	Batch int
	// Linger is how long a batch is gathered. Default 2ms: long enough to
	// gather what one commit of the pusher wrote.
	Linger time.Duration
	// PutBack is how long a message waits that could not be handled. Default 1s.
	PutBack time.Duration
	// StepTimeout bounds the work on one batch; it is shorter than the time
	// after which NATS hands the batch to somebody else. Default 25s.
	StepTimeout time.Duration
	// Sweep is how often it looks for what a killed NATS server left behind.
	// Default 15s.
	Sweep time.Duration
	// Orgs and Sources are the names of what may be paused.
	Orgs, Sources []string
}

// ConfigFrom returns retry-scheduler's part of the configuration file.
func ConfigFrom(f config.File) (Config, error) {
	return Config{Orgs: slices.Sorted(maps.Keys(f.Orgs)), Sources: slices.Sorted(maps.Keys(f.Sources))}.withDefaults(), nil
}

func (c Config) withDefaults() Config {
	if c.Batch <= 0 {
		c.Batch = 200
	}
	if c.Linger <= 0 {
		c.Linger = 2 * time.Millisecond
	}
	if c.PutBack <= 0 {
		c.PutBack = time.Second
	}
	if c.StepTimeout <= 0 {
		c.StepTimeout = 25 * time.Second
	}
	if c.Sweep <= 0 {
		c.Sweep = 15 * time.Second
	}
	return c
}
