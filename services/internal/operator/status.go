package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// leaverLook bounds how many leavers are looked at for the one who waits
// longest: most that are not acked are not applied either.
const leaverLook = 200

// Status is how everything stands.
type Status struct {
	At      time.Time          `json:"at"`
	Streams []bus.StreamStatus `json:"streams"`
	// Stages are the consumers that belong to no org: assignment and
	// retry-scheduler.
	Stages []bus.ConsumerStatus `json:"stages"`
	Orgs   []OrgStatus          `json:"orgs"`
	// Paused is what nothing is taken of, with who said so and why.
	Paused []Paused `json:"paused"`
	// Parked counts dead letters by cause, over all orgs.
	Parked map[events.Cause]int `json:"parked"`
	// Scheduled counts people who will be looked at again at a time.
	Scheduled int `json:"scheduled"`
	// OldestLeaver waits longest of all who should be deactivated.
	OldestLeaver *Leaver `json:"oldestLeaver,omitempty"`
	// Configuration is what is in force; nil where assignment has never run.
	Configuration *ConfigurationStatus `json:"configuration,omitempty"`
}

// OrgStatus is how one org stands.
type OrgStatus struct {
	Name  string       `json:"name"`
	Lanes []LaneStatus `json:"lanes"`
	// Held says that nothing is sent to the org; Cause, Why and Advice say why
	// and what to do, Since since when, NextTry when it is tried again.
	Held    bool         `json:"held"`
	Cause   events.Cause `json:"cause,omitempty"`
	Why     string       `json:"why,omitempty"`
	Advice  string       `json:"advice,omitempty"`
	Since   time.Time    `json:"since,omitzero"`
	NextTry time.Time    `json:"nextTry,omitzero"`
	// Token is what token-refresher knows, since TokenSince; empty where it has
	// not looked yet.
	Token      events.TokenState `json:"token,omitempty"`
	TokenSince time.Time         `json:"tokenSince,omitzero"`
	Generation uint64            `json:"generation,omitzero"`
	// Used of Limit API calls, as Salesforce last said.
	Used      int                  `json:"used,omitzero"`
	Limit     int                  `json:"limit,omitzero"`
	Parked    map[events.Cause]int `json:"parked"`
	Scheduled int                  `json:"scheduled"`
	// Check is how far the org has been read for what was changed in it by hand; nil
	// where it never was.
	Check *events.Check `json:"check,omitempty"`

	// Waiting is what is held until an operator decides, the oldest first.
	Waiting []Waits `json:"waiting,omitempty"`

	leavers bus.ConsumerStatus
}

// Waits is how many people one cause has held in one aspect.
type Waits struct {
	Cause  events.ChangeCause `json:"cause"`
	Aspect events.Aspect      `json:"aspect"`
	People int                `json:"people"`
	Since  time.Time          `json:"since"`
}

// LaneStatus is how much work waits in one lane.
type LaneStatus struct {
	Lane events.Lane `json:"lane"`
	// Waiting has not been handed out; InHand has, and is not finished.
	Waiting uint64 `json:"waiting"`
	InHand  int    `json:"inHand"`
}

// Leaver is somebody who should no longer be active and still may be.
type Leaver struct {
	Org   string        `json:"org"`
	Key   events.Key    `json:"key"`
	Since time.Time     `json:"since"`
	Age   time.Duration `json:"age"`
}

// Status looks at everything, for the orgs given.
func (o *Operator) Status(ctx context.Context, orgs []string) (Status, error) {
	s := Status{At: o.now(), Parked: map[events.Cause]int{}}
	byOrg := make(map[string]*OrgStatus, len(orgs))
	s.Orgs = make([]OrgStatus, len(orgs))
	for i, name := range orgs {
		s.Orgs[i] = OrgStatus{Name: name, Parked: map[events.Cause]int{}}
		byOrg[name] = &s.Orgs[i]
	}
	for _, look := range []func(context.Context, *Status, map[string]*OrgStatus) error{
		o.lookAtStreams, o.lookAtLanes, o.lookAtPauses, o.lookAtHealth, o.lookAtChecks, o.lookAtTokens, o.countParked, o.countScheduled, o.countHeld, o.findOldestLeaver,
		o.lookAtConfiguration,
	} {
		if err := look(ctx, &s, byOrg); err != nil {
			return s, fmt.Errorf("status: %w", err)
		}
	}
	return s, nil
}

func (o *Operator) lookAtStreams(ctx context.Context, s *Status, _ map[string]*OrgStatus) error {
	var err error
	s.Streams, err = o.bus.Streams(ctx)
	return err
}

