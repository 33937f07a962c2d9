package emulator

import "github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/faults"

// Hostility is misbehaviour without a plan: a seed decides which calls go wrong.
type Hostility = faults.Hostility

// Misbehave makes the server hostile from now on; rates of 0 end it. The same
// seed and the same order of calls give the same decisions.
func (s *Server) Misbehave(h Hostility) error { return s.faults.SetHostility(h) }

// SetHostility makes the server misbehave by itself from now on, as
// WithHostility does from the beginning; a rate of 0 ends it.
func (s *Server) SetHostility(seed uint64, rate float64) {
	_ = s.Misbehave(Hostility{Seed: seed, Rate: min(max(rate, 0), 1)}) // the rate is one
}

// Plan adds a fault and gives it back with its id.
func (s *Server) Plan(f Fault) (Fault, error) { return s.faults.Add(f) }

// Faults lists the plan with the count of uses.
func (s *Server) Faults() []Fault { return s.faults.List() }

// Fault gives one planned fault by id.
func (s *Server) Fault(id string) (Fault, bool) {
	for _, f := range s.faults.List() {
		if f.ID == id {
			return f, true
		}
	}
	return Fault{}, false
}

// RemoveFault takes one fault away.
func (s *Server) RemoveFault(id string) bool { return id != "" && s.faults.Remove(id) > 0 }

// ClearFaults takes the whole plan away.
func (s *Server) ClearFaults() { s.faults.Remove("") }
