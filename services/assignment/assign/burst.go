package assign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// burst is what an event was published with: an export, say.
type burst struct {
	source, id string
	size       int
	// from and at are an event of it that is known, and when it was stored.
	from uint64
	at   time.Time
}

// burstOf is what some events of one source were published with, nil where one of
// them came alone: that one does not wait.
func burstOf(ins []*incoming) *burst {
	var b *burst
	for _, in := range ins {
		if in.event == nil || in.event.BatchID == "" {
			return nil
		}
		if b == nil {
			b = &burst{source: in.source, id: in.event.BatchID, size: in.event.BatchSize, from: in.entry.Seq, at: in.entry.Time}
		}
	}
	return b
}

// errSettling says of a change that it waits for the rest of its burst.
var errSettling = errors.New("the rest of a burst is still to come")

// maxBursts is how many bursts are remembered: those of every source that
// publishes at the same time.
const maxBursts = 32

// bursts remembers what was foreseen of bursts. Forgotten, or in another replica,
// it is worked out once more.
type bursts struct {
	mu    sync.Mutex
	known map[string]*foresight
}

// begin is where to look for the first event of a burst: those that were published
// before the one that is known stand before it, with what others published meanwhile.
// Looked for too late, the burst is never found whole, and waits for its settle time.
func (b *burst) begin() uint64 {
	back := uint64(2*b.size + 1000) //nolint:gosec // a size is positive
	return max(b.from, back+1) - back
}

func (b *burst) name() string { return b.source + "/" + b.id }

func (b *bursts) get(name string) *foresight {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.known[name]
}

func (b *bursts) put(name string, f *foresight) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.known == nil || len(b.known) >= maxBursts {
		b.known = make(map[string]*foresight, maxBursts)
	}
	b.known[name] = f
}

// foreseen is all that is known of what comes with the drafts. What takes something
// as one of many waits, with errSettling, until it is known what the many take.
func (s *Service) foreseen(ctx context.Context, drafts []*draft) (*foresight, error) {
	all := &foresight{whole: map[string][]gate.Place{}}
	all.add(drafts[0].change.foresight)
	seen := map[string]bool{}
	for _, d := range drafts {
		b := d.change.burst
		if b == nil || !slices.ContainsFunc(d.wishes, func(w *wish) bool { return s.many(w, b) }) {
			continue
		}
		f, err := s.foreseeBurst(ctx, b)
		switch {
		case errors.Is(err, errSettling):
			d.change.err = err
		case err != nil:
			return nil, err
		case !seen[b.name()]:
			seen[b.name()] = true
			all.add(f)
		}
	}
	return all, nil
}

// many says whether a wish newly takes something as one of more than may be let
// through anyway.
func (s *Service) many(w *wish, b *burst) bool {
	limits := s.gates[w.org].limits
	return !limits.Off && b.size > limits.People && w.Takes() && len(gate.Alone(w.Case)) > 0
}

// foreseeBurst works out what a burst takes, without making it so.
func (s *Service) foreseeBurst(ctx context.Context, b *burst) (*foresight, error) {
	if f := s.bursts.get(b.name()); f != nil {
		return f, nil
	}
	n, err := s.censusTaken(ctx)
	if err != nil {
		return nil, err
	}
	found, err := s.lookAhead(ctx, n, b)
	if err != nil {
		return nil, fmt.Errorf("look ahead in a burst: %w", err)
	}
	f := n.foresee()
	waited := n.now.Sub(b.at)
	settle := time.Duration(0)
	for _, g := range s.gates {
		settle = max(settle, g.settle)
	}
	if found < b.size && len(f.whole) == 0 && waited < settle {
		return nil, errSettling
	}
	s.bursts.put(b.name(), f)
	return f, nil
}

// lookAhead counts in what the events of a burst take, and says how many of them
// are there.
func (s *Service) lookAhead(ctx context.Context, n *census, b *burst) (found int, err error) {
	people := map[events.Key][]*incoming{}
	flush := func() error {
		changes := make([]*change, 0, len(people))
		for _, key := range slices.Sorted(maps.Keys(people)) {
			ins := people[key]
			c := &change{key: key, taker: events.CauseSource(b.source), context: ctx}
			c.apply = func(state *events.PersonState) bool { return foldAll(c, state, ins) }
			changes = append(changes, c)
		}
		clear(people)
		return s.look(ctx, n, changes)
	}
	err = s.roster.Scan(ctx, events.StreamDirectory, events.DirectorySubject(b.source, ">"), b.begin(), func(e bus.Entry) error {
		in, fault := s.reader.read(e)
		if in.event == nil || in.event.BatchID != b.id {
			return nil
		}
		found++
		if fault != nil || in.event.Person == nil {
			return nil //nolint:nilerr // what cannot be used takes nothing, and is rejected in its turn
		}
		in.context = ctx
		people[in.key] = append(people[in.key], in)
		if len(people) < batchSize {
			return nil
		}
		return flush()
	})
	if err != nil {
		return found, err
	}
	return found, flush()
}
