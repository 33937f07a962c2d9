package assign

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/gate"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// orgGate is an org's gate as configured.
type orgGate struct {
	limits gate.Limits
	// settle is how long the rest of a burst is waited for.
	settle time.Duration
	// config is a hash of what the org's rules are made of.
	config string
}

func readGates(f config.File) map[string]orgGate {
	out := make(map[string]orgGate, len(f.Orgs))
	for name, org := range f.Orgs {
		g := org.Gate
		if g == (config.Gate{}) { // a file made by a program
			g = config.DefaultOrg().Gate
		}
		out[name] = orgGate{settle: g.Settle, config: configHash(org.Assign, f.Precedence), limits: gate.LimitsOf(g)}
	}
	return out
}

func configHash(a config.Assign, precedence map[string][]string) string {
	data, err := json.Marshal([]any{a, precedence})
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:6])
}

// wish is what is to be judged of a change in one org.
type wish struct {
	gate.Case
	org string
	// seq is that of the desired state as stored.
	seq     uint64
	verdict gate.Verdict
}

// wish makes the case of a change in one org.
func (s *Service) wish(d *draft, org string, wanted *events.Desired, before *events.PersonState, previous map[string]*events.Desired) (*wish, error) {
	w := &wish{org: org}
	w.Is, w.Wish = previous[org], wanted
	w.Release, w.Config, w.Origin = d.change.releaseFor(org), s.gates[org].config, d.change.origin
	w.Cause = s.causes(d, org, previous)
	if len(gate.Takes(w.Is, wanted)[events.AspectActive]) == 0 {
		return w, nil
	}
	var err error
	w.Kept, err = s.rules.Kept(org, d.state, before, w.Is)
	return w, err
}

// causes finds out by what an aspect is taken. The person as they were before the
// change, under the configuration of today, tells: what they have less of even so
// is the configuration's doing, the rest that of whoever made the change. What is
// held already is nobody's doing again.
func (s *Service) causes(d *draft, org string, previous map[string]*events.Desired) func(events.Aspect) events.ChangeCause {
	var was *events.Desired
	worked := false
	return func(aspect events.Aspect) events.ChangeCause {
		if d.change.taker == "" {
			return events.CauseConfig
		}
		if !worked {
			worked, was = true, s.before(d, org, previous)
		}
		is := previous[org]
		held := slices.ContainsFunc(is.Held, func(h events.Hold) bool {
			return h.Aspect == aspect && was != nil && h.Wish == gate.WishOf(was, aspect)
		})
		if held || len(gate.Takes(is, was)[aspect]) == 0 {
			return d.change.taker
		}
		return events.CauseConfig
	}
}

// before is what would be wished for without the change; nil where nothing is, or
// where it cannot be worked out.
func (s *Service) before(d *draft, org string, previous map[string]*events.Desired) *events.Desired {
	if d.entry.Seq == 0 {
		return nil
	}
	state, err := events.Decode[events.PersonState](d.entry.Data)
	if err != nil {
		return nil
	}
	wishes, err := s.rules.Desire(&state, nil, previous)
	if err != nil {
		return nil
	}
	return wishes[org]
}

// counter is an org's counter as stored.
type counter struct {
	guard events.Guard
	seq   uint64
	// err says why it cannot be read: what takes something waits then.
	err error
}

// counted are the counters that a batch of changes is judged by.
type counted struct {
	registers map[string]*counter
	now       time.Time
	foresight *foresight
	// fresh says that they were read for this very try.
	fresh bool
}

// judge decides about all that the drafts wish for. It reads no counter where
// nothing is to be counted, and returns nil then.
func (s *Service) judge(ctx context.Context, drafts []*draft) (*counted, error) {
	orgs := map[string]bool{}
	for _, d := range drafts {
		for _, w := range d.wishes {
			if w.Counts() {
				orgs[w.org] = true
			}
		}
	}
	var k *counted
	counters := map[string]*gate.Counter{}
	if len(orgs) > 0 {
		var err error
		if k, err = s.count(ctx, slices.Sorted(maps.Keys(orgs))); err != nil {
			return nil, err
		}
		if k.foresight, err = s.foreseen(ctx, drafts); err != nil {
			return nil, err
		}
		counters = k.open(s.gates)
	}
	for _, d := range drafts {
		if d.change.err != nil {
			continue // it waits for the rest of its burst
		}
		for _, w := range d.wishes {
			if err := w.judge(k, counters[w.org]); err != nil {
				d.change.err = err
			}
		}
	}
	return k, nil
}

// judge decides about one wish. Where the counter cannot be read, what takes
// something waits; what gives goes on, and is not counted.
func (w *wish) judge(k *counted, c *gate.Counter) error {
	switch {
	case !w.Counts():
		w.verdict = w.Uncounted()
	case c != nil:
		w.verdict = c.Judge(w.Case)
	case w.Takes():
		return fmt.Errorf("%w: %w", errUnreadable, k.registers[w.org].err)
	default:
		w.verdict = w.Uncounted()
	}
	return nil
}

