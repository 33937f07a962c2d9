package faults

import (
	"fmt"
	"strconv"
	"sync"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/wire"
)

// maxLateMillis bounds how late a call is applied: Salesforce lets none run for
// longer than ten minutes. [D app limits cheat sheet]
const maxLateMillis = 600_000

// Plan holds the planned faults.
type Plan struct {
	mu     sync.Mutex
	faults []*plannedFault
	next   int
	wild   *hostility
}

// plannedFault is a fault with its count of matches.
type plannedFault struct {
	Fault
	preset Preset // what the effect names; zero for the effects with a constant
	seen   int
}

func (f *plannedFault) perRecord() bool {
	switch f.Effect {
	case EffectLockRow, EffectRecordError, EffectGackRecord:
		return true
	}
	return f.preset.Scope == ScopeRecord
}

// NewPlan is without planned faults.
func NewPlan() *Plan { return &Plan{} }

// Add plans a fault and gives it back with its id.
func (p *Plan) Add(f Fault) (Fault, error) {
	if !f.Effect.known() {
		return Fault{}, fmt.Errorf("fault: unknown effect %q", f.Effect)
	}
	if f.Times < 0 || f.After < 0 || f.DelayMillis < 0 || f.AtLeast < 0 {
		return Fault{}, fmt.Errorf("fault: times, after, atLeast and delayMillis must not be negative")
	}
	named, _ := preset(f.Effect)
	if one := (&plannedFault{Fault: f, preset: named}); f.AtLeast > 0 && !one.perRecord() {
		return Fault{}, fmt.Errorf("fault: atLeast is for effects on single records")
	}
	if f.LateMillis < 0 || f.LateMillis > maxLateMillis || f.Effect != EffectLate && (f.LateMillis != 0 || f.Hold) {
		return Fault{}, fmt.Errorf("fault: lateMillis (0 to %d) and hold are for the effect %q", maxLateMillis, EffectLate)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.next++
	if f.ID == "" {
		f.ID = "fault-" + strconv.Itoa(p.next)
	}
	for _, other := range p.faults {
		if other.ID == f.ID {
			return Fault{}, fmt.Errorf("fault: id %q is planned already", f.ID)
		}
	}
	f.Used = 0
	p.faults = append(p.faults, &plannedFault{Fault: f, preset: named})
	return f, nil
}

// List gives the planned faults with their uses.
func (p *Plan) List() []Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Fault, 0, len(p.faults))
	for _, f := range p.faults {
		out = append(out, f.Fault)
	}
	return out
}

// Remove takes one fault away, or all when id is empty, and says how many.
func (p *Plan) Remove(id string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.faults[:0:0]
	for _, f := range p.faults {
		if id != "" && f.ID != id {
			kept = append(kept, f)
		}
	}
	n := len(p.faults) - len(kept)
	p.faults = kept
	return n
}

// strike counts a match and says whether the fault acts on it. The plan's lock
// is held.
func (f *plannedFault) strike() bool {
	if f.Times > 0 && f.Used >= f.Times {
		return false
	}
	f.seen++
	if f.seen <= f.After {
		return false
	}
	f.Used++
	return true
}

// ForCall finds the fault that acts on a whole call, or nil.
func (p *Plan) ForCall(s *Subject) *Active {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.faults {
		if f.perRecord() || !f.about(s) || !f.preset.fits(s) || !f.mentions(s) || !f.strike() {
			continue
		}
		return &Active{Fault: f.Fault, preset: f.preset}
	}
	if p.wild != nil {
		return p.wild.decide(s)
	}
	return nil
}

// ForRecord is what a transaction of the call asks about each record, nil when no
// record can be struck; struck is told the id of the fault.
func (p *Plan) ForRecord(s *Subject, struck func(id string)) store.Hit {
	p.mu.Lock()
	defer p.mu.Unlock()
	planned := p.wild != nil
	for _, f := range p.faults {
		planned = planned || f.perRecord()
	}
	if !planned {
		return nil
	}
	return func(o *store.Object, id string, in store.Input) *wire.APIError {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, f := range p.faults {
			if f.perRecord() && f.about(s) && s.Records >= f.AtLeast && f.picks(o, id, in) && f.strike() {
				struck(f.ID)
				return f.recordError(id)
			}
		}
		if p.wild != nil {
			return p.wild.decideRecord(id)
		}
		return nil
	}
}

func (f *plannedFault) recordError(id string) *wire.APIError {
	if f.Effect == EffectGackRecord {
		err := wire.ErrGack()
		err.Spoils = true
		return err
	}
	if f.Effect == EffectLockRow {
		if id == "" {
			id = "unknown"
		}
		return wire.ErrLockedRow(id)
	}
	if f.preset.Name != "" {
		return f.preset.refusal(&f.Fault)
	}
	err := wire.RecordError(f.Code, f.Message, f.Fields...)
	if f.Status != 0 {
		err.Status = f.Status
	}
	return err
}
