package bustest

// Dir is where the server keeps its streams, for tests of what is on disk.
func (s *Server) Dir() string { return s.srv.StoreDir() }
