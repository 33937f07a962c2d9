package up

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// stage is one step of the way, and how far it is.
type stage struct {
	name        string
	done, total uint64
}

// reading is how the whole system stands at one moment.
type reading struct {
	stages []stage
	// flying counts messages that wait or are worked on; retries counts
	// attempts that are scheduled.
	flying, retries uint64
	parked          uint64
	// held says which orgs are held, and why.
	held  []string
	tally tally
}

// quiet says that nothing is left to do.
func (r reading) quiet() bool { return r.flying == 0 && r.retries == 0 }

// tally counts what this run has done.
type tally struct {
	Created, Updated, Deactivated, Applied, Failed uint64
	byLane                                         map[events.Lane]uint64
}

// gauge reads the system's state from its streams, and only what is new since
// the last reading.
type gauge struct {
	bus *bus.Bus
	// owners and outcomes are where the next reading begins in ROSTER.
	owners, outcomes uint64
	tally            tally
}

// newGauge counts from now on.
func newGauge(ctx context.Context, b *bus.Bus) (*gauge, error) {
	streams, err := b.Streams(ctx)
	if err != nil {
		return nil, fmt.Errorf("read streams: %w", err)
	}
	g := &gauge{bus: b, tally: tally{byLane: map[events.Lane]uint64{}}}
	for _, s := range streams {
		if s.Name == events.StreamRoster {
			g.owners, g.outcomes = s.LastSeq+1, s.LastSeq+1
		}
	}
	return g, nil
}

// read takes one reading. Consumers are read first: work that goes on while
// the rest is read can then only make the reading less quiet.
func (g *gauge) read(ctx context.Context) (reading, error) {
	var r reading
	consumers := map[string][]bus.ConsumerStatus{}
	for _, stream := range []string{events.StreamDirectory, events.StreamRoster, events.StreamOperator} {
		list, err := g.bus.Consumers(ctx, stream)
		if err != nil {
			return r, fmt.Errorf("read consumers: %w", err)
		}
		consumers[stream] = list
		for _, c := range list {
			r.flying += waitingAt(c)
		}
	}
	if err := g.count(ctx); err != nil {
		return r, err
	}
	r.tally = g.tally
	if err := g.waiting(ctx, consumers[events.StreamRoster], &r); err != nil {
		return r, err
	}
	return r, g.stages(ctx, consumers, &r)
}

