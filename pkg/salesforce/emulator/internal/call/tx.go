package call

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// MaxRecords is how many records one transaction takes. [R]
const MaxRecords = 200

// Begin starts a transaction about so many records that knows the caller and the
// planned faults; a part of an allOrNone composite goes on with the one that is
// open.
func (c *Call) Begin(records int) *store.Tx {
	c.writes = true
	t := c.tx
	if t == nil {
		t = c.Org.Begin(c.Actor)
	}
	about := c.subject()
	about.Records = records
	t.Hit = c.Env.Faults.ForRecord(about, func(id string) { c.Entry.FaultID = id })
	if c.Org.Denied.Denies(c.Actor.ID, org.DenyReadOnlyMode) {
		t.Hit = c.readOnly
	}
	t.Places, t.Stripped = nil, nil
	return t
}

// readOnly is what every record meets in read-only mode.
func (c *Call) readOnly(*store.Object, string, store.Input) *wire.APIError {
	c.Entry.FaultID = deniedID(org.DenyReadOnlyMode)
	return faults.RefusalOf("read_only_mode")
}

// Lock takes the state for writing and gives the function that frees it. Parts
// of a composite run under the lock of the whole.
func (c *Call) Lock() func() {
	if c.part {
		return func() {}
	}
	c.Env.Orgs.State.Lock()
	return c.Env.Orgs.State.Unlock
}

// RLock takes the state for reading.
func (c *Call) RLock() func() {
	if c.part {
		return func() {}
	}
	c.Env.Orgs.State.RLock()
	return c.Env.Orgs.State.RUnlock
}

// Note keeps for the journal what a transaction touched.
func (c *Call) Note(t *store.Tx, records int) {
	c.Entry.Records += records
	c.Entry.Touched = append(c.Entry.Touched, t.Places...)
	c.Entry.Stripped = append(c.Entry.Stripped, t.Stripped...)
}
