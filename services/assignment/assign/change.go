package assign

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

const (
	// maxRounds bounds how often people are worked out again after somebody
	// else wrote first; who is left then comes again with their event.
	maxRounds = 8
	roundWait = 2 * time.Millisecond
	// maxStateBytes leaves room for headers below NATS's limit on a message.
	maxStateBytes = events.MaxEventBytes - 4<<10
)

// change is one person to be worked out and committed as one group.
type change struct {
	key events.Key
	// apply edits the state and says whether it did. It may be called again
	// with a newer state, when somebody else wrote first.
	apply func(*events.PersonState) bool
	// always works out desired states although the person has not changed.
	always bool
	// lane, origin and context say where the change comes from; apply may set them.
	lane   events.Lane
	origin events.Origin
	// left is set where an event says that the person has left; apply may set it.
	left    bool
	context context.Context //nolint:containedctx // of the span whose trace the change belongs to

	// taker is what takes, where the change takes something; empty for the
	// configuration. release is an operator's decision about what is held, and
	// foresight what is known of what else is coming.
	taker     events.ChangeCause
	release   *events.Release
	foresight *foresight
	// burst is what the change was published with; nil where it came alone.
	burst *burst

	// decided says that the change is committed, or that there was nothing to commit.
	decided bool
	// desired lists the desired states committed.
	desired []*events.Desired
	// err says why the change cannot be made at all, nothing being committed.
	err error
}

// tooBig is the error of a change whose state would not fit into a message.
type tooBig struct{ size int }

func (e *tooBig) Error() string {
	return fmt.Sprintf("the person's record would be %d bytes, the limit is %d", e.size, maxStateBytes)
}

// revise makes changes of distinct people: one read for all, one commit for
// all, and again for those whom somebody else changed meanwhile. A change that
// is not decided afterwards, and has no error, comes again.
func (s *Service) revise(ctx context.Context, changes []*change) error {
	open := changes
	for round := 0; len(open) > 0 && round < maxRounds; round++ {
		if round > 0 {
			s.metrics.conflicts.Add(ctx, int64(len(open)))
			if err := sleep(ctx, roundWait<<round); err != nil {
				return err
			}
		}
		var err error
		if open, err = s.reviseOnce(ctx, open); err != nil {
			return err
		}
	}
	return nil
}

// reviseOnce returns the changes that met a conflict.
func (s *Service) reviseOnce(ctx context.Context, changes []*change) ([]*change, error) {
	have, err := s.read(ctx, changes)
	if err != nil {
		return nil, err
	}
	drafts := make([]*draft, 0, len(changes))
	for _, c := range changes {
		if d := s.draft(c, have); d != nil {
			drafts = append(drafts, d)
		}
	}
	counted, err := s.judge(ctx, drafts)
	if err != nil {
		return nil, err
	}
	groups := make([]bus.Group, 0, len(drafts))
	writers := make([]*draft, 0, len(drafts))
	for _, d := range drafts {
		if group := s.build(d); len(group) > 0 {
			groups, writers = append(groups, group), append(writers, d)
		}
	}
	if len(groups) == 0 {
		return nil, nil
	}
	results, err := s.commit(ctx, groups, writers, counted)
	if err != nil && !errors.Is(err, errMoved) {
		return nil, fmt.Errorf("commit people: %w", err)
	}
	var open []*change
	for i, r := range results {
		if r.Err != nil || len(r.Seqs) == 0 {
			open = append(open, writers[i].change)
			continue
		}
		s.committed(ctx, writers[i])
	}
	return open, nil
}

func (s *Service) committed(ctx context.Context, d *draft) {
	d.change.decided = true
	for _, one := range d.change.desired {
		s.metrics.changed(ctx, one.Org, one.Lane)
	}
	s.told(ctx, d)
}

// readMax is the most subjects the server answers as of one moment, beside the
// register that says which moment.
const readMax = 999

// read reads people and their desired states: in one request, or in as few as
// keep each person's subjects together. In a cluster another request may be
// answered by a replica that is behind; a person from one moment beside a
// desired state from an earlier one would let a change be taken for none.
func (s *Service) read(ctx context.Context, changes []*change) (map[string]bus.Entry, error) {
	each := max(1, readMax/(1+len(s.rules.Orgs())))
	if len(changes) <= each {
		have, err := s.roster.Latest(ctx, events.StreamRoster, s.subjects(changes))
		if err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		return have, nil
	}
	all := make(map[string]bus.Entry, len(changes)*(1+len(s.rules.Orgs())))
	for part := range slices.Chunk(changes, each) {
		have, err := s.roster.Latest(ctx, events.StreamRoster, s.subjects(part))
		if err != nil {
			return nil, fmt.Errorf("read people: %w", err)
		}
		maps.Copy(all, have)
	}
	return all, nil
}

func (s *Service) subjects(changes []*change) []string {
	out := make([]string, 0, len(changes)*(1+len(s.rules.Orgs())))
	for _, c := range changes {
		out = append(out, events.PersonSubject(c.key))
		for _, org := range s.rules.Orgs() {
			out = append(out, events.DesiredSubject(org, c.key))
		}
	}
	return out
}

// draft is a change worked out on top of what is stored, before it is judged.
type draft struct {
	change *change
	header bus.Header
	state  *events.PersonState
	// entry is the person as stored; changed says that state is another.
	entry   bus.Entry
	changed bool
	wishes  []*wish
}

// draft works a change out. It returns nil where there is nothing to commit: the
// change is decided then, or has an error.
func (s *Service) draft(c *change, have map[string]bus.Entry) *draft {
	c.desired, c.err = nil, nil
	d, err := s.workOut(c, have)
	if err != nil {
		c.err = err
		return nil
	}
	c.decided = d == nil
	return d
}

