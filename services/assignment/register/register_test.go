package register

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
	"github.com/rollcall-sync/rollcall/services/internal/inforce"
)

func TestWhoCountsAsGone(t *testing.T) {
	t.Parallel()
	const every = inforce.Every
	for name, c := range map[string]struct {
		heard []uint64 // at each look
		age   time.Duration
		gone  bool
	}{
		"heard at each look":                       {[]uint64{1, 2, 3, 4, 5, 6, 7, 8, 9}, 0, false},
		"not heard for six looks":                  {[]uint64{1, 1, 1, 1, 1, 1, 1}, 0, true},
		"not heard for five":                       {[]uint64{1, 1, 1, 1, 1, 1}, 0, false},
		"heard in between":                         {[]uint64{1, 1, 1, 1, 2, 2, 2, 2, 2}, 0, false},
		"gone before we came":                      {[]uint64{1, 1, 1}, time.Hour, true},
		"the server's clock jumped":                {[]uint64{1, 2, 3, 4}, 6 * time.Hour, false},
		"the server's clock jumped between looks":  {[]uint64{1, 1, 2, 2}, 6 * time.Hour, false},
		"the server's clock went back":             {[]uint64{1, 1, 1, 1, 1, 1}, -6 * time.Hour, false},
		"the server's clock went back, and silent": {[]uint64{1, 1, 1, 1, 1, 1, 1}, -6 * time.Hour, true},
		"we stood still":                           {[]uint64{1, 900}, time.Hour, false},
	} {
		q, gone := &silence{}, false
		for _, seq := range c.heard {
			gone = q.look(seq, c.age, every)
		}
		if gone != c.gone {
			t.Errorf("%s: gone is %v, want %v", name, gone, c.gone)
		}
	}
}

func TestANumberIsFreeWhenNobodyHadItForLong(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	beat := func(n int, ago time.Duration) inforce.Beat {
		return inforce.Beat{Subject: events.BeatSubject(n), Seq: uint64(n), At: at.Add(-ago)}
	}
	for want, beats := range map[string][]inforce.Beat{
		"1 after 0": {},
		"3 after 0": {beat(1, 0), beat(2, 4*time.Minute)},
		"2 after 2": {beat(1, 0), beat(2, 5*time.Minute), beat(3, time.Hour)},
		"2 after 0": {beat(1, 0), beat(3, 0)},
	} {
		subject, last := free(inforce.State{Beats: beats}, 5*time.Minute)
		number, after, _ := strings.Cut(want, " after ")
		if !strings.HasSuffix(subject, "."+number) || string(rune('0'+last)) != after {
			t.Errorf("%s after %d, want %s", subject, last, want)
		}
	}
}

func newKeeper(t *testing.T, b store, hash string) *Keeper {
	t.Helper()
	return New(b, events.ConfigurationID{Hash: hash, Program: "test"}, 20*time.Millisecond, slog.New(slog.DiscardHandler))
}

// keep keeps a configuration in force, if it can be, until stop.
func keep(t *testing.T, k *Keeper) (held chan struct{}, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	held, done := make(chan struct{}, 100), make(chan struct{})
	go func() {
		defer close(done)
		_ = k.Run(ctx, func(ctx context.Context) error {
			held <- struct{}{}
			<-ctx.Done()
			return nil
		})
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return held, stop
}

// A replica whose number was taken while it stood still takes another.
func TestAReplicaTakesAnotherNumberWhenItsOwnIsTaken(t *testing.T) {
	t.Parallel()
	b := bustest.Start(t, bus.Topology{}).Bus(t)
	k := newKeeper(t, b, "a")
	held, _ := keep(t, k)
	<-held
	data, _ := events.Encode(events.Beat{Replica: "another"})
	if _, err := b.Commit(t.Context(), events.StreamRoster, []bus.Group{{{Subject: events.BeatSubject(1), Data: data}}}); err != nil {
		t.Fatal(err)
	}
	// A beat of ours that was under way may still be stored over it.
	until(t, b, "both have a number", func(s inforce.State) bool {
		if seq, _ := s.HeardOf("another"); seq == 0 {
			_, _ = b.Commit(t.Context(), events.StreamRoster, []bus.Group{{{Subject: events.BeatSubject(1), Data: data}}})
		}
		return len(s.Beats) > 1 && s.Beats[0].Replica == "another" && s.Beats[1].Replica == k.replica
	})
}

func until(t *testing.T, b *bus.Bus, what string, is func(inforce.State) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		s, err := inforce.Read(ctx, b)
		if err == nil && is(s) {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it never came to pass that %s: %v, %+v", what, err, s)
		}
	}
}

