//go:build containers

package integration

import (
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	// recoverWithin is how long after a fault is over everything may take to be
	// done: the promise of docs/architecture.md.
	recoverWithin = 60 * time.Second
	// faultLasts is longer than the services' own patience with NATS.
	faultLasts = 4 * time.Second
)

// fault is something that befalls one part, and what ends it.
type fault struct {
	name   string
	strike func(t testing.TB, p part) (over func())
}

func faults() []fault {
	return []fault{
		{"kill", func(t testing.TB, p part) func() {
			t.Helper()
			p.kill(t)
			return func() { p.start(t) }
		}},
		{"pause", func(t testing.TB, p part) func() {
			t.Helper()
			p.pause(t)
			return func() { p.resume(t) }
		}},
		{"cut off", func(t testing.TB, p part) func() {
			t.Helper()
			return p.(*container).cut(t)
		}},
	}
}

// TestEveryPartFailsUnderLoad kills, pauses and cuts off each container in turn
// while people arrive, and wants all of them in Salesforce, once, soon after.
func TestEveryPartFailsUnderLoad(t *testing.T) {
	parallel(t)
	r := newRig(t, nil)
	arrived := 0
	for _, victim := range r.victims() {
		for _, f := range faults() {
			if victim == "emulator" && f.name == "kill" {
				continue // Salesforce does not forget its users
			}
			if cluster() && (strings.HasSuffix(victim, "-2") || victim == "jaeger" || victim == "emulator") {
				continue // as the first replica; as with one node
			}
			r.arrive(&arrived)
			over := f.strike(t, r.procs[victim])
			if victim != "nats-server" {
				r.arrive(&arrived) // while it is away
			}
			<-time.After(faultLasts)
			over()
			began := time.Now()
			r.arrive(&arrived)
			r.awaitQuiet(recoverWithin)
			t.Logf("%s of %s: all %d people settled %.1f s after it was over", f.name, victim, arrived, time.Since(began).Seconds())
			if n := len(r.users()); n != arrived {
				t.Fatalf("after %s of %s: %d users, want %d", f.name, victim, n, arrived)
			}
		}
	}
	if st, err := r.status(t.Context()); err != nil || len(st.Parked) != 0 {
		t.Errorf("parked %v, error %v", st.Parked, err)
	}
}

// victims are the containers, provisioning aside: it has done its work.
func (r *rig) victims() []string {
	var out []string
	for name := range r.procs {
		if !strings.HasPrefix(name, "provision") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// TestANodeIsLost kills each NATS node in turn and leaves it away while people
// arrive: two of three go on.
func TestANodeIsLost(t *testing.T) {
	parallel(t)
	if !cluster() {
		t.Skip("a single node has no other: ROLLCALL_STACK=cluster")
	}
	r := newRig(t, nil)
	arrived := 0
	for _, node := range []string{"nats-server", "nats-1", "nats-2"} {
		r.arrive(&arrived)
		r.procs[node].kill(t)
		began := time.Now()
		r.arrive(&arrived)
		r.awaitQuiet(recoverWithin)
		t.Logf("without %s: all %d people settled after %.1f s", node, arrived, time.Since(began).Seconds())
		if n := len(r.users()); n != arrived {
			t.Fatalf("without %s: %d users, want %d", node, n, arrived)
		}
		r.procs[node].start(t)
		eventually(t, recoverWithin, node+" is back", r.healthy(node))
	}
}

// TestContainersAreHardened wants no container that may more than it needs.
func TestContainersAreHardened(t *testing.T) {
	oneNode(t)
	parallel(t)
	r := newRig(t, nil)
	for name, p := range r.procs {
		c := p.(*container)
		if fault := c.hardened(t); fault != "" {
			t.Errorf("%s: %s", name, fault)
		}
	}
}
