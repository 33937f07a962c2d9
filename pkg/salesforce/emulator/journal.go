package emulator

// Counters of this org's calls.
func (o *Org) Counters() Counters { return o.server.journal.Counters(o.org.ID) }

// Journal lists this org's calls.
func (o *Org) Journal(f JournalFilter) []JournalEntry {
	f.Org = o.org.ID
	return o.server.journal.List(f)
}

// ResetJournal forgets this org's calls and counters.
func (o *Org) ResetJournal() { o.server.journal.Reset(o.org.ID) }

// Journal lists calls of all orgs.
func (s *Server) Journal(f JournalFilter) []JournalEntry { return s.journal.List(f) }

// Counters of all orgs together.
func (s *Server) Counters() Counters { return s.journal.Counters("") }

// ResetJournal forgets all calls and counters.
func (s *Server) ResetJournal() { s.journal.Reset("") }