func (o *Operator) lookAtLanes(ctx context.Context, s *Status, orgs map[string]*OrgStatus) error {
	byName := map[string]bus.ConsumerStatus{}
	for _, stream := range []string{events.StreamDirectory, events.StreamRoster, events.StreamOperator} {
		list, err := o.bus.Consumers(ctx, stream)
		if err != nil {
			return err
		}
		for _, c := range list {
			byName[c.Name] = c
		}
	}
	for _, name := range []string{events.ConsumerAssignment, events.ConsumerReconsider, events.ConsumerOutcomes, events.ConsumerRejections, events.ConsumerOperator} {
		if c, ok := byName[name]; ok {
			s.Stages = append(s.Stages, c)
		}
	}
	turns, err := o.countTurns(ctx)
	if err != nil {
		return err
	}
	for name, org := range orgs {
		for _, lane := range events.Lanes() {
			c := byName[events.WorkConsumer(name, lane)]
			if lane == events.LaneLeaver {
				org.leavers = c
			}
			waiting := c.Pending + turns[events.WorkConsumer(name, lane)]
			org.Lanes = append(org.Lanes, LaneStatus{Lane: lane, Waiting: waiting, InHand: c.AckPending})
		}
	}
	return nil
}

// TurnWithin is by when the turn of somebody busy has come. A killed NATS server may
// bring one back that has (decision 14).
const TurnWithin = time.Minute

// countTurns says how many people wait until another worker is done with them, by the
// consumer of their lane.
func (o *Operator) countTurns(ctx context.Context) (map[string]uint64, error) {
	out := map[string]uint64{}
	err := o.bus.Scan(ctx, events.StreamRoster, events.TurnsAll, 1, func(e bus.Entry) error {
		a, err := events.ParseSubject(e.Subject)
		if err == nil && time.Since(e.Time) < TurnWithin {
			out[events.WorkConsumer(a.Org, a.Lane)]++
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("count who waits for a turn: %w", err)
	}
	return out, nil
}

func (o *Operator) lookAtPauses(ctx context.Context, s *Status, _ map[string]*OrgStatus) error {
	list, err := o.Pauses(ctx)
	s.Paused = append([]Paused{}, list...)
	return err
}

func (o *Operator) lookAtHealth(ctx context.Context, _ *Status, orgs map[string]*OrgStatus) error {
	found, err := o.bus.Latest(ctx, events.StreamRoster, []string{events.HealthAll})
	if err != nil {
		return err
	}
	for _, e := range found {
		h, err := events.Decode[events.Health](e.Data)
		org, ok := orgs[h.Org]
		if err != nil || !ok {
			continue
		}
		org.Used, org.Limit = h.Used, h.Limit
		if h.State != events.HealthHeld {
			continue
		}
		org.Held, org.Since, org.NextTry = true, h.Since, h.NextProbe
		if h.Failure != nil {
			org.Cause, org.Why = h.Failure.Cause, said(h.Failure)
			org.Advice = salesforce.Advice(h.Failure.Code, h.Failure.Message)
		}
	}
	return nil
}

// lookAtChecks adds what is known of changes by hand.
func (o *Operator) lookAtChecks(ctx context.Context, _ *Status, orgs map[string]*OrgStatus) error {
	found, err := o.bus.Latest(ctx, events.StreamRoster, []string{events.ChecksAll})
	if err != nil {
		return err
	}
	for _, e := range found {
		c, err := events.Decode[events.Check](e.Data)
		if org, ok := orgs[c.Org]; ok && err == nil {
			org.Check = &c
		}
	}
	return nil
}

// lookAtTokens comes after health: where the sign-in itself is the trouble,
// token-refresher knows more about it than the pusher.
func (o *Operator) lookAtTokens(ctx context.Context, _ *Status, orgs map[string]*OrgStatus) error {
	for name, org := range orgs {
		e, err := o.bus.Bucket(events.BucketTokens).Get(ctx, name)
		if errors.Is(err, bus.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		rec, err := events.Decode[events.TokenRecord](e.Data)
		if err != nil {
			return fmt.Errorf("token record of %s: %w", name, err)
		}
		org.Token, org.TokenSince, org.Generation = rec.State, rec.Since, rec.Generation
		if rec.State != events.TokenConnected && rec.Failure != nil {
			org.Held, org.Since, org.NextTry = true, rec.Since, rec.RetryAt
			org.Cause, org.Why, org.Advice = rec.Failure.Cause, said(rec.Failure), rec.Advice
		}
	}
	return nil
}

// said is Salesforce's code and words.
func said(f *events.Failure) string {
	if f.Code == "" || f.Message == "" {
		return f.Code + f.Message
	}
	return f.Code + ": " + f.Message
}

func (o *Operator) countParked(ctx context.Context, s *Status, orgs map[string]*OrgStatus) error {
	return o.bus.Scan(ctx, events.StreamDead, events.DeadAll, 1, func(e bus.Entry) error {
		a, err := events.ParseSubject(e.Subject)
		if err != nil {
			return err
		}
		s.Parked[a.Cause]++
		if org, ok := orgs[a.Org]; ok {
			org.Parked[a.Cause]++
		}
		return nil
	})
}

func (o *Operator) countScheduled(ctx context.Context, s *Status, orgs map[string]*OrgStatus) error {
	return o.bus.Scan(ctx, events.StreamRoster, events.RetrySubject("*", "*"), 1, func(e bus.Entry) error {
		a, err := events.ParseSubject(e.Subject)
		if err != nil {
			return err
		}
		s.Scheduled++
		if org, ok := orgs[a.Org]; ok {
			org.Scheduled++
		}
		return nil
	})
}

func (o *Operator) countHeld(ctx context.Context, _ *Status, orgs map[string]*OrgStatus) error {
	found, err := o.bus.Latest(ctx, events.StreamRoster, []string{events.GuardsAll})
	if err != nil {
		return err
	}
	for _, e := range found {
		g, err := events.Decode[events.Guard](e.Data)
		org, ok := orgs[g.Org]
		if err != nil || !ok {
			continue
		}
		org.Waiting = WaitsOf(g)
	}
	return nil
}

// WaitsOf lists what a counter has held, the oldest first.
func WaitsOf(g events.Guard) []Waits {
	var out []Waits
	for cause, aspects := range g.Counts {
		for aspect, n := range aspects {
			if n.Held > 0 {
				out = append(out, Waits{cause, aspect, n.Held, n.Since})
			}
		}
	}
	slices.SortFunc(out, func(a, b Waits) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.Cause, b.Cause), cmp.Compare(a.Aspect, b.Aspect))
	})
	return out
}

