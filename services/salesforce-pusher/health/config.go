package health

import (
	"context"
	"time"
)

// Config is what health needs to know of an org.
type Config struct {
	Org string
	// CallTimeout bounds one API call.
	CallTimeout time.Duration
	Probe       Probe
	// Called counts a call to Salesforce.
	Called func(ctx context.Context, operation string, err error)
}

// Probe says how long a held org is left alone before it is tried again; each
// grows with every vain attempt up to its maximum.
type Probe struct {
	// Daily is for the rolling 24 hour limit, Concurrent for too many calls at
	// once, Outage for everything else.
	Daily, Concurrent, Outage time.Duration
	// Max bounds them all.
	Max time.Duration
	// Poll is how often a replica looks whether another one has healed the org.
	Poll time.Duration
}

// DefaultProbe is what an installation does.
func DefaultProbe() Probe {
	return Probe{
		Daily: time.Minute, Concurrent: time.Second, Outage: 2 * time.Second,
		Max: 10 * time.Minute, Poll: time.Second,
	}
}
