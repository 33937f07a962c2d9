package refresh

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// Config is what token-refresher needs.
type Config struct {
	// KeyFile holds the keyset under which tokens are sealed. Required.
	KeyFile string
	// Orgs says how to sign in to each org.
	Orgs map[string]config.Connect
	// Assign names what each org must have, to which a new login is compared.
	Assign map[string]config.Assign
	// Push says of each org whom nobody is to touch, and what makes an administrator: it is
	// looked at after a login, too.
	Push map[string]config.Push
	// Callback says where admins authenticate.
	Callback config.Callback
	// PollEvery is how often a held org's secret files are looked at. Default 3s.
	PollEvery time.Duration
	// CallTimeout bounds one token request. Default 20s.
	CallTimeout time.Duration
	// LeaseFor is how long a replica may take over one refresh; what a dead one
	// had in hand waits that long. It is longer than CallTimeout. Default 50s.
	LeaseFor time.Duration
	// LostReplyWait is how long after a lost reply the endpoint is asked what came
	// of the request: it may still be at work. Default 5s.
	LostReplyWait time.Duration
	// MovedAfter is how long an org is not reached under its address before the
	// token endpoint is asked for the present one; most are back by then.
	// Default 10s.
	MovedAfter time.Duration
	// Transport carries requests to Salesforce. Default [http.DefaultTransport].
	Transport http.RoundTripper
}

// ConfigFrom returns token-refresher's part of the configuration file.
func ConfigFrom(f config.File) (Config, error) {
	c := Config{KeyFile: f.Tokens.KeyFile, Callback: f.Callback,
		Orgs: make(map[string]config.Connect, len(f.Orgs)), Assign: make(map[string]config.Assign, len(f.Orgs)), Push: make(map[string]config.Push, len(f.Orgs))}
	for name, org := range f.Orgs {
		c.Orgs[name], c.Assign[name], c.Push[name] = org.Connect, org.Assign, org.Push
	}
	c = c.withDefaults()
	return c, c.validate()
}

func (c Config) withDefaults() Config {
	if c.PollEvery <= 0 {
		c.PollEvery = 3 * time.Second
	}
	if c.CallTimeout <= 0 {
		c.CallTimeout = 20 * time.Second
	}
	if c.LeaseFor <= 0 {
		c.LeaseFor = 2*c.CallTimeout + 10*time.Second // it is asked what came of the last request, and then for a token
	}
	if c.LostReplyWait <= 0 {
		c.LostReplyWait = 5 * time.Second
	}
	if c.MovedAfter <= 0 {
		c.MovedAfter = 10 * time.Second
	}
	if c.Transport == nil {
		c.Transport = http.DefaultTransport
	}
	return c
}

func (c Config) validate() error {
	var faults []error
	if c.KeyFile == "" {
		faults = append(faults, errors.New("tokens.keyFile is required"))
	}
	if c.LeaseFor <= c.CallTimeout {
		faults = append(faults, fmt.Errorf("a lease of %s is not longer than a call of %s", c.LeaseFor, c.CallTimeout))
	}
	for _, name := range slices.Sorted(maps.Keys(c.Orgs)) {
		if _, err := flowOf(c.Orgs[name]); err != nil {
			faults = append(faults, fmt.Errorf("orgs.%s.connect: %w", name, err))
		}
	}
	return errors.Join(faults...)
}