// Nothing at all is stored after a switch, whatever it is, and the sum of a
// batch is asked for with it.
func TestNothingIsStoredAfterASwitch(t *testing.T) {
	t.Parallel()
	b := bustest.Start(t, bus.Topology{}).Bus(t)
	k := newKeeper(t, b, "a")
	held, _ := keep(t, k)
	<-held
	write := func(n string) []bus.Group {
		return []bus.Group{{{Subject: events.PersonSubject(events.Key(n)), Data: []byte("{}")}}}
	}
	sums := 0
	sum := func(context.Context, []int) (bus.Group, error) {
		sums++
		return bus.Group{{Subject: events.HealthSubject("counter"), Data: []byte("{}")}}, nil
	}
	if out, err := k.CommitSummed(t.Context(), events.StreamRoster, write("one"), sum); err != nil || out[0].Err != nil || sums != 1 {
		t.Fatalf("%v, %v, %d sums", out, err, sums)
	}
	// The switch is made without anybody hearing of it.
	at := k.term.Load()
	now, err := inforce.Read(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	data, _ := events.Encode(now.Next(events.ConfigurationID{Hash: "b"}, "another"))
	if out, err := b.Commit(t.Context(), events.StreamRoster, []bus.Group{{{Subject: events.ConfigurationSubject(), Data: data, Guarded: true, LastSeq: at.seq}}}); err != nil || out[0].Err != nil {
		t.Fatal(out, err)
	}
	for name, commit := range map[string]func() ([]bus.Committed, error){
		"with a sum": func() ([]bus.Committed, error) {
			return k.CommitSummed(t.Context(), events.StreamRoster, write("two"), sum)
		},
		"without": func() ([]bus.Committed, error) { return k.Commit(t.Context(), events.StreamRoster, write("three")) },
	} {
		k.term.Store(at) // as if it had not heard; before it counts b as gone
		if _, err := commit(); !errors.Is(err, ErrSuperseded) {
			t.Errorf("%s: err = %v", name, err)
		}
	}
	have, err := b.Latest(t.Context(), events.StreamRoster, []string{events.PersonsAll})
	if err != nil || len(have) != 1 {
		t.Errorf("stored %d, %v", len(have), err)
	}
}

// stale answers as a server of a cluster does that is behind.
type stale struct {
	*bus.Bus
	as map[string]bus.Entry
}

func (s *stale) Latest(context.Context, string, []string) (map[string]bus.Entry, error) {
	return s.as, nil
}

// A server that is behind proves nothing about what is in force.
func TestAServerThatIsBehindEndsNoTerm(t *testing.T) {
	t.Parallel()
	b := bustest.Start(t, bus.Topology{}).Bus(t)
	k := newKeeper(t, b, "a")
	held, _ := keep(t, k)
	<-held
	at := k.term.Load()
	behind := newKeeper(t, &stale{Bus: b, as: map[string]bus.Entry{}}, "a")
	behind.term.Store(at)
	if err := behind.confirm(t.Context(), at); err != nil || behind.term.Load() != at {
		t.Errorf("err = %v, term %v", err, behind.term.Load())
	}
}

// Beats say whether a replica takes events, and whether it refused a file.
func TestABeatSaysHowTheReplicaStands(t *testing.T) {
	t.Parallel()
	b := bustest.Start(t, bus.Topology{}).Bus(t)
	var log bytes.Buffer
	one, two := newKeeper(t, b, "a"), newKeeper(t, b, "b")
	two.log = slog.New(slog.NewTextHandler(&log, nil))
	held, _ := keep(t, one)
	<-held
	one.Refused(true)
	until(t, b, "it says that it refused", func(s inforce.State) bool {
		return len(s.Beats) == 1 && s.Beats[0].Refused && s.Beats[0].Generation == 1
	})
	heldTwo, stop := keep(t, two)
	<-heldTwo
	until(t, b, "one stands by", func(s inforce.State) bool {
		return len(s.Beats) == 2 && s.Beats[0].Generation == 0 && s.Beats[1].Generation == 2
	})
	if says := one.StandsBy(); !strings.Contains(says, "configuration a is superseded") || !strings.Contains(says, "b of generation 2 is in force") {
		t.Error(says)
	}
	stop()
	<-held
	if one.StandsBy() != "" || !strings.Contains(log.String(), "configuration is in force") {
		t.Errorf("%q, %s", one.StandsBy(), log.String())
	}
}

// Whoever stands by takes over sooner from one that has ended in order than from
// one that was killed.
func TestWhoLeavesIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	s := inforce.State{Configuration: events.Configuration{Generation: 2}, Seq: 7, Since: at.Add(-time.Hour)}
	one := inforce.Beat{Beat: events.Beat{Replica: "one", Generation: 2}, Seq: 90, At: at.Add(-time.Second)}
	own := inforce.Beat{Beat: events.Beat{Replica: "own"}, Seq: 91, At: at}
	looks := func(b inforce.Beat) (n int) {
		q := &silence{}
		for n = 0; ; n++ {
			s.Beats = []inforce.Beat{b, own}
			heard, heardAt := s.Heard()
			if q.look(heard, s.Newest().Sub(heardAt), inforce.Every) {
				return n
			}
		}
	}
	left := one
	left.Generation, left.Left = 0, true
	if killed, ended := looks(one), looks(left); killed != silentLooks || ended != surelyLooks {
		t.Errorf("%d looks for one that was killed, %d for one that has ended", killed, ended)
	}
}
