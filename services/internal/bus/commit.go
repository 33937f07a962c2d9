package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	jitter "math/rand/v2"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

const (
	// batchMax is the server's limit on one atomic batch.
	batchMax = 1000
	// commitTimeout bounds a Commit over reconnects and retries.
	commitTimeout = 20 * time.Second
	retryWait     = 20 * time.Millisecond
	// unlookedMax bounds how often a batch is tried again whose guards the server
	// did not look at. In a cluster somebody else's write may be on its way to
	// one of the subjects, and a lone writer was told so once in 12,000 commits
	// or less; the next try always went through.
	unlookedMax = 8
)

// Write is one message to store.
type Write struct {
	Subject string
	Data    []byte
	Header  Header
	// Guarded makes it a compare-and-set: it is stored only if the newest
	// message of GuardSubject has sequence LastSeq (0: there is none).
	Guarded bool
	LastSeq uint64
	// GuardSubject is another subject of the stream. Empty is Subject itself.
	GuardSubject string
	// Schedule delays it: Data is published to the schedule's target later.
	Schedule *Schedule
	// MsgID lets a repeat within ten minutes be recognised.
	MsgID string
}

// Schedule says when and where a delayed message is published. A schedule due
// while the server is down fires at its start, one in the past at once.
type Schedule struct {
	At     time.Time
	Target string
}

// Group is stored whole or not at all.
type Group []Write

// Committed says how one group ended.
type Committed struct {
	// Seqs are the sequences of the group's writes.
	Seqs []uint64
	// Err is nil or [ErrConflict].
	Err error
}

// guard is the subject that the write's guard looks at.
func (w Write) guard() string {
	if w.GuardSubject != "" {
		return w.GuardSubject
	}
	return w.Subject
}

// Commit stores groups durably, packed into atomic batches of up to 1,000
// writes. A conflict concerns its own group only: the others are stored, in a
// new batch. A reply that got lost is settled by reading back, so that nil
// means stored and ErrConflict means not by us. Groups without a guard may be
// stored twice then.
//
// Any number of guards may look at one subject. The server looks at them before
// it stores anything of a batch, and refuses to look at a subject that the batch
// has written by then: within a group, a write guarded by a subject stands
// before the write of that subject. Groups may stand in any order. One that is
// guarded by what an earlier one writes is stored after it, in another batch,
// and so is in conflict unless that one was.
//
// An error means undecided for at least one group: read again, then decide.
func (b *Bus) Commit(ctx context.Context, stream string, groups []Group) ([]Committed, error) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	c := &commit{bus: b, stream: stream}
	out := make([]Committed, len(groups))
	for start := 0; start < len(groups); {
		end, size := start, 0
		for end < len(groups) && (size == 0 || size+len(groups[end]) <= batchMax) {
			size += len(groups[end])
			end++
		}
		if size > batchMax {
			return out, fmt.Errorf("commit to %s: a group of %d writes, the limit is %d", stream, size, batchMax)
		}
		if err := c.store(ctx, newPack(groups, out, start, end)); err != nil {
			return out, fmt.Errorf("commit to %s: %w", stream, err)
		}
		start = end
	}
	return out, nil
}

// commit is one call of [Bus.Commit].
type commit struct {
	bus    *Bus
	stream string
}

// pack is the part of a commit that goes into one batch; groups found to be in
// conflict are taken out, and the rest is a new batch.
type pack struct {
	members []member
	// mark is on every message of this very batch, however often it is tried.
	// Empty where no message has a guard: nobody would look for it.
	mark string
	// unsure says that a reply got lost: a try may have been stored, or may be
	// still on its way.
	unsure bool
	// unlooked counts refusals for guards that the server did not look at.
	unlooked int
}

type member struct {
	group Group
	out   *Committed
}

func newPack(groups []Group, out []Committed, start, end int) *pack {
	var members []member
	for i := start; i < end; i++ {
		if len(groups[i]) > 0 {
			members = append(members, member{groups[i], &out[i]})
		}
	}
	return packOf(members...)
}

func packOf(members ...member) *pack {
	p := &pack{members: members}
	p.renew()
	return p
}

// renew makes the pack a batch of its own, none of which can be stored yet.
func (p *pack) renew() {
	p.mark, p.unsure, p.unlooked = "", false, 0
	if p.guarded() {
		p.mark = rand.Text()
	}
}

func (p *pack) size() int {
	n := 0
	for _, m := range p.members {
		n += len(m.group)
	}
	return n
}

func (p *pack) writes() []Write {
	all := make([]Write, 0, p.size())
	for _, m := range p.members {
		all = append(all, m.group...)
	}
	return all
}

func (p *pack) guarded() bool {
	for _, m := range p.members {
		for _, w := range m.group {
			if w.Guarded {
				return true
			}
		}
	}
	return false
}

func (p *pack) messages(stream string) []*nats.Msg {
	writes := p.writes()
	msgs := make([]*nats.Msg, len(writes))
	for i, w := range writes {
		msgs[i] = w.message(stream, p.mark)
	}
	return msgs
}

