package bus

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

const (
	// Error codes of the server: a guard that does not hold, and one that the
	// server does not look at.
	codeWrongLastSequence         jetstream.ErrorCode = 10071
	codeWrongLastSequenceConstant jetstream.ErrorCode = 10164
	// A cluster is storing a message of this id, an earlier try of ours perhaps.
	codeDuplicateInProcess jetstream.ErrorCode = 10158

	headerSchedule       = "Nats-Schedule"
	headerScheduleTarget = "Nats-Schedule-Target"
)

// publish stores messages as one unit and returns the sequence of the last. A
// single one may be a duplicate, whose sequence is that of the first of its id.
func (b *Bus) publish(ctx context.Context, msgs []*nats.Msg) (last uint64, duplicate bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if len(msgs) == 1 {
		return b.publishOne(ctx, msgs[0])
	}
	batch, err := jetstreamext.NewBatchPublisher(b.js, jetstreamext.BatchFlowControl{AckTimeout: requestTimeout})
	if err != nil {
		return 0, false, fmt.Errorf("open batch: %w", err)
	}
	for _, m := range msgs[:len(msgs)-1] {
		if err := batch.AddMsg(m); err != nil {
			_ = batch.Discard()
			return 0, false, fmt.Errorf("add to batch: %w", err)
		}
	}
	ack, err := batch.CommitMsg(ctx, msgs[len(msgs)-1])
	if err != nil {
		return 0, false, err
	}
	return ack.Sequence, false, nil
}

func (b *Bus) publishOne(ctx context.Context, m *nats.Msg) (seq uint64, duplicate bool, err error) {
	ack, err := b.js.PublishMsg(ctx, m, jetstream.WithRetryAttempts(0))
	if err != nil {
		return 0, false, err
	}
	return ack.Sequence, ack.Duplicate, nil
}

// message is the write as it is stored, with the headers that all of a batch have.
func (w Write) message(common nats.Header) *nats.Msg {
	h := make(nats.Header, len(w.Header)+len(common)+6)
	maps.Copy(h, nats.Header(w.Header))
	maps.Copy(h, common)
	if w.Guarded {
		h.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(w.LastSeq, 10))
		if w.guard() != w.Subject {
			h.Set(jetstream.ExpectedLastSubjSeqSubjHeader, w.guard())
		}
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

// explain says what kept a commit from being made until its time was over.
func explain(err error) error {
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) {
		return fmt.Errorf("no stream takes it (has the installation been provisioned, and do its services run?): %w", err)
	}
	return fmt.Errorf("not stored in time: %w", err)
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
