package operator

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// Operator is what an admin has in hand. It is safe for concurrent use.
type Operator struct {
	bus   *bus.Bus
	tel   *telemetry.Telemetry
	keyer *events.Keyer
	now   func() time.Time
}

// New returns an Operator. keyer finds people by correlation id; without one
// they are found by key and username only.
func New(b *bus.Bus, t *telemetry.Telemetry, keyer *events.Keyer) *Operator {
	return &Operator{bus: b, tel: t, keyer: keyer, now: time.Now}
}