// stored notes that the pack is in the stream, its last write at seq.
func (p *pack) stored(last uint64) {
	seq := last - uint64(p.size()) + 1 //nolint:gosec // a count is not negative
	for _, m := range p.members {
		seqs := make([]uint64, len(m.group))
		for j := range m.group {
			seqs[j] = seq
			seq++
		}
		m.out.Seqs = seqs
	}
}

// drop takes the groups out whose guard no longer holds.
func (p *pack) drop(have map[string]Entry) {
	var kept []member
	for _, m := range p.members {
		if holds(m.group, have) {
			kept = append(kept, m)
			continue
		}
		m.out.Err = ErrConflict
	}
	p.members = kept
	p.renew()
}

func holds(g Group, have map[string]Entry) bool {
	for _, w := range g {
		if w.Guarded && have[w.guard()].Seq != w.LastSeq {
			return false
		}
	}
	return true
}

// store stores a pack, or as much of it as is in no conflict.
func (c *commit) store(ctx context.Context, p *pack) error {
	for len(p.members) > 0 {
		last, err := c.bus.publish(ctx, p.messages(c.stream))
		if err == nil {
			p.stored(last)
			return nil
		}
		refused := err
		if done, err := c.judge(ctx, p, err); done || err != nil {
			return err
		}
		if wait(ctx, retryWait+jitter.N(retryWait)) != nil { //nolint:gosec // jitter, not a secret
			return explain(refused)
		}
	}
	return nil
}

// judge finds out what the failure of a try means, and makes the pack ready for
// the next; done says that there is nothing more to try.
func (c *commit) judge(ctx context.Context, p *pack, failure error) (done bool, err error) {
	var api *jetstream.APIError
	if !errors.As(failure, &api) {
		p.unsure = true
		return c.settle(ctx, p)
	}
	switch api.ErrorCode {
	case codeWrongLastSequence:
		if p.unsure {
			return c.settle(ctx, p)
		}
		return false, c.dropConflicts(ctx, p)
	case jetstreamext.JSErrCodeBatchPublishDuplicateMsgID:
		return true, c.storeKnown(ctx, p)
	case codeWrongLastSequenceConstant:
		return c.unlooked(ctx, p)
	case jetstreamext.JSErrCodeAtomicPublishTooManyInflight, jetstreamext.JSErrCodeBatchPublishIncomplete:
		return false, nil // refused as a whole, for a reason that passes
	}
	if api.Code == 503 {
		// Of some of these the server finds out only after others of its cluster
		// have the batch.
		p.unsure = true
		return c.settle(ctx, p)
	}
	return false, failure
}

// dropConflicts takes the groups out whose guard no longer holds, after a
// refusal that leaves nothing in doubt.
func (c *commit) dropConflicts(ctx context.Context, p *pack) error {
	have, err := c.bus.Latest(ctx, c.stream, p.guards())
	if err == nil {
		p.drop(have)
	}
	return err
}

// unlooked deals with a batch that was refused because the server did not look
// at its guards. On one node that is so when the batch itself writes what a
// guard looks at: its groups go apart. Otherwise somebody else is writing there,
// which passes; when it does not, each group is tried for itself, and those that
// are refused still are in conflict.
func (c *commit) unlooked(ctx context.Context, p *pack) (done bool, err error) {
	first, later, err := p.apart()
	switch {
	case err != nil:
		return true, err
	case len(later) > 0: // no try of this batch can ever be stored
		if err := c.store(ctx, packOf(first...)); err != nil {
			return true, err
		}
		return true, c.store(ctx, packOf(later...))
	case p.unsure: // it may be our own try that is in the way
		return c.settle(ctx, p)
	}
	if p.unlooked++; p.unlooked < unlookedMax {
		return false, nil
	}
	if len(p.members) == 1 {
		p.members[0].out.Err = ErrConflict
		return true, nil
	}
	return true, c.storeSingly(ctx, p)
}

// apart says which groups can be in one batch, and which must come later:
// a guard does not look at what the batch has written before it.
func (p *pack) apart() (first, later []member, err error) {
	written := map[string]bool{}
	for _, m := range p.members {
		own, late := map[string]bool{}, false
		for _, w := range m.group {
			if w.Guarded && own[w.guard()] {
				return nil, nil, fmt.Errorf("a write is guarded by %s, which its group writes before it: put it first", template(w.guard()))
			}
			late = late || w.Guarded && written[w.guard()]
			own[w.Subject] = true
		}
		maps.Copy(written, own)
		if late {
			later = append(later, m)
		} else {
			first = append(first, m)
		}
	}
	return first, later, nil
}

// storeKnown stores a pack that holds a write the stream already has: the
// server refuses such a batch whole. Groups of one write each are meant; a
// duplicate is as good as stored.
func (c *commit) storeKnown(ctx context.Context, p *pack) error {
	for _, m := range p.members {
		if len(m.group) != 1 {
			return fmt.Errorf("a group of %d writes holds a message id that is already stored", len(m.group))
		}
	}
	return c.storeSingly(ctx, p)
}

// storeSingly stores each group as a batch of its own.
func (c *commit) storeSingly(ctx context.Context, p *pack) error {
	for _, m := range p.members {
		if err := c.store(ctx, packOf(m)); err != nil {
			return err
		}
	}
	return nil
}
