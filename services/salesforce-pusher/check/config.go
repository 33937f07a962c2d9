package check

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// Config is what reading one org needs to know.
type Config struct {
	Org string
	// Interval is from one reading to the next; 0 for never.
	Interval time.Duration
	// Page is how many people of the round one reading compares.
	Page int
	// Modes say what is done about each kind of drift that is a matter of choice;
	// what has none is repaired.
	Modes map[string]string
	// Names are the assignments that config knows, Fields the User fields it sets.
	Names  plan.Names
	Fields []string
	// CallTimeout bounds the call.
	CallTimeout time.Duration
}

// ConfigFrom is the configuration of one org.
func ConfigFrom(name string, o config.Org, names plan.Names) Config {
	c := o.Push.Check
	return Config{
		Org: name, Interval: c.Interval, Page: c.Page, Names: names, Fields: o.Assign.FieldNames(), CallTimeout: o.Push.CallTimeout,
		Modes: map[string]string{
			events.DriftDeactivated: c.Deactivated, events.DriftFields: c.Fields,
			events.DriftTaken: c.Taken, events.DriftGiven: c.Given,
		},
	}
}

// mode is what is done about a kind. Who froze a user may have had a reason: that
// is never undone.
func (c Config) mode(kind string) string {
	if kind == events.DriftFrozen {
		return config.DriftReport
	}
	if m := c.Modes[kind]; m != "" {
		return m
	}
	return config.DriftRepair
}

// Leave are the kinds that are not repaired.
func (c Config) Leave() map[string]bool {
	out := map[string]bool{}
	for _, kind := range []string{events.DriftDeactivated, events.DriftFields, events.DriftTaken, events.DriftGiven} {
		if c.mode(kind) != config.DriftRepair {
			out[kind] = true
		}
	}
	return out
}
