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
	return o.org.ByHand(), o.server.set.State.Unlock
}

// byHand changes data by hand, the whole of it or nothing, and writes down what
// it touched.
func (o *Org) byHand(operation, object string, work func(h org.Hand) error) error {
	h, unlock := o.lock()
	err := work(h)
	if err != nil {
		h.Tx.Rollback()
	}
	unlock()
	if err == nil {
		o.server.journal.Note(JournalEntry{Time: h.Tx.Now.Time(), Org: o.org.ID, Operation: "hand." + operation, Object: object,
			Touched: h.Tx.Places, Stripped: h.Tx.Stripped})
	}
	return err
}

// rlock takes the state for reading.
func (o *Org) rlock() func() {
	o.server.set.State.RLock()
	return o.server.set.State.RUnlock
}
