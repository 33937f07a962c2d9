package store

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"

// Outcome is what became of one record.
type Outcome struct {
	ID      string
	Created bool
	Errs    []*wire.APIError
}

// Failed is a record that was refused.
func Failed(errs ...*wire.APIError) Outcome { return Outcome{Errs: errs} }

// OK says whether the record was taken.
func (r Outcome) OK() bool { return len(r.Errs) == 0 }