func (o *Operator) findOldestLeaver(ctx context.Context, s *Status, orgs map[string]*OrgStatus) error {
	for name, org := range orgs {
		l, err := o.oldestLeaver(ctx, name, org.leavers)
		if err != nil {
			return err
		}
		if l != nil && (s.OldestLeaver == nil || l.Since.Before(s.OldestLeaver.Since)) {
			l.Age = s.At.Sub(l.Since).Round(time.Second)
			s.OldestLeaver = l
		}
	}
	return nil
}

// oldestLeaver finds the first piece of leaver work, of those the pusher has
// not finished, whose desired state is not applied.
func (o *Operator) oldestLeaver(ctx context.Context, org string, c bus.ConsumerStatus) (*Leaver, error) {
	if c.Pending == 0 && c.AckPending == 0 {
		return nil, nil //nolint:nilnil // nobody waits
	}
	var work []bus.Entry
	err := o.bus.Scan(ctx, events.StreamRoster, events.WorkFilter(org, events.LaneLeaver), c.AckFloor+1, func(e bus.Entry) error {
		if work = append(work, e); len(work) == leaverLook {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return o.firstUnapplied(ctx, org, work)
}

func (o *Operator) firstUnapplied(ctx context.Context, org string, work []bus.Entry) (*Leaver, error) {
	var subjects []string
	keys := make([]events.Key, len(work))
	for i, e := range work {
		a, err := events.ParseSubject(e.Subject)
		if err != nil {
			return nil, err
		}
		keys[i] = a.Key
		subjects = append(subjects, events.DesiredSubject(org, a.Key), events.LinkSubject(org, a.Key))
	}
	if len(subjects) == 0 {
		return nil, nil //nolint:nilnil // nobody waits
	}
	state, err := o.latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, err
	}
	for _, key := range keys {
		desired, ok := state[events.DesiredSubject(org, key)]
		if ok && appliedRevision(state[events.LinkSubject(org, key)]) < desired.Seq {
			return &Leaver{Org: org, Key: key, Since: desired.Time}, nil
		}
	}
	return nil, nil //nolint:nilnil // nobody waits
}

// appliedRevision is 0 for somebody without a link, or with one of a version
// this program does not read.
func appliedRevision(e bus.Entry) uint64 {
	link, err := events.Decode[events.Link](e.Data)
	if err != nil {
		return 0
	}
	return link.AppliedRevision
}
