package bus_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// lossy is a rig with one more connection, whose messages can get lost.
type lossy struct {
	*rig
	wire *bustest.Wire
	over *bus.Bus
}

func setupLossy(t *testing.T) *lossy {
	t.Helper()
	r := newRig(t)
	w := r.srv.Wire(t)
	over, err := bus.Connect(r.ctx, bus.Options{URL: w.URL(), Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(over.Close)
	return &lossy{rig: r, wire: w, over: over}
}

// commitOver commits over the wire.
func (l *lossy) commitOver(t *testing.T, groups ...bus.Group) []bus.Committed {
	t.Helper()
	out, err := l.over.Commit(l.ctx, events.StreamRoster, groups)
	if err != nil {
		t.Fatalf("commit: %v", err)
	}
	return out
}

// newest is what stands there now.
func (r *rig) newest(t *testing.T, subject string) bus.Entry {
	t.Helper()
	got, err := r.bus.Latest(r.ctx, events.StreamRoster, []string{subject})
	if err != nil {
		t.Fatal(err)
	}
	return got[subject]
}

// last is the stream's last sequence.
func (r *rig) last(t *testing.T) uint64 {
	t.Helper()
	s, err := r.bus.Stream(r.ctx, events.StreamRoster)
	if err != nil {
		t.Fatal(err)
	}
	return s.LastSeq
}

// overwrite replaces what stands there, as somebody who has read it.
func (r *rig) overwrite(t *testing.T, subject, data string) {
	t.Helper()
	out, err := r.bus.Commit(r.ctx, events.StreamRoster, []bus.Group{{upon(subject, data, r.newest(t, subject).Seq)}})
	if err != nil || out[0].Err != nil {
		t.Errorf("overwrite: %v %v", out, err)
	}
}

func upon(subject, data string, last uint64) bus.Write {
	return bus.Write{Subject: subject, Data: []byte(data), Guarded: true, LastSeq: last}
}

// A frame that is the server's answer to a publish: stored, or refused.
func stored(f bustest.Frame) bool {
	return !f.ToServer && strings.HasPrefix(f.Data, `{"stream":`) && strings.Contains(f.Data, `"seq":`) && !refused(f)
}

func refused(f bustest.Frame) bool {
	return !f.ToServer && strings.Contains(f.Data, `"err_code":`)
}

// publishing is a frame that has the server store a message, or a whole batch.
func publishing(f bustest.Frame) bool {
	return f.ToServer && strings.HasPrefix(f.Subject, "rollcall.") &&
		(!strings.Contains(f.Header, "Nats-Batch-Id") || strings.Contains(f.Header, "Nats-Batch-Commit"))
}

// met wants the trouble that was planned to have happened.
func met(t *testing.T, n int, r *bustest.Rule) {
	t.Helper()
	if r.Met() != n {
		t.Fatalf("%d messages were lost or kept, want %d", r.Met(), n)
	}
}

func TestALostReplyOfWhatIsStored(t *testing.T) {
	for name, groups := range map[string][]bus.Group{
		"one message": {{upon(person(1), "a", 0)}},
		"a batch":     {{upon(person(1), "a", 0), {Subject: person(2), Data: []byte("b")}}, {upon(person(3), "c", 0)}},
		"a subject twice": {
			{{Subject: person(2), Data: []byte("b")}, upon(person(1), "a", 0)},
			{{Subject: person(2), Data: []byte("d")}, upon(person(3), "c", 0)},
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := setupLossy(t)
			lost := l.wire.Lose(1, stored)
			before := l.last(t)
			out := l.commitOver(t, groups...)
			met(t, 1, lost)
			seq := before
			for i, g := range groups {
				for j := range g {
					seq++
					if out[i].Err != nil || len(out[i].Seqs) != len(g) || out[i].Seqs[j] != seq {
						t.Fatalf("group %d ended %+v, want sequence %d for its write %d", i, out[i], seq, j)
					}
				}
			}
			if l.last(t) != seq {
				t.Errorf("the stream is at %d, want %d: something was stored twice", l.last(t), seq)
			}
		})
	}
}

// Two who write the same bytes, and the loser's refusal is lost: it must not
// take the other's message for its own.
func TestOneOfTwoWritersOfEqualBytesIsToldItWon(t *testing.T) {
	for name, groups := range map[string][]bus.Group{
		"one message": {{upon(person(1), "same", 0)}},
		"a batch":     {{upon(person(1), "same", 0)}, {upon(person(2), "same", 0), upon(person(3), "same", 0)}},
	} {
		t.Run(name, func(t *testing.T) {
			l := setupLossy(t)
			won := l.commit(t, groups...)
			lost := l.wire.Lose(1, refused)
			out := l.commitOver(t, groups...)
			met(t, 1, lost)
			for i := range groups {
				if won[i].Err != nil || !errors.Is(out[i].Err, bus.ErrConflict) {
					t.Errorf("group %d: the first was told %v, the second %v", i, won[i].Err, out[i].Err)
				}
			}
		})
	}
}

// The same as a race, in which both lose their first reply, whatever it says.
func TestARaceOfEqualBytesHasOneWinner(t *testing.T) {
	l := setupLossy(t)
	other := l.srv.Wire(t)
	second, err := bus.Connect(l.ctx, bus.Options{URL: other.URL(), Name: t.Name()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(second.Close)
	answer := func(f bustest.Frame) bool { return stored(f) || refused(f) }
	lost := []*bustest.Rule{l.wire.Lose(1, answer), other.Lose(1, answer)}
	var groups []bus.Group
	for i := range 20 {
		groups = append(groups, bus.Group{upon(person(i), "same", 0)})
	}
	type result struct {
		out []bus.Committed
		err error
	}
	results := make(chan result, 2)
	for _, b := range []*bus.Bus{l.over, second} {
		go func() {
			out, err := b.Commit(l.ctx, events.StreamRoster, groups)
			results <- result{out, err}
		}()
	}
	a, b := <-results, <-results
	met(t, 1, lost[0])
	met(t, 1, lost[1])
	if a.err != nil || b.err != nil {
		t.Fatal(a.err, b.err)
	}
	for i := range groups {
		if (a.out[i].Err == nil) == (b.out[i].Err == nil) {
			t.Errorf("person %d: one was told %v, the other %v", i, a.out[i].Err, b.out[i].Err)
		}
	}
}

// A batch that never reached the server, and then somebody else writes one of
// its people: that one is in conflict, and the rest is stored.
func TestALostTryAndThenAConflict(t *testing.T) {
	l := setupLossy(t)
	lost := l.wire.Lose(1, func(f bustest.Frame) bool {
		if publishing(f) {
			// Without compare-and-set, so that it does not say what it replaced.
			l.commit(t, bus.Group{{Subject: person(1), Data: []byte("theirs")}})
			return true
		}
		return false
	})
	out := l.commitOver(t,
		bus.Group{upon(person(1), "ours", 0)},
		bus.Group{upon(person(2), "ours", 0), {Subject: person(4), Data: []byte("ours")}},
		bus.Group{upon(person(3), "ours", 0)})
	met(t, 1, lost)
	if !errors.Is(out[0].Err, bus.ErrConflict) || out[1].Err != nil || out[2].Err != nil {
		t.Fatalf("want a conflict of the first only, got %+v", out)
	}
	for i, want := range map[int]string{1: "theirs", 2: "ours", 3: "ours", 4: "ours"} {
		if e := l.newest(t, person(i)); string(e.Data) != want {
			t.Errorf("person %d is %q, want %q", i, e.Data, want)
		}
	}
	if e := l.newest(t, person(3)); e.Seq != out[2].Seqs[0] {
		t.Errorf("person 3 is at %d, reported %v", e.Seq, out[2].Seqs)
	}
}

// Stored, the reply lost, and overwritten before anybody looked.
func TestALostReplyOfWhatHasBeenOverwrittenSince(t *testing.T) {
	t.Run("part of it", func(t *testing.T) {
		l := setupLossy(t)
		lost := l.wire.Lose(1, func(f bustest.Frame) bool {
			if stored(f) {
				l.overwrite(t, person(1), "theirs")
				return true
			}
			return false
		})
		out := l.commitOver(t, bus.Group{upon(person(1), "ours", 0)}, bus.Group{upon(person(2), "ours", 0)})
		met(t, 1, lost)
		if out[0].Err != nil || out[1].Err != nil || out[0].Seqs[0] != 1 || out[1].Seqs[0] != 2 {
			t.Errorf("it was stored, and is told %+v", out)
		}
	})
	t.Run("all of it", func(t *testing.T) {
		l := setupLossy(t)
		lost := l.wire.Lose(1, func(f bustest.Frame) bool {
			if stored(f) {
				l.overwrite(t, person(1), "theirs")
				return true
			}
			return false
		})
		out, err := l.over.Commit(l.ctx, events.StreamRoster, []bus.Group{{upon(person(1), "ours", 0)}})
		met(t, 1, lost)
		if err == nil || !strings.Contains(err.Error(), "read again") {
			t.Errorf("nobody can say what became of it, and it is told %+v, %v", out, err)
		}
	})
}

// An earlier try that is still on its way, over a connection that is gone.
func TestAnEarlierTryOnItsWay(t *testing.T) {
	groups := []bus.Group{{upon(person(1), "ours", 0)}, {upon(person(2), "ours", 0)}}
	t.Run("comes after the next", func(t *testing.T) {
		l := setupLossy(t)
		kept := l.wire.Keep(publishing)
		out := l.commitOver(t, groups...)
		met(t, 1, kept)
		late(t, l, kept)
		if out[0].Err != nil || out[1].Err != nil || l.last(t) != 2 {
			t.Errorf("%+v, and the stream is at %d", out, l.last(t))
		}
	})
	t.Run("comes before the next", func(t *testing.T) {
		l := setupLossy(t)
		kept := l.wire.Keep(publishing)
		before := l.wire.Lose(1, func(f bustest.Frame) bool {
			if publishing(f) { // the next try: it passes, after the first
				if answer, err := kept.Release(l.ctx); err != nil || !stored(answer) {
					t.Errorf("the first try was answered %s, %v", answer.Data, err)
				}
			}
			return refused(f) // and what is said to the next is lost too
		})
		out := l.commitOver(t, groups...)
		met(t, 1, kept)
		met(t, 1, before)
		if out[0].Err != nil || out[1].Err != nil || l.last(t) != 2 {
			t.Errorf("%+v, and the stream is at %d", out, l.last(t))
		}
	})
	t.Run("comes after a conflict", func(t *testing.T) {
		l := setupLossy(t)
		kept := l.wire.Keep(func(f bustest.Frame) bool {
			if publishing(f) {
				l.overwrite(t, person(1), "theirs")
				return true
			}
			return false
		})
		out := l.commitOver(t, groups...)
		met(t, 1, kept)
		late(t, l, kept)
		if !errors.Is(out[0].Err, bus.ErrConflict) || out[1].Err != nil || l.last(t) != 2 {
			t.Errorf("%+v, and the stream is at %d", out, l.last(t))
		}
	})
}

// What is read in two requests is of two times: the batch may be stored between
// them, and the first then says of its people that nobody has written them.
func TestReadingBackInTwoRequests(t *testing.T) {
	l := setupLossy(t)
	register := func(i int) string { return events.LinkSubject("acme", events.Key(fmt.Sprintf("k%d", i))) }
	l.commit(t, bus.Group{plain(person(0), "old")}) // an answer of nothing has no end
	var groups []bus.Group
	for i := range 505 { // 1,010 subjects
		groups = append(groups, bus.Group{by(register(i), 0, plain(person(i), "ours"))})
	}
	kept := l.wire.Keep(publishing)
	between := nth(1, end)
	l.wire.Lose(1, func(f bustest.Frame) bool {
		if between(f) {
			if answer, err := kept.Release(l.ctx); err != nil || !stored(answer) {
				t.Errorf("the first try was answered %s, %v", answer.Data, err)
			}
			for i := 500; i < 505; i++ {
				l.commit(t, bus.Group{plain(person(i), "theirs"), plain(register(i), "theirs")})
			}
		}
		return false
	})
	out := l.commitOver(t, groups...)
	met(t, 1, kept)
	for i, c := range out {
		if c.Err != nil || len(c.Seqs) != 1 || c.Seqs[0] != uint64(i)+2 {
			t.Fatalf("person %d was stored at %d, and is told %+v", i, i+2, c)
		}
	}
	if last := l.last(t); last != 516 {
		t.Errorf("the stream is at %d, want 516: something was stored twice", last)
	}
}

// late has the server take a kept try now, and wants it refused.
func late(t *testing.T, l *lossy, kept *bustest.Rule) {
	t.Helper()
	ctx, cancel := context.WithCancel(l.ctx)
	defer cancel()
	if answer, err := kept.Release(ctx); err != nil || !refused(answer) {
		t.Errorf("the late try was answered %s, %v", answer.Data, err)
	}
}

// What a schedule published carries the mark of the batch that made the
// schedule, in a place where the batch did not put it.
func TestAFiredScheduleIsNotTheBatch(t *testing.T) {
	l := setupLossy(t)
	work := events.WorkSubject("acme", events.LaneChange, "k1")
	lost := l.wire.Lose(1, func(f bustest.Frame) bool {
		if !stored(f) {
			return false
		}
		await(t, "fired", func() bool { return len(l.newest(t, work).Header["Nats-Scheduler"]) > 0 })
		return true
	})
	out := l.commitOver(t, bus.Group{
		upon(events.LinkSubject("acme", "k1"), "l", 0),
		{Subject: events.RetrySubject("acme", "k1"), Data: []byte("w"), Schedule: &bus.Schedule{At: time.Now(), Target: work}},
		{Subject: work, Data: []byte("w")},
	})
	met(t, 1, lost)
	if len(l.newest(t, work).Header[events.HeaderCommit]) != 1 {
		t.Error("the fired message lost its headers: the test shows nothing")
	}
	if e := l.newest(t, events.LinkSubject("acme", "k1")); out[0].Err != nil || len(out[0].Seqs) != 3 || out[0].Seqs[0] != e.Seq {
		t.Errorf("%+v, and the link is at %d", out[0], e.Seq)
	}
}
