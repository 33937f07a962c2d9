package bus_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// by guards a write by another subject.
func by(register string, last uint64, w bus.Write) bus.Write {
	w.Guarded, w.GuardSubject, w.LastSeq = true, register, last
	return w
}

func plain(subject, data string) bus.Write { return bus.Write{Subject: subject, Data: []byte(data)} }

// ended says in one word per group how it ended.
func ended(out []bus.Committed) string {
	var words []string
	for _, c := range out {
		switch {
		case errors.Is(c.Err, bus.ErrConflict):
			words = append(words, "conflict")
		case c.Err == nil && len(c.Seqs) > 0:
			words = append(words, "stored")
		default:
			words = append(words, fmt.Sprintf("%+v", c))
		}
	}
	return strings.Join(words, " ")
}

// The server does not look at a guard whose subject the batch has written: it
// refuses the batch whole, for as long as it is asked.
func TestGroupsGuardedByOneSubject(t *testing.T) {
	r := newRig(t)
	out := r.commit(t,
		bus.Group{upon(person(1), "a", 0)},
		bus.Group{upon(person(2), "x", 0)},
		bus.Group{upon(person(1), "b", 0), plain(person(3), "b")},
		bus.Group{upon(person(1), "c", 0)},
		bus.Group{upon(person(4), "y", 0)},
		bus.Group{upon(person(3), "z", 0)}) // guarded by what a group writes that is itself late
	if got, want := ended(out), "stored stored conflict conflict stored stored"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if e := r.newest(t, person(1)); string(e.Data) != "a" || e.Seq != out[0].Seqs[0] {
		t.Errorf("it is %q at %d, told was %v", e.Data, e.Seq, out[0].Seqs)
	}
}

func TestGuardByAnotherSubject(t *testing.T) {
	r := newRig(t)
	register := events.HealthSubject("acme")
	at := r.commit(t, bus.Group{plain(register, "1")})[0].Seqs[0]

	out := r.commit(t,
		bus.Group{by(register, at, plain(person(1), "a")), by(register, at, plain(person(2), "a"))},
		bus.Group{by(register, at-1, plain(person(3), "stale"))},
		bus.Group{by(register, at, plain(person(4), "a"))},
		bus.Group{by(register, at, plain(person(5), "a")), upon(register, "2", at)}, // looks, then writes
		bus.Group{by(register, at, plain(person(6), "late"))},                       // written by the one before
		bus.Group{upon(person(7), "a", 0)})
	if got, want := ended(out), "stored conflict stored stored conflict stored"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if e := r.newest(t, register); string(e.Data) != "2" || e.Seq != out[3].Seqs[1] {
		t.Errorf("the register is %q at %d, told was %v", e.Data, e.Seq, out[3].Seqs)
	}

	_, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{
		{upon(register, "3", out[3].Seqs[1]), by(register, out[3].Seqs[1], plain(person(8), "a"))},
	})
	if err == nil || !strings.Contains(err.Error(), "put it first") {
		t.Errorf("a write that looks at what its own group has written: %v", err)
	}
}

// A lost reply is settled by the mark where the guards look elsewhere, too.
func TestALostReplyUnderAGuardByAnotherSubject(t *testing.T) {
	register := events.HealthSubject("acme")
	t.Run("stored, and the register has moved since", func(t *testing.T) {
		l := setupLossy(t)
		at := l.commit(t, bus.Group{plain(register, "1")})[0].Seqs[0]
		lost := l.wire.Lose(1, func(f bustest.Frame) bool {
			if stored(f) {
				l.overwrite(t, register, "2")
				return true
			}
			return false
		})
		out := l.commitOver(t, bus.Group{by(register, at, plain(person(1), "a"))}, bus.Group{by(register, at, plain(person(2), "a"))})
		met(t, 1, lost)
		if got := ended(out); got != "stored stored" || out[1].Seqs[0] != at+2 {
			t.Errorf("%s, %+v", got, out)
		}
	})
	t.Run("not stored, and the register has moved since", func(t *testing.T) {
		l := setupLossy(t)
		at := l.commit(t, bus.Group{plain(register, "1")})[0].Seqs[0]
		lost := l.wire.Lose(1, func(f bustest.Frame) bool {
			if publishing(f) {
				l.overwrite(t, register, "2")
				return true
			}
			return false
		})
		out := l.commitOver(t, bus.Group{by(register, at, plain(person(1), "a"))}, bus.Group{upon(person(2), "a", 0)})
		met(t, 1, lost)
		if got := ended(out); got != "conflict stored" {
			t.Errorf("%s, %+v", got, out)
		}
	})
}

// In a cluster a batch is refused unlooked at while somebody else's write is on
// its way, and that passes. If it does not, groups are judged one by one.
func TestGuardsThatAreNeverLookedAt(t *testing.T) {
	l := setupLossy(t)
	l.commit(t, bus.Group{upon(person(1), "theirs", 0)})
	// One node refuses like this only what a batch has written itself, so its
	// real refusal of a stale guard is given the cluster's code.
	altered := l.wire.Alter(refused, func(frame string) string {
		return strings.Replace(frame, `"err_code":10071`, `"err_code":10164`, 1)
	})
	out := l.commitOver(t, bus.Group{upon(person(1), "ours", 0)}, bus.Group{upon(person(2), "ours", 0)}, bus.Group{upon(person(3), "ours", 0)})
	if got, want := ended(out), "conflict stored stored"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if n := altered.Met(); n < 4 || n > 40 {
		t.Errorf("it was tried %d times", n)
	}
}

// In a cluster an id may be in process, as that of an earlier try of ours.
func TestAnIDInProcessIsWaitedFor(t *testing.T) {
	l := setupLossy(t)
	l.commit(t, bus.Group{upon(person(1), "theirs", 0)})
	said := 0
	l.wire.Alter(func(f bustest.Frame) bool {
		if refused(f) {
			said++
		}
		return said == 1
	}, func(frame string) string { return strings.Replace(frame, `"err_code":10071`, `"err_code":10158`, 1) })
	out := l.commitOver(t, bus.Group{upon(person(1), "ours", 0)})
	if got := ended(out); got != "conflict" || said < 2 {
		t.Errorf("%s, refused %d times", got, said)
	}
}
