package bus

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

const (
	// latestMax is below the server's limit of 1,024 results of one multi-get.
	latestMax = 1000
	scanPage  = 1000
	// staleWait is between two reads of a replica that is behind.
	staleWait = 5 * time.Millisecond
)

// Latest returns the newest message of each subject, in one request per 1,000
// subjects; a subject without a message is not in the map. Subjects may hold
// wildcards as long as fewer than 1,000 messages match.
//
// In a cluster the answer may come from a replica that is behind: whoever acts
// on it writes with compare-and-set, and whoever was triggered by a message
// uses [Bus.LatestAsOf].
func (b *Bus) Latest(ctx context.Context, stream string, subjects []string) (map[string]Entry, error) {
	out := make(map[string]Entry, len(subjects))
	for start := 0; start < len(subjects); start += latestMax {
		part := subjects[start:min(start+latestMax, len(subjects))]
		if err := b.latest(ctx, stream, part, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LatestAsOf is Latest from a replica that has at least the message seq of
// subject. The stream is a log, so it has everything before it as well.
func (b *Bus) LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	out := make(map[string]Entry, len(subjects)+1)
	for start := 0; start < len(subjects); start += latestMax - 1 {
		part := subjects[start:min(start+latestMax-1, len(subjects))]
		asked := append(append(make([]string, 0, len(part)+1), part...), subject)
		for {
			if err := b.latest(ctx, stream, asked, out); err != nil {
				return nil, err
			}
			if out[subject].Seq >= seq {
				break
			}
			if err := wait(ctx, staleWait); err != nil {
				return nil, fmt.Errorf("read %s: every replica asked is behind: %w", stream, err)
			}
		}
	}
	return out, nil
}

func (b *Bus) latest(ctx context.Context, stream string, subjects []string, out map[string]Entry) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	msgs, err := jetstreamext.GetLastMsgsFor(ctx, b.js, stream, subjects)
	if err != nil {
		return fmt.Errorf("read newest of %s: %w", stream, err)
	}
	for m, err := range msgs {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read newest of %s: %w", stream, err)
		}
		out[m.Subject] = b.genuine(ctx, rawEntry(m))
	}
	// The iterator ends quietly when the context does: half an answer would
	// look like people who do not exist.
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("read newest of %s: %w", stream, err)
	}
	return nil
}

// At returns one message by its sequence.
func (b *Bus) At(ctx context.Context, stream string, seq uint64) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	msgs, err := jetstreamext.GetBatch(ctx, b.js, stream, 1, jetstreamext.GetBatchSeq(seq))
	if err != nil {
		return Entry{}, fmt.Errorf("read %s at %d: %w", stream, seq, err)
	}
	for m, err := range msgs {
		if err != nil && !errors.Is(err, jetstreamext.ErrNoMessages) {
			return Entry{}, fmt.Errorf("read %s at %d: %w", stream, seq, err)
		}
		if err == nil && m.Sequence == seq {
			return b.genuine(ctx, rawEntry(m)), nil
		}
		break
	}
	return Entry{}, fmt.Errorf("read %s at %d: %w", stream, seq, ErrNotFound)
}

// Scan calls each with every message matching filter from sequence from on, in
// sequence order, up to the end of the stream as of the call.
func (b *Bus) Scan(ctx context.Context, stream, filter string, from uint64, each func(Entry) error) error {
	info, err := b.js.Stream(ctx, stream)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", stream, err)
	}
	last := info.CachedInfo().State.LastSeq
	next := max(from, 1)
	for next <= last {
		seen, err := b.scanPage(ctx, stream, filter, next, last, each)
		if err != nil {
			return err
		}
		if seen == 0 {
			return nil
		}
		next = seen + 1
	}
	return nil
}

// scanPage returns the last sequence it has seen, 0 at the end.
func (b *Bus) scanPage(ctx context.Context, stream, filter string, next, last uint64, each func(Entry) error) (uint64, error) {
	ctx, cancel := context.WithTimeout(ctx, 6*requestTimeout)
	defer cancel()
	msgs, err := jetstreamext.GetBatch(ctx, b.js, stream, scanPage,
		jetstreamext.GetBatchSubject(filter), jetstreamext.GetBatchSeq(next))
	if err != nil {
		return 0, fmt.Errorf("scan %s: %w", stream, err)
	}
	page, err := collect(msgs)
	if err != nil {
		return 0, fmt.Errorf("scan %s: %w", stream, err)
	}
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("scan %s: %w", stream, err)
	}
	var seen uint64
	for _, e := range page {
		if e.Seq > last {
			return 0, nil
		}
		seen = e.Seq
		if err := each(b.genuine(ctx, e)); err != nil {
			return 0, err
		}
	}
	return seen, nil
}

// collect reads a page before anybody handles it, so that a slow handler does
// not keep the subscription waiting.
func collect(msgs iter.Seq2[*jetstream.RawStreamMsg, error]) ([]Entry, error) {
	var page []Entry
	for m, err := range msgs {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return page, nil
		}
		if err != nil {
			return nil, err
		}
		page = append(page, rawEntry(m))
	}
	return page, nil
}

func rawEntry(m *jetstream.RawStreamMsg) Entry {
	return Entry{Subject: m.Subject, Seq: m.Sequence, Time: m.Time, Header: Header(m.Header), Data: m.Data}
}

// wait waits or returns the context's error.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
