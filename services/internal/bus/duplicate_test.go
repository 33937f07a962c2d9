package bus_test

import (
	"context"
	"slices"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

func named(id string) bus.Group {
	return bus.Group{{Subject: events.DirectorySubject("hr", "person"), Data: []byte(id), MsgID: id}}
}

// publishNamed stores an event under each id, and says which were duplicates.
func publishNamed(ctx context.Context, t *testing.T, b *bus.Bus, ids ...string) (seqs []uint64, duplicates []string) {
	t.Helper()
	var groups []bus.Group
	for _, id := range ids {
		groups = append(groups, named(id))
	}
	out, err := b.Commit(ctx, events.StreamDirectory, groups)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range out {
		if c.Err != nil || len(c.Seqs) != 1 {
			t.Fatalf("%s ended %+v", ids[i], c)
		}
		seqs = append(seqs, c.Seqs[0])
		if c.Duplicate {
			duplicates = append(duplicates, ids[i])
		}
	}
	return seqs, duplicates
}

func (r *rig) inDirectory(t *testing.T) int {
	t.Helper()
	s, err := r.bus.Stream(r.ctx, events.StreamDirectory)
	if err != nil {
		t.Fatal(err)
	}
	return int(s.Messages)
}

// A batch with an id that the stream has is refused whole: the others in it are
// stored all the same, and who is a duplicate is said.
func TestMessageIDAgain(t *testing.T) {
	r := newRig(t)
	first, duplicates := publishNamed(r.ctx, t, r.bus, "a", "b", "c")
	if len(duplicates) != 0 {
		t.Errorf("new, and duplicates: %v", duplicates)
	}
	again, duplicates := publishNamed(r.ctx, t, r.bus, "d", "b", "e")
	if !slices.Equal(duplicates, []string{"b"}) || again[1] != first[1] {
		t.Errorf("duplicates are %v, b is at %d and was at %d", duplicates, again[1], first[1])
	}
	if _, duplicates = publishNamed(r.ctx, t, r.bus, "a"); !slices.Equal(duplicates, []string{"a"}) {
		t.Errorf("alone: duplicates are %v", duplicates)
	}
	if n := r.inDirectory(t); n != 5 {
		t.Errorf("%d events are stored, want 5", n)
	}
}

// What was stored by a try whose reply got lost is no duplicate: it is ours.
func TestMessageIDAfterALostReply(t *testing.T) {
	l := setupLossy(t)
	for _, ids := range [][]string{{"a"}, {"b", "c", "d"}} {
		before := l.inDirectory(t)
		lost := l.wire.Lose(1, stored)
		seqs, duplicates := publishNamed(l.ctx, t, l.over, ids...)
		met(t, 1, lost)
		if len(duplicates) != 0 || l.inDirectory(t) != before+len(ids) || seqs[0] != uint64(before)+1 {
			t.Errorf("%v: duplicates are %v, stored at %v", ids, duplicates, seqs)
		}
	}
}
