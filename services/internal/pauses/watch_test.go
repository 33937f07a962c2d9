package pauses

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// scripted answers from servers of a cluster that are not all as far: what a
// single server never does.
type scripted struct{ answers []bus.Entry }

func (s *scripted) Latest(context.Context, string, []string) (map[string]bus.Entry, error) {
	e := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	switch {
	case e.Data == nil && e.Seq > 0:
		return nil, errors.New("nobody answers")
	case e.Seq == 0:
		return map[string]bus.Entry{}, nil
	}
	return map[string]bus.Entry{events.PausesSubject(): e}, nil
}

func table(t *testing.T, seq uint64, sources ...string) bus.Entry {
	t.Helper()
	var p events.Pauses
	for _, s := range sources {
		p.Add(events.Pause{Scope: events.Scope{Source: s}})
	}
	data, err := events.Encode(p)
	if err != nil {
		t.Fatal(err)
	}
	return bus.Entry{Seq: seq, Data: data}
}

func TestNothingIsTakenBeforeTheTableIsRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		w := New(&scripted{answers: []bus.Entry{{Seq: 1}, {Seq: 1}, {}}}, slog.New(slog.DiscardHandler))
		if !w.Source("hr") || !w.Org("acme", events.LaneLeaver) {
			t.Error("something may be taken though nobody has looked")
		}
		if err := w.Read(t.Context()); err != nil || w.Source("hr") || w.Org("acme", events.LaneLeaver) {
			t.Errorf("where nothing was ever paused, nothing is: %v", err)
		}
	})
}

// A server that is behind does not bring back what was before; a table that
// nobody here understands pauses everything, until there is one that is.
func TestAnOlderTableIsNotBelieved(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		s := &scripted{answers: []bus.Entry{
			table(t, 5, "hr"), table(t, 3), {}, {Seq: 1}, table(t, 6), table(t, 5, "hr"), {Seq: 7, Data: []byte(`{"v":99}`)}, {Seq: 1}, table(t, 8, "sap"),
		}}
		w := New(s, slog.New(slog.DiscardHandler))
		if err := w.Read(ctx); err != nil {
			t.Fatal(err)
		}
		go w.Run(ctx)
		for i, want := range [][2]bool{
			{true, false}, {true, false}, {true, false}, {true, false}, // older ones, and none
			{false, false}, {false, false}, {true, true}, {true, true}, {false, true},
		} {
			if i > 0 {
				<-time.After(readEvery) // by the clock of the bubble
			}
			synctest.Wait()
			if got := [2]bool{w.Source("hr"), w.Source("sap")}; got != want {
				t.Errorf("after answer %d hr and sap are paused: %v, want %v", i, got, want)
			}
		}
	})
}
