package bus

import (
	"fmt"
	"iter"
	"maps"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// pack is the part of a commit that goes into one batch; groups found to be in
// conflict are taken out, and the rest is a new batch.
type pack struct {
	members []member
	// again says that a batch of which this was a part may have been stored.
	again bool
	// made says that the rest stands: what follows is of this very batch, however
	// often it is tried.
	made bool
	sum  Group
	// mark is on every message of the batch. Empty where none has a guard: nobody
	// would look for it.
	mark string
	// unsure says that a reply got lost: a try may have been stored, or may be
	// still on its way.
	unsure bool
	// unlooked counts refusals for guards that the server did not look at.
	unlooked int
}

type member struct {
	index int
	group Group
	out   *Committed
}

func newPack(groups []Group, out []Committed, start, end int) *pack {
	p := &pack{}
	for i := start; i < end; i++ {
		if len(groups[i]) > 0 {
			p.members = append(p.members, member{i, groups[i], &out[i]})
		}
	}
	return p
}

// writes are all of a batch, in its order.
func (p *pack) writes() iter.Seq[Write] {
	return func(yield func(Write) bool) {
		for _, m := range p.members {
			for _, w := range m.group {
				if !yield(w) {
					return
				}
			}
		}
		for _, w := range p.sum {
			if !yield(w) {
				return
			}
		}
	}
}

func (p *pack) size() uint64 {
	n := len(p.sum)
	for _, m := range p.members {
		n += len(m.group)
	}
	return uint64(n)
}

func (p *pack) messages(stream string) []*nats.Msg {
	// One value for all: a batch has up to 1,000 messages.
	common := nats.Header{jetstream.ExpectedStreamHeader: {stream}}
	if p.mark != "" {
		common[events.HeaderCommit] = []string{p.mark}
	}
	msgs := make([]*nats.Msg, 0, p.size())
	for w := range p.writes() {
		msgs = append(msgs, w.message(common))
	}
	return msgs
}

// stored notes that the pack is in the stream, its last write at seq.
func (p *pack) stored(last uint64) {
	seq := last - p.size() + 1
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
		if slices.ContainsFunc(m.group, func(w Write) bool { return w.moved(have) }) {
			m.out.Err = ErrConflict
			continue
		}
		kept = append(kept, m)
	}
	p.members, p.made = kept, false
}

// moved says that a guard no longer holds.
func (w Write) moved(have map[string]Entry) bool {
	return w.Guarded && have[w.guard()].Seq != w.LastSeq
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
	for _, w := range p.sum {
		if w.Guarded && written[w.guard()] {
			return nil, nil, fmt.Errorf("a sum is guarded by %s, which a group of its batch writes", template(w.guard()))
		}
		written[w.Subject] = true
	}
	return first, later, nil
}

// subjects are all that a batch writes or looks at, each once.
func (p *pack) subjects() []string { return p.named(true) }

// guards are the subjects that a batch's guards look at, each once.
func (p *pack) guards() []string { return p.named(false) }

func (p *pack) named(written bool) []string {
	seen := map[string]bool{}
	var out []string
	add := func(subject string) {
		if !seen[subject] {
			seen[subject] = true
			out = append(out, subject)
		}
	}
	for w := range p.writes() {
		if w.Guarded {
			add(w.guard())
		}
		if written {
			add(w.Subject)
		}
	}
	return out
}