func (s *Service) workOut(c *change, have map[string]bus.Entry) (*draft, error) {
	d := &draft{change: c, state: &events.PersonState{Key: c.key}}
	entry, known := have[events.PersonSubject(c.key)]
	d.entry = entry
	if known {
		state, err := events.Decode[events.PersonState](entry.Data)
		if err != nil {
			return nil, &unreadable{entry.Subject, err}
		}
		d.state = &state
	}
	d.changed = c.apply(d.state)
	if !d.changed && !c.always {
		return nil, nil //nolint:nilnil // nothing to commit is an answer
	}
	d.header = headerOf(c.context)
	if err := s.desire(d, have); err != nil {
		return nil, err
	}
	return d, nil
}

// build makes the group of a draft that is judged. It is empty where nothing is
// to be committed: the change is decided then, or has an error.
func (s *Service) build(d *draft) bus.Group {
	group, err := s.buildGroup(d)
	if err != nil {
		d.change.err = err
		return nil
	}
	d.change.decided = d.change.err == nil && len(group) == 0
	return group
}

func (s *Service) buildGroup(d *draft) (bus.Group, error) {
	if d.change.err != nil {
		return nil, d.change.err
	}
	writes, err := s.wished(d)
	if err != nil || !d.changed && len(writes) == 0 {
		return nil, err
	}
	data, err := encodePerson(d.state)
	if err != nil {
		return nil, err
	}
	person := bus.Write{Subject: events.PersonSubject(d.change.key), Data: data, Header: d.header, Guarded: true, LastSeq: d.entry.Seq}
	return append(bus.Group{person}, writes...), nil
}

// encodePerson writes a state. One that does not fit into a message is written
// without what is superseded: that is needed only where a removal is read late.
func encodePerson(state *events.PersonState) ([]byte, error) {
	data, err := events.Encode(*state)
	if err != nil || len(data) <= maxStateBytes {
		return data, err
	}
	for name, s := range state.Sources {
		s.Superseded = nil
		state.Sources[name] = s
	}
	if data, err = events.Encode(*state); err == nil && len(data) > maxStateBytes {
		err = &tooBig{len(data)}
	}
	return data, err
}

// decodeBefore is the person before the change, where the rules have to know it.
// It is decoded once more, because the change was made in what came of the first
// time.
func (s *Service) decodeBefore(state *events.PersonState, entry bus.Entry, known bool) (*events.PersonState, error) {
	if !known || !s.rules.Gone(state) {
		return nil, nil //nolint:nilnil // nobody before is a state, not an error
	}
	before, err := events.Decode[events.PersonState](entry.Data)
	if err != nil {
		return nil, err
	}
	return &before, nil
}

// desire works out what is wished for in every org.
func (s *Service) desire(d *draft, have map[string]bus.Entry) error {
	before, err := s.decodeBefore(d.state, d.entry, d.entry.Seq > 0)
	if err != nil {
		return err
	}
	previous := make(map[string]*events.Desired, len(s.rules.Orgs()))
	for _, org := range s.rules.Orgs() {
		entry, known := have[events.DesiredSubject(org, d.change.key)]
		if previous[org], err = decodeDesired(entry, known); err != nil {
			return err
		}
	}
	wishes, err := s.rules.Desire(d.state, before, previous)
	if err != nil {
		return err
	}
	for _, org := range s.rules.Orgs() {
		if wishes[org] == nil {
			continue
		}
		w, err := s.wish(d, org, wishes[org], before, previous)
		if err != nil {
			return err
		}
		stored := have[events.DesiredSubject(org, d.change.key)]
		w.seq, w.IsAt = stored.Seq, stored.Time
		d.wishes = append(d.wishes, w)
	}
	return nil
}

// wished returns the writes of every org in which the change makes a difference.
func (s *Service) wished(d *draft) ([]bus.Write, error) {
	var writes []bus.Write
	for _, w := range d.wishes {
		desired := w.verdict.Desired
		data, err := rules.Seal(desired, w.Is, d.change.lane, d.change.origin)
		if err != nil {
			return nil, err
		}
		if data == nil {
			if d.change.left && !desired.Active { // said once more: somebody looks whether it is so
				writes = append(writes, bus.Write{Subject: events.WorkSubject(w.org, events.LaneCheck, d.change.key), Data: s.work, Header: d.header})
			}
			continue
		}
		d.change.desired = append(d.change.desired, desired)
		writes = append(writes,
			bus.Write{Subject: events.DesiredSubject(w.org, d.change.key), Data: data, Header: d.header, Guarded: true, LastSeq: w.seq},
			bus.Write{Subject: events.WorkSubject(w.org, desired.Lane, d.change.key), Data: s.work, Header: d.header})
		held, err := w.heldWrite(d)
		if err != nil {
			return nil, err
		}
		writes = append(writes, held...)
	}
	return writes, nil
}

func decodeDesired(entry bus.Entry, known bool) (*events.Desired, error) {
	if !known {
		return nil, nil //nolint:nilnil // nothing before is a state, not an error
	}
	d, err := events.Decode[events.Desired](entry.Data)
	if err != nil {
		return nil, &unreadable{entry.Subject, err}
	}
	return &d, nil
}

// headerOf returns the headers of what a change leads to.
func headerOf(ctx context.Context) bus.Header {
	h := bus.Header{events.HeaderContentType: {events.ContentTypeJSON}}
	telemetry.Inject(ctx, h)
	return h
}

// sleep waits or returns the context's error.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return fmt.Errorf("wait: %w", ctx.Err())
	case <-t.C:
		return nil
	}
}
