package bus

import (
	"context"
	"fmt"
	"slices"
	"time"
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
// wildcards as long as no more than 1,000 messages match. Half an answer is an
// error.
//
// In a cluster the answer may come from a replica that is behind: whoever acts
// on it writes with compare-and-set, and whoever was triggered by a message
// uses [Bus.LatestAsOf].
func (b *Bus) Latest(ctx context.Context, stream string, subjects []string) (map[string]Entry, error) {
	out := make(map[string]Entry, len(subjects))
	for part := range slices.Chunk(subjects, latestMax) {
		if err := b.latest(ctx, stream, part, 0, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// LatestAsOf is Latest from a replica that has at least the message seq of
// subject. The stream is a log, so it has everything before it as well.
func (b *Bus) LatestAsOf(ctx context.Context, stream string, subjects []string, subject string, seq uint64) (map[string]Entry, error) {
	out := make(map[string]Entry, len(subjects)+1)
	for part := range slices.Chunk(subjects, latestMax-1) {
		// It is asked for too, so that a replica that has nothing else can say how
		// far it is.
		if err := b.latest(ctx, stream, append(slices.Clone(part), subject), seq, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// latest reads one part of a multi-get, from replicas that have everything up to
// seq.
func (b *Bus) latest(ctx context.Context, stream string, subjects []string, seq uint64, out map[string]Entry) error {
	q := question{MultiFor: subjects}
	for {
		a, err := b.directAsOf(ctx, stream, q, seq)
		if err != nil {
			return fmt.Errorf("read newest of %s: %w", stream, err)
		}
		for _, e := range a.entries {
			out[e.Subject] = b.genuine(ctx, e)
		}
		if a.pending == 0 {
			return nil
		}
		// The rest, as it is now or later: a replica that is behind this one may
		// have it before the place where this one stopped.
		q.Seq, seq = a.entries[len(a.entries)-1].Seq+1, a.upTo
	}
}

// directAsOf asks until a replica answers that has everything up to seq. It has a
// deadline of its own, however many questions there are.
func (b *Bus) directAsOf(ctx context.Context, stream string, q question, seq uint64) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	for {
		a, err := b.direct(ctx, stream, q)
		if err != nil || a.upTo >= seq {
			return a, err
		}
		if err := wait(ctx, staleWait); err != nil {
			return answer{}, fmt.Errorf("every replica asked is behind: %w", err)
		}
	}
}

// At returns one message by its sequence.
func (b *Bus) At(ctx context.Context, stream string, seq uint64) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	a, err := b.direct(ctx, stream, question{Seq: seq, Batch: 1})
	if err == nil && (len(a.entries) == 0 || a.entries[0].Seq != seq) {
		err = ErrNotFound
	}
	if err != nil {
		return Entry{}, fmt.Errorf("read %s at %d: %w", stream, seq, err)
	}
	return b.genuine(ctx, a.entries[0]), nil
}

// Scan calls each with every message matching filter from sequence from on, in
// sequence order, up to the end of the stream as of the call. In a cluster a
// replica that is behind may end it sooner: it is for lists, and for looks that
// are repeated.
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
	// A page is read before anybody handles it, so that a slow handler does not
	// keep the server waiting.
	a, err := b.direct(ctx, stream, question{Seq: next, NextFor: filter, Batch: scanPage})
	if err != nil {
		return 0, fmt.Errorf("scan %s: %w", stream, err)
	}
	var seen uint64
	for _, e := range a.entries {
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
