package bus

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
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

	// Error codes of the server: a real compare-and-set mismatch, and one that
	// a cluster reports to a lone writer now and then; the latter is repeated.
	codeWrongLastSequence         jetstream.ErrorCode = 10071
	codeWrongLastSequenceConstant jetstream.ErrorCode = 10164

	headerSchedule       = "Nats-Schedule"
	headerScheduleTarget = "Nats-Schedule-Target"
)

// Write is one message to store.
type Write struct {
	Subject string
	Data    []byte
	Header  Header
	// Guarded makes it a compare-and-set: it is stored only if the newest
	// message of Subject has sequence LastSeq (0: there is none).
	Guarded bool
	LastSeq uint64
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

// Commit stores groups durably, packed into atomic batches of up to 1,000
// writes. A conflict concerns its own group only. A reply that got lost is
// settled by reading back, so that nil means stored and ErrConflict means not
// by us. An error means undecided for at least one group: read again, then
// decide.
func (b *Bus) Commit(ctx context.Context, stream string, groups []Group) ([]Committed, error) {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
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
		pack := newPack(groups, out, start, end)
		if err := b.commitPack(ctx, stream, pack); err != nil {
			return out, fmt.Errorf("commit to %s: %w", stream, err)
		}
		start = end
	}
	return out, nil
}

// pack is the part of a Commit that goes into one batch; groups found to be in
// conflict are taken out and the rest is tried again.
type pack struct {
	groups []Group
	out    []*Committed
}

func newPack(groups []Group, out []Committed, start, end int) *pack {
	p := &pack{}
	for i := start; i < end; i++ {
		if len(groups[i]) == 0 {
			continue
		}
		p.groups = append(p.groups, groups[i])
		p.out = append(p.out, &out[i])
	}
	return p
}

func (p *pack) writes() []Write {
	var all []Write
	for _, g := range p.groups {
		all = append(all, g...)
	}
	return all
}

// stored notes that the pack is in the stream, its last write at seq.
func (p *pack) stored(last uint64) {
	seq := last - uint64(len(p.writes())) + 1
	for i, g := range p.groups {
		seqs := make([]uint64, len(g))
		for j := range g {
			seqs[j] = seq
			seq++
		}
		p.out[i].Seqs = seqs
	}
}

func (b *Bus) commitPack(ctx context.Context, stream string, p *pack) error {
	unsure := false // a reply got lost: an earlier try may be stored
	for len(p.groups) > 0 {
		last, err := b.publish(ctx, stream, p.writes())
		refused := err
		if err == nil {
			p.stored(last)
			return nil
		}
		var api *jetstream.APIError
		done := false
		switch {
		case errors.As(err, &api) && api.ErrorCode == codeWrongLastSequence && !unsure:
			err = b.dropConflicts(ctx, stream, p)
		case errors.As(err, &api) && api.ErrorCode == jetstreamext.JSErrCodeBatchPublishDuplicateMsgID:
			return b.publishSingly(ctx, stream, p)
		case errors.As(err, &api) && repeatable(api):
			err = nil // refused as a whole, nothing stored: repeat
		case errors.As(err, &api) && api.ErrorCode != codeWrongLastSequence:
			return err
		default:
			unsure = true
			done, err = b.settle(ctx, stream, p)
		}
		if done || err != nil {
			return err
		}
		if wait(ctx, retryWait+rand.N(retryWait)) != nil { //nolint:gosec // jitter, not a secret
			return explain(refused)
		}
	}
	return nil
}

// explain says what kept a commit from being made until its time was over.
func explain(err error) error {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("no stream takes it (has the installation been provisioned, and do its services run?): %w", err)
	}
	return fmt.Errorf("not stored in time: %w", err)
}

// repeatable says whether the server refused the whole batch for a reason that
// passes.
func repeatable(api *jetstream.APIError) bool {
	switch api.ErrorCode {
	case codeWrongLastSequenceConstant, jetstreamext.JSErrCodeAtomicPublishTooManyInflight,
		jetstreamext.JSErrCodeBatchPublishIncomplete:
		return true
	}
	return api.Code == 503
}

// publish stores writes as one unit and returns the sequence of the last.
func (b *Bus) publish(ctx context.Context, stream string, writes []Write) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if len(writes) == 1 {
		return b.publishOne(ctx, stream, writes[0])
	}
	batch, err := jetstreamext.NewBatchPublisher(b.js, jetstreamext.BatchFlowControl{AckTimeout: requestTimeout})
	if err != nil {
		return 0, fmt.Errorf("open batch: %w", err)
	}
	for _, w := range writes[:len(writes)-1] {
		if err := batch.AddMsg(w.message(stream)); err != nil {
			_ = batch.Discard()
			return 0, fmt.Errorf("add to batch: %w", err)
		}
	}
	ack, err := batch.CommitMsg(ctx, writes[len(writes)-1].message(stream))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

