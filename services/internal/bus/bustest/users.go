package bustest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nkeys"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// anybody is who connects without an nkey: the test itself, which may do all.
const anybody = "anybody"

// users are the roles of an installation, as the server knows them.
type users struct {
	seeds   map[string]string
	refused refusals
}

func (u *users) add(t testing.TB, opts *server.Options, topo bus.Topology) {
	t.Helper()
	dir := t.TempDir()
	u.seeds = map[string]string{}
	opts.NoAuthUser, opts.Users = anybody, []*server.User{{Username: anybody}}
	for _, r := range bus.Roles(topo.Orgs, []string{"hr", "workers"}) {
		pair, err := nkeys.CreateUser()
		if err != nil {
			t.Fatalf("make nkey: %v", err)
		}
		public, publicErr := pair.PublicKey()
		seed, seedErr := pair.Seed()
		if publicErr != nil || seedErr != nil {
			t.Fatalf("make nkey: %v, %v", publicErr, seedErr)
		}
		u.seeds[r.Name] = filepath.Join(dir, r.Name)
		if err := os.WriteFile(u.seeds[r.Name], seed, 0o600); err != nil {
			t.Fatalf("write nkey: %v", err)
		}
		opts.Nkeys = append(opts.Nkeys, &server.NkeyUser{Nkey: public, Permissions: &server.Permissions{
			Publish: &server.SubjectPermission{Allow: r.Publish()}, Subscribe: &server.SubjectPermission{Allow: r.Subscribe()},
		}})
	}
}

// Seed is the file with a role's nkey, for programs that connect themselves.
// Sources hr and workers have a role each.
func (s *Server) Seed(role string) string { return s.users.seeds[role] }

// Refused are the things that the server did not let a role do.
func (s *Server) Refused(role string) []string { return s.users.refused.of(role) }

// As returns a new connection that may do what the role may, closed at the end
// of the test. What the server refuses it then fails the test: a service that
// tries what it may not do works in tests only.
func (s *Server) As(t testing.TB, role string) *bus.Bus {
	t.Helper()
	b, err := bus.Connect(context.Background(), bus.Options{URL: s.URL(), Name: role, NkeySeedFile: s.users.seeds[role]})
	if err != nil {
		t.Fatalf("connect as %s: %v", role, err)
	}
	t.Cleanup(func() {
		b.Close()
		for _, line := range s.users.refused.of(role) {
			t.Errorf("not allowed: %s", line)
		}
	})
	return b
}

// refusals is a server's log, of which only refusals are kept.
type refusals struct {
	mu    sync.Mutex
	lines []string
}

func (r *refusals) Noticef(string, ...any) {}
func (r *refusals) Warnf(string, ...any)   {}
func (r *refusals) Fatalf(string, ...any)  {}
func (r *refusals) Debugf(string, ...any)  {}
func (r *refusals) Tracef(string, ...any)  {}

// Errorf keeps a line about a violation.
func (r *refusals) Errorf(format string, args ...any) {
	line := fmt.Sprintf(format, args...)
	if !strings.Contains(line, "Violation") {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lines = append(r.lines, line)
}

// of are the refusals of connections with a role's name.
func (r *refusals) of(role string) []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []string
	for _, line := range r.lines {
		if strings.Contains(line, ":go:"+role+`"`) {
			out = append(out, line)
		}
	}
	return out
}
