package emulator

// Plan adds a fault and gives it back with its id.
func (s *Server) Plan(f Fault) (Fault, error) { return s.faults.add(f) }

// Faults lists the plan with the count of uses.
func (s *Server) Faults() []Fault { return s.faults.list() }

// Fault gives one planned fault by id.
func (s *Server) Fault(id string) (Fault, bool) {
	for _, f := range s.faults.list() {
		if f.ID == id {
			return f, true
		}
	}
	return Fault{}, false
}

// RemoveFault takes one fault away.
func (s *Server) RemoveFault(id string) bool { return id != "" && s.faults.remove(id) > 0 }

// ClearFaults takes the whole plan away.
func (s *Server) ClearFaults() { s.faults.remove("") }