func (b *Bus) publishOne(ctx context.Context, stream string, w Write) (uint64, error) {
	ack, err := b.js.PublishMsg(ctx, w.message(stream), jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, err
	}
	return ack.Sequence, nil
}

// publishSingly stores a pack that holds a write the stream already has: the
// server refuses such a batch whole. Groups of one write each are meant; a
// duplicate is as good as stored.
func (b *Bus) publishSingly(ctx context.Context, stream string, p *pack) error {
	for i, g := range p.groups {
		if len(g) != 1 {
			return fmt.Errorf("a group of %d writes holds a message id that is already stored", len(g))
		}
		one := &pack{groups: []Group{g}, out: []*Committed{p.out[i]}}
		if err := b.commitPack(ctx, stream, one); err != nil {
			return err
		}
	}
	return nil
}

// dropConflicts takes the groups out whose guard no longer holds.
func (b *Bus) dropConflicts(ctx context.Context, stream string, p *pack) error {
	have, err := b.guards(ctx, stream, p)
	if err != nil {
		return err
	}
	kept := &pack{}
	for i, g := range p.groups {
		if holds(g, have) {
			kept.groups, kept.out = append(kept.groups, g), append(kept.out, p.out[i])
			continue
		}
		p.out[i].Err = ErrConflict
	}
	*p = *kept
	return nil
}

// settle finds out what became of a batch whose reply got lost. The batch is
// atomic: one write found, or one found missing, speaks for all.
func (b *Bus) settle(ctx context.Context, stream string, p *pack) (bool, error) {
	have, err := b.guards(ctx, stream, p)
	if err != nil {
		if ctx.Err() != nil {
			return false, fmt.Errorf("reply lost, and could not read back: %w", err)
		}
		return false, nil // the server is not back yet: try again
	}
	writes := p.writes()
	guarded, moved := 0, 0
	for i, w := range writes {
		if !w.Guarded {
			continue
		}
		guarded++
		e := have[w.Subject]
		switch {
		case e.Seq > w.LastSeq && bytes.Equal(e.Data, w.Data):
			p.stored(e.Seq + uint64(len(writes)-1-i)) //nolint:gosec // an index is not negative
			return true, nil
		case e.Seq != w.LastSeq:
			moved++
		}
	}
	if guarded > 0 && moved == guarded {
		for _, o := range p.out {
			o.Err = ErrConflict
		}
		return true, nil
	}
	return false, nil
}

func (b *Bus) guards(ctx context.Context, stream string, p *pack) (map[string]Entry, error) {
	var subjects []string
	for _, w := range p.writes() {
		if w.Guarded {
			subjects = append(subjects, w.Subject)
		}
	}
	return b.Latest(ctx, stream, subjects)
}

func holds(g Group, have map[string]Entry) bool {
	for _, w := range g {
		if w.Guarded && have[w.Subject].Seq != w.LastSeq {
			return false
		}
	}
	return true
}

func (w Write) message(stream string) *nats.Msg {
	h := make(nats.Header, len(w.Header)+6)
	for k, v := range w.Header {
		h[k] = v
	}
	h.Set(jetstream.ExpectedStreamHeader, stream)
	if w.Guarded {
		h.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(w.LastSeq, 10))
	}
	if w.MsgID != "" {
		h.Set(jetstream.MsgIDHeader, w.MsgID)
	}
	if w.Schedule != nil {
		// Set here and not by the client's option, which cuts off fractions of
		// a second and so fires early.
		h.Set(headerSchedule, "@at "+w.Schedule.At.UTC().Format(time.RFC3339Nano))
		h.Set(headerScheduleTarget, w.Schedule.Target)
	}
	return &nats.Msg{Subject: w.Subject, Data: w.Data, Header: h}
}

// Remove deletes one message; one that is gone already is no error.
func (b *Bus) Remove(ctx context.Context, stream string, seq uint64) error {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", stream, err)
	}
	err = s.DeleteMsg(ctx, seq)
	if err == nil || errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	// The client does not pass on why a deletion failed; look for ourselves.
	if _, gone := b.At(ctx, stream, seq); !errors.Is(gone, ErrNotFound) {
		return fmt.Errorf("remove message %d of %s: %w", seq, stream, err)
	}
	return nil
}
