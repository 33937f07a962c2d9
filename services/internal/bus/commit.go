package bus

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	jitter "math/rand/v2"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

const (
	// batchMax is the server's limit on one atomic batch.
	batchMax = 1000
	// sumRoom is what a batch is filled short of its limit by for what is counted over
	// it. A sum that needs more has the batch stored in parts.
	sumRoom = 10
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
	// MsgID names the message: within ten minutes the stream takes no other of
	// that name, from whomever. It is for groups of one write.
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
	// Duplicate says that nothing was stored: before this Commit the stream had a
	// message with the write's MsgID, which Seqs names.
	Duplicate bool
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
	return b.CommitSummed(ctx, stream, groups, nil)
}

// Sum makes one more group for a batch: what is counted over the others. in are
// the indices of the groups that the batch holds. A sum with a guard of its own
// reads what it adds to.
type Sum func(ctx context.Context, in []int) (Group, error)

// CommitSummed is [Bus.Commit] with a sum in every batch, after its groups. The
// sum is made anew whenever the batch is: for the next 1,000 writes, when a group
// was in conflict and drops out, and when the sum's own guard no longer holds.
// An error of sum is one of the commit; what it was asked for is not stored.
func (b *Bus) CommitSummed(ctx context.Context, stream string, groups []Group, sum Sum) ([]Committed, error) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	c := &commit{bus: b, stream: stream, sum: sum}
	room := batchMax
	if sum != nil {
		room -= sumRoom
	}
	out := make([]Committed, len(groups))
	for start := 0; start < len(groups); {
		end, size := start, 0
		for end < len(groups) && (size == 0 || size+len(groups[end]) <= room) {
			size += len(groups[end])
			end++
		}
		if size > room {
			return out, fmt.Errorf("commit to %s: a group of %d writes, the limit is %d", stream, size, room)
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
	sum    Sum
}

// compose makes a batch of the groups that are in, none of which can be stored yet.
func (c *commit) compose(ctx context.Context, p *pack) error {
	*p = pack{members: p.members, again: p.again, made: true}
	if c.sum != nil {
		in := make([]int, len(p.members))
		for i, m := range p.members {
			in[i] = m.index
		}
		var err error
		if p.sum, err = c.sum(ctx, in); err != nil {
			return err
		}
	}
	for w := range p.writes() {
		if w.Guarded {
			p.mark = rand.Text()
			break
		}
	}
	return nil
}

// store stores a pack, or as much of it as is in no conflict.
func (c *commit) store(ctx context.Context, p *pack) error {
	for len(p.members) > 0 {
		if !p.made {
			if err := c.compose(ctx, p); err != nil {
				return err
			}
			if p.size() > batchMax {
				return c.storeHalves(ctx, p)
			}
		}
		last, duplicate, err := c.bus.publish(ctx, p.messages(c.stream))
		if err == nil {
			p.stored(last)
			if duplicate { // of an earlier try of ours, if there may be one
				p.members[0].out.Duplicate = !p.unsure && !p.again
			}
			return nil
		}
		refused := err
		if done, err := c.judge(ctx, p, err); done || err != nil || len(p.members) == 0 {
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
	case jetstreamext.JSErrCodeAtomicPublishTooManyInflight, jetstreamext.JSErrCodeBatchPublishIncomplete, codeDuplicateInProcess:
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
		if err := c.store(ctx, &pack{members: first}); err != nil {
			return true, err
		}
		return true, c.store(ctx, &pack{members: later})
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

// storeKnown stores a pack that holds a message id which the stream already has:
// the server refuses such a batch whole, and of a single message it says so.
func (c *commit) storeKnown(ctx context.Context, p *pack) error {
	if len(p.sum) > 0 {
		return errors.New("a batch with a sum holds a message id that is already stored")
	}
	for _, m := range p.members {
		if len(m.group) != 1 {
			return fmt.Errorf("a group of %d writes holds a message id that is already stored", len(m.group))
		}
	}
	return c.storeSingly(ctx, p)
}

// storeHalves stores a pack that its sum has made too large, each half with a sum of
// its own.
func (c *commit) storeHalves(ctx context.Context, p *pack) error {
	half := len(p.members) / 2
	if half == 0 {
		return fmt.Errorf("a group and a sum of %d writes together, the limit is %d", p.size(), batchMax)
	}
	for _, part := range [][]member{p.members[:half], p.members[half:]} {
		if err := c.store(ctx, &pack{members: part, again: p.again}); err != nil {
			return err
		}
	}
	return nil
}

// storeSingly stores each group as a batch of its own.
func (c *commit) storeSingly(ctx context.Context, p *pack) error {
	for _, m := range p.members {
		if err := c.store(ctx, &pack{members: []member{m}, again: p.unsure}); err != nil {
			return err
		}
	}
	return nil
}