// count adds what has been done since the last reading. Who was created is
// counted by owner records, which say where they only changed hands; an outcome may be replaced
// by the next one before it is counted.
func (g *gauge) count(ctx context.Context) error {
	err := g.bus.Scan(ctx, events.StreamRoster, events.OwnersAll, g.owners, func(e bus.Entry) error {
		g.owners = e.Seq + 1
		o, err := events.Decode[events.Owner](e.Data)
		if err == nil && o.By == "created" && o.From == "" {
			g.tally.Created++
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("count created users: %w", err)
	}
	err = g.bus.Scan(ctx, events.StreamRoster, events.OutcomesAll, g.outcomes, func(e bus.Entry) error {
		g.outcomes = e.Seq + 1
		o, err := events.Decode[events.Outcome](e.Data)
		if err == nil {
			g.tally.add(o)
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("count outcomes: %w", err)
	}
	return nil
}

func (t *tally) add(o events.Outcome) {
	t.byLane[o.Lane]++
	if o.Result == events.ResultFailed {
		t.Failed++
		return
	}
	t.Applied++
	switch {
	case slices.Contains(o.Actions, "created"):
	case slices.Contains(o.Actions, "deactivated"):
		t.Deactivated++
	case len(o.Actions) > 0:
		t.Updated++
	}
}

// waiting adds what keeps people waiting: scheduled attempts and held orgs.
// Attempts are only counted when nothing else goes on: there may be many.
func (g *gauge) waiting(ctx context.Context, work []bus.ConsumerStatus, r *reading) error {
	health, err := g.bus.Latest(ctx, events.StreamRoster, []string{events.HealthAll})
	if err != nil {
		return fmt.Errorf("read health: %w", err)
	}
	for _, subject := range slices.Sorted(maps.Keys(health)) {
		h, err := events.Decode[events.Health](health[subject].Data)
		if err == nil && h.State == events.HealthHeld && h.Failure != nil {
			r.held = append(r.held, fmt.Sprintf("org %s is held: %s: %s", h.Org, h.Failure.Cause, h.Failure.Message))
		}
	}
	if err := g.paused(ctx, work, r); err != nil {
		return err
	}
	if r.flying > 0 {
		return nil
	}
	err = g.bus.Scan(ctx, events.StreamRoster, events.RetriesAll, 1, func(bus.Entry) error {
		r.retries++
		return nil
	})
	if err != nil {
		return fmt.Errorf("count scheduled retries: %w", err)
	}
	err = g.bus.Scan(ctx, events.StreamRoster, events.TurnsAll, 1, func(e bus.Entry) error {
		if time.Since(e.Time) < operator.TurnWithin { // their turn comes in a moment
			r.flying++
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("count scheduled looks: %w", err)
	}
	return nil
}

// paused adds what is paused: what waits for it is no work that goes on, and what
// is being caught up with is.
func (g *gauge) paused(ctx context.Context, work []bus.ConsumerStatus, r *reading) error {
	have, err := g.bus.Latest(ctx, events.StreamRoster, []string{events.PausesSubject(), events.AsidesAll})
	if err != nil {
		return fmt.Errorf("read what is paused: %w", err)
	}
	table, err := events.Decode[events.Pauses](have[events.PausesSubject()].Data)
	if err != nil {
		table = events.Pauses{} // there is none yet
	}
	for _, p := range table.Paused {
		r.held = append(r.held, fmt.Sprintf("%s is paused by %s: %s", p.Scope, p.By, p.Reason))
	}
	for _, p := range table.Paused {
		for _, lane := range events.Lanes() {
			if p.Org == "" || p.Lane != "" && p.Lane != lane || p.Lane == lane && table.Of(events.Scope{Org: p.Org}) != nil {
				continue // of no org, of another lane, or counted with its org
			}
			for _, c := range work {
				if c.Name == events.WorkConsumer(p.Org, lane) {
					r.flying -= min(waitingAt(c), r.flying) // it goes nowhere
				}
			}
		}
	}
	for subject, e := range have {
		a, err := events.Decode[events.Aside](e.Data)
		if err == nil && subject == events.AsideSubject(a.Source) && a.To > 0 && !table.Source(a.Source) {
			r.flying++
		}
	}
	return nil
}

// stages are the steps of the way in the order in which a person takes them.
func (g *gauge) stages(ctx context.Context, consumers map[string][]bus.ConsumerStatus, r *reading) error {
	streams, err := g.bus.Streams(ctx)
	if err != nil {
		return fmt.Errorf("read streams: %w", err)
	}
	for _, s := range streams {
		switch s.Name {
		case events.StreamDead:
			r.parked = s.Messages
		case events.StreamDirectory:
			left := min(open(consumers[s.Name], events.ConsumerAssignment), s.Messages)
			r.stages = append(r.stages, stage{"directory", s.Messages, s.Messages}, stage{"assignment", s.Messages - left, s.Messages})
		}
	}
	for _, lane := range events.Lanes() {
		done := g.tally.byLane[lane]
		r.stages = append(r.stages, stage{"push " + string(lane), done, done + open(consumers[events.StreamRoster], "-"+string(lane))})
	}
	return nil
}

// causes counts dead letters by cause.
func (g *gauge) causes(ctx context.Context) (map[events.Cause]int, error) {
	out := map[events.Cause]int{}
	err := g.bus.Scan(ctx, events.StreamDead, events.DeadAll, 1, func(e bus.Entry) error {
		a, err := events.ParseSubject(e.Subject)
		if err == nil {
			out[a.Cause]++
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count dead letters: %w", err)
	}
	return out, nil
}

// open counts the messages of the consumers whose name ends so.
func open(consumers []bus.ConsumerStatus, suffix string) uint64 {
	var n uint64
	for _, c := range consumers {
		if strings.HasSuffix(c.Name, suffix) {
			n += waitingAt(c)
		}
	}
	return n
}

// people counts the persons Rollcall knows.
func (g *gauge) people(ctx context.Context) (int, error) {
	n := 0
	err := g.bus.Scan(ctx, events.StreamRoster, events.PersonsAll, 1, func(bus.Entry) error {
		n++
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("count people: %w", err)
	}
	return n, nil
}

// waitingAt counts what a consumer has not finished.
func waitingAt(c bus.ConsumerStatus) uint64 {
	return c.Pending + uint64(max(c.AckPending, 0))
}
