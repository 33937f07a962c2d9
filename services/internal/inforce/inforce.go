package inforce

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

const (
	// Every is how often a replica gives a sign of life.
	Every = 5 * time.Second
	// Silence is how long nothing is heard of a replica that counts as gone.
	Silence = 30 * time.Second
)

// State is which configuration is in force, and who is there.
type State struct {
	// Configuration is the register; its Generation is 0 where no replica has
	// started yet. Seq and Since are those of its message.
	events.Configuration
	Seq   uint64
	Since time.Time
	// Beats are the newest of every replica, the oldest number first. Some may
	// have been gone for long.
	Beats []Beat
	Sweep Sweep
}

// Beat is a sign of life, and when it was stored by the server's clock.
type Beat struct {
	events.Beat
	Subject string
	Seq     uint64
	At      time.Time
}

// Sweep is the sweep's record; Seq is 0 where there is none.
type Sweep struct {
	events.Sweep
	Seq uint64
}

// Latest is what is needed of the bus.
type Latest interface {
	Latest(ctx context.Context, stream string, subjects []string) (map[string]bus.Entry, error)
}

// Read reads all of it as of one moment.
func Read(ctx context.Context, b Latest) (State, error) {
	var s State
	have, err := b.Latest(ctx, events.StreamRoster, []string{events.ConfigurationSubject(), events.SweepSubject(), events.BeatsAll})
	if err != nil {
		return s, fmt.Errorf("read which configuration is in force: %w", err)
	}
	for _, subject := range slices.Sorted(maps.Keys(have)) {
		if err := s.take(have[subject]); err != nil {
			return s, fmt.Errorf("read which configuration is in force: %w", err)
		}
	}
	slices.SortFunc(s.Beats, func(a, b Beat) int {
		return cmp.Or(cmp.Compare(len(a.Subject), len(b.Subject)), cmp.Compare(a.Subject, b.Subject))
	})
	return s, nil
}

func (s *State) take(e bus.Entry) error {
	var err error
	switch e.Subject {
	case events.ConfigurationSubject():
		s.Configuration, err = events.Decode[events.Configuration](e.Data)
		s.Seq, s.Since = e.Seq, e.Time
	case events.SweepSubject():
		s.Sweep.Sweep, err = events.Decode[events.Sweep](e.Data)
		s.Sweep.Seq = e.Seq
	default:
		b := Beat{Subject: e.Subject, Seq: e.Seq, At: e.Time}
		b.Beat, err = events.Decode[events.Beat](e.Data)
		s.Beats = append(s.Beats, b)
	}
	return err
}

// Heard is the newest sign of life of whoever takes events under the
// configuration in force: a beat, or the switch itself.
func (s *State) Heard() (seq uint64, at time.Time) {
	seq, at = s.Seq, s.Since
	for _, b := range s.Beats {
		if b.Generation == s.Generation && b.Seq > seq {
			seq, at = b.Seq, b.At
		}
	}
	return seq, at
}

// HeardOf is the newest sign of life of one replica; 0 where there is none.
func (s *State) HeardOf(replica string) (seq uint64, at time.Time) {
	for _, b := range s.Beats {
		if b.Replica == replica && b.Seq > seq {
			seq, at = b.Seq, b.At
		}
	}
	return seq, at
}

// Newest is the newest time of the server's that is in the state: what is older
// by so much than this has not been heard for so long, whatever our clock says.
func (s *State) Newest() time.Time {
	at := s.Since
	for _, b := range s.Beats {
		if b.At.After(at) {
			at = b.At
		}
	}
	return at
}

// Alive are the replicas that were heard of shortly before the time now of the
// server's clock, and have not left since.
func (s *State) Alive(now time.Time) []Beat {
	var out []Beat
	for _, b := range s.Beats {
		if now.Sub(b.At) < Silence && !b.Left {
			out = append(out, b)
		}
	}
	return out
}

// Swept says that everybody has been compared with the configuration in force.
func (s *State) Swept() bool { return s.Sweep.Generation == s.Generation && s.Sweep.Done }
