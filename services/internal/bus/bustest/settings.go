package bustest

import (
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// SetStream changes a stream's settings behind Rollcall's back.
func (s *Server) SetStream(t testing.TB, name string, change func(*jetstream.StreamConfig)) {
	t.Helper()
	js := s.jetStream(t)
	cfg := s.Settings(t, name)
	change(&cfg)
	if _, err := js.UpdateStream(t.Context(), cfg); err != nil {
		t.Fatalf("update stream %s: %v", name, err)
	}
}

// Settings are a stream's.
func (s *Server) Settings(t testing.TB, name string) jetstream.StreamConfig {
	t.Helper()
	stream, err := s.jetStream(t).Stream(t.Context(), name)
	if err != nil {
		t.Fatalf("look up stream %s: %v", name, err)
	}
	return stream.CachedInfo().Config
}

func (s *Server) jetStream(t testing.TB) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(s.URL())
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatalf("open jetstream: %v", err)
	}
	return js
}
