package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/rollcall-sync/rollcall/pkg/events"
)

// errUndecided says that a batch may have been stored and overwritten since, or
// never stored: nothing that is left can tell.
var errUndecided = errors.New("reply lost, and others have written all of it since: stored or not, read again")

// settle finds out what became of a batch with a lost reply. It goes by two
// things: the mark, which is on this batch's messages and on no others, and
// that sequences only rise. What it finds, and what follows:
//
//   - A message with the mark: stored, all of it, for a batch is atomic.
//   - No mark, no guard has moved: not stored, or not yet. An earlier try may be
//     on its way still, over a connection that is gone or a leader that is none
//     any more. The same batch is tried again, with the same mark and the same
//     guards: whichever comes first moves a guard, and the others are refused.
//   - No mark, and a guard has moved: no try can be stored from now on. If none
//     has been (see ruledOut), the groups whose guard has moved are in conflict,
//     and the rest is a new batch, with a new mark.
//   - No mark, and everything in the batch has been written by others since: it
//     may have been stored and overwritten. That is an error, for nobody can
//     say; only a lost reply and several writers in a row come to this.
//
// A schedule that fired carries the headers, and so the mark, of the message
// that made it. It stands where that batch did not put it, and is passed over.
//
// A batch without a guard is tried again, and may be stored twice. So may one
// whose guards all look at subjects that it does not write: its guards hold
// after it as before it.
func (c *commit) settle(ctx context.Context, p *pack) (done bool, err error) {
	if p.mark == "" {
		return false, nil
	}
	have, err := c.asOfGuards(ctx, p)
	if err != nil {
		return c.unread(ctx, err)
	}
	if p.found(have) {
		return true, nil
	}
	moved := false
	for w := range p.writes() {
		moved = moved || w.moved(have)
	}
	if !moved {
		return false, nil
	}
	// More subjects than one request takes are read at different times, in a
	// cluster from different replicas: one that has not moved says nothing
	// unless it is seen after the one that has.
	newest := Entry{}
	for _, e := range have {
		if e.Seq > newest.Seq {
			newest = e
		}
	}
	if have, err = c.bus.LatestAsOf(ctx, c.stream, p.subjects(), newest.Subject, newest.Seq); err != nil {
		return c.unread(ctx, err)
	}
	if p.found(have) {
		return true, nil
	}
	if !p.ruledOut(have) {
		return false, errUndecided
	}
	p.drop(have)
	return false, nil
}

// asOfGuards reads what a batch writes and is guarded by, from a replica that has
// everything its guards were read from: one behind that looks as if others had
// written, and this batch had not.
func (c *commit) asOfGuards(ctx context.Context, p *pack) (map[string]Entry, error) {
	newest := Write{}
	for w := range p.writes() {
		if w.Guarded && w.LastSeq > newest.LastSeq {
			newest = w
		}
	}
	if newest.LastSeq == 0 {
		return c.bus.Latest(ctx, c.stream, p.subjects())
	}
	return c.bus.LatestAsOf(ctx, c.stream, p.subjects(), newest.guard(), newest.LastSeq)
}

// unread lets a batch be tried again while the server is away.
func (c *commit) unread(ctx context.Context, err error) (bool, error) {
	if ctx.Err() != nil {
		return false, fmt.Errorf("reply lost, and could not read back: %w", err)
	}
	return false, nil
}

// found says whether a message of this batch is there, and notes its sequences.
func (p *pack) found(have map[string]Entry) bool {
	writes := slices.Collect(p.writes())
	// From the end: where a batch writes a subject twice, the last one is there.
	for i := len(writes) - 1; i >= 0; i-- {
		e := have[writes[i].Subject]
		if mark := e.Header[events.HeaderCommit]; len(mark) == 1 && mark[0] == p.mark && !e.fired() {
			p.stored(e.Seq + uint64(len(writes)-1-i)) //nolint:gosec // an index is not negative
			return true
		}
	}
	return false
}

// ruledOut says, of a batch of which no message is there, that no try of it was
// ever stored: what it writes is at what was there before, or was taken further
// by somebody who replaced just that. A schedule says nothing, for it goes away
// by itself. (Where messages are removed, as dead letters are, a try that was
// stored and removed within seconds looks like none, and is made again.)
func (p *pack) ruledOut(have map[string]Entry) bool {
	var before uint64 // the newest that was there when any try could be stored
	guards := map[string]uint64{}
	for w := range p.writes() {
		if w.Guarded {
			before = max(before, w.LastSeq)
			guards[w.guard()] = w.LastSeq
		}
	}
	for w := range p.writes() {
		e := have[w.Subject]
		if w.Schedule == nil && e.Seq <= before {
			return true
		}
		if last, ok := guards[w.Subject]; ok && e.replaces(last) {
			return true
		}
	}
	return false
}

// replaces says that an entry was stored by compare-and-set on its own subject,
// right after the one with sequence last.
func (e Entry) replaces(last uint64) bool {
	expected := e.Header[jetstream.ExpectedLastSubjSeqHeader]
	return len(expected) == 1 && expected[0] == strconv.FormatUint(last, 10) && len(e.Header[jetstream.ExpectedLastSubjSeqSubjHeader]) == 0
}
