package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
)

// Org is one emulated org.
type Org struct {
	server *Server
	org    *org.Org
}

// ID is the org's 18 character id.
func (o *Org) ID() string { return o.org.ID }

// Name is the organization's name.
func (o *Org) Name() string { return o.org.Config.Name }

// lock takes the state for changing by hand, and gives what frees it.
func (o *Org) lock() (org.Hand, func()) {
	o.server.set.State.Lock()
	return org.Hand{Org: o.org}, o.server.set.State.Unlock
}

// rlock takes the state for reading.
func (o *Org) rlock() func() {
	o.server.set.State.RLock()
	return o.server.set.State.RUnlock
}