// open opens the counters that can be read.
func (k *counted) open(gates map[string]orgGate) map[string]*gate.Counter {
	out := make(map[string]*gate.Counter, len(k.registers))
	for org, r := range k.registers {
		if r.err != nil {
			continue
		}
		out[org] = gate.Open(r.guard, gates[org].limits, k.now)
		k.foresight.tell(org, out[org])
	}
	return out
}

// count reads the counters of some orgs. One that is not there yet begins with
// those who are active by now.
func (s *Service) count(ctx context.Context, orgs []string) (*counted, error) {
	subjects := make([]string, len(orgs))
	for i, org := range orgs {
		subjects[i] = events.GuardSubject(org)
	}
	now, err := s.roster.Now(ctx)
	if err != nil {
		return nil, err
	}
	have, err := s.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read what was taken away: %w", err)
	}
	k := &counted{registers: make(map[string]*counter, len(orgs)), now: now, fresh: true}
	for _, org := range orgs {
		entry, known := have[events.GuardSubject(org)]
		r := &counter{seq: entry.Seq}
		if known {
			r.guard, r.err = events.Decode[events.Guard](entry.Data)
		} else if r.guard, err = s.firstCount(ctx, org); err != nil {
			return nil, err
		}
		k.registers[org] = r
	}
	return k, nil
}

func (s *Service) firstCount(ctx context.Context, org string) (events.Guard, error) {
	active := 0
	err := s.roster.Scan(ctx, events.StreamRoster, events.DesiredSubject(org, "*"), 1, func(e bus.Entry) error {
		if d, err := events.Decode[events.Desired](e.Data); err == nil && d.Active {
			active++
		}
		return nil
	})
	if err != nil {
		return events.Guard{}, fmt.Errorf("count who is active: %w", err)
	}
	return gate.NewGuard(org, active), nil
}

// errMoved says that others have counted meanwhile, so that what was judged is to
// be judged again.
var errMoved = errors.New("the count has moved")

// commit stores the groups, with the counters where anything is counted.
func (s *Service) commit(ctx context.Context, groups []bus.Group, drafts []*draft, k *counted) ([]bus.Committed, error) {
	if k == nil {
		return s.roster.Commit(ctx, events.StreamRoster, groups)
	}
	return s.roster.CommitSummed(ctx, events.StreamRoster, groups, func(ctx context.Context, in []int) (bus.Group, error) {
		return s.sum(ctx, drafts, in, k)
	})
}

// sum judges those who are in a batch once more, on the counters as they are now:
// where that comes to the same, the counters are written with them.
func (s *Service) sum(ctx context.Context, drafts []*draft, in []int, k *counted) (bus.Group, error) {
	if !k.fresh {
		again, err := s.count(ctx, slices.Sorted(maps.Keys(k.registers)))
		if err != nil {
			return nil, err
		}
		k.registers, k.now = again.registers, again.now
	}
	k.fresh = false
	counters := k.open(s.gates)
	moved := map[string]bool{}
	for _, i := range in {
		for _, w := range drafts[i].wishes {
			c := counters[w.org]
			if !w.Counts() || c == nil && !w.Takes() {
				continue
			}
			if c == nil || !w.verdict.Same(c.Judge(w.Case)) {
				return nil, errMoved
			}
			moved[w.org] = true
		}
	}
	var out bus.Group
	for _, org := range slices.Sorted(maps.Keys(moved)) {
		data, err := events.Encode(counters[org].Guard())
		if err != nil {
			return nil, err
		}
		out = append(out, bus.Write{
			Subject: events.GuardSubject(org), Data: data, Header: headerOf(ctx), Guarded: true, LastSeq: k.registers[org].seq,
		})
	}
	return out, nil
}

// heldWrite is what operators see of what is held, where that has changed.
func (w *wish) heldWrite(d *draft) (bus.Group, error) {
	if !w.verdict.Changed {
		return nil, nil
	}
	data, err := events.Encode(events.Held{
		Org: w.org, Key: d.change.key, Username: w.verdict.Desired.Match.Username, Holds: w.verdict.Held,
	})
	return bus.Group{{Subject: events.HeldSubject(w.org, d.change.key), Data: data, Header: d.header}}, err
}

// told logs and counts what became of a draft at the gate, once it is stored.
func (s *Service) told(ctx context.Context, d *draft) {
	for _, w := range d.wishes {
		for _, at := range w.verdict.Waits {
			s.metrics.gated(ctx, w.org, at.Aspect, "held")
			s.log.WarnContext(d.change.context, "change is held, for it takes too much at once", "org", w.org, "key", d.change.key,
				"aspect", string(at.Aspect), "cause", string(at.Cause))
		}
		if w.verdict.Capped {
			s.log.WarnContext(d.change.context, "person is not let through, for enough were on their own within the hour", "org", w.org, "key", d.change.key)
		}
		for _, at := range w.verdict.Taken {
			s.metrics.gated(ctx, w.org, at.Aspect, "passed")
		}
	}
}
