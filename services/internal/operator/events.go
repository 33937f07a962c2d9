package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// EventFate is what became of an event.
type EventFate string

// The fates of events.
const (
	EventCounts     EventFate = "counts"     // what it says of the person or group is what counts
	EventSuperseded EventFate = "superseded" // when it came, one that is newer by its version had come before
	EventReplaced   EventFate = "replaced"   // one that came later counts
	EventRejected   EventFate = "rejected"   // it could not be understood
	EventWaiting    EventFate = "waiting"    // it has not been read yet
)

// EventFates are all of them.
func EventFates() []EventFate {
	return []EventFate{EventCounts, EventSuperseded, EventReplaced, EventRejected, EventWaiting}
}

// Event is one event of DIRECTORY, and what became of it.
type Event struct {
	Seq           uint64     `json:"seq"`
	At            time.Time  `json:"at"` // when it was stored
	Source        string     `json:"source"`
	ID            string     `json:"id,omitempty"`
	Type          string     `json:"type,omitempty"`
	SourceVersion string     `json:"sourceVersion,omitempty"`
	Key           events.Key `json:"key,omitempty"` // of the person or group
	Fate          EventFate  `json:"fate"`
	// By is the event that counts in its place.
	By *Position `json:"by,omitempty"`
	// SaysActive is set where it is by this event that the person is active or not,
	// whatever became of the rest of it.
	SaysActive bool `json:"saysActive,omitzero"`
	// Note is why it was rejected.
	Note string `json:"note,omitempty"`

	group bool
}

// Position names an event that counts.
type Position struct {
	Seq           uint64    `json:"seq"`
	ID            string    `json:"id,omitempty"`
	At            time.Time `json:"at,omitzero"`
	SourceVersion string    `json:"sourceVersion,omitempty"`
	Removal       bool      `json:"removal,omitzero"`
}

// EventFilter picks events; a zero field picks all.
type EventFilter struct {
	Source string
	Key    events.Key
	// ID is an event's id, or its number in DIRECTORY.
	ID    string
	Fate  EventFate
	Since time.Time
	// Limit keeps the newest only.
	Limit int
}

// Identify returns the correlation id of the person whom an event of a source is
// about; not for a group's.
type Identify func(source string, e *events.Event) (string, error)

// eventPage is how many events are judged at once: each may take two subjects.
const eventPage = 400

// Events returns events and what became of each, oldest first. It is worked out from
// DIRECTORY and from what the people and groups came to: nothing is stored for it.
func (o *Operator) Events(ctx context.Context, f EventFilter, ids Identify) ([]Event, error) {
	if o.keyer == nil {
		return nil, errors.New("without the deployment key nobody knows whom an event is about")
	}
	from, err := o.firstSince(ctx, f.Since)
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	filter := events.DirectoryAll
	if f.Source != "" {
		filter = events.DirectorySubject(f.Source, "*")
	}
	var out, page []Event
	judge := func() error {
		if err := o.judge(ctx, page); err != nil {
			return err
		}
		out = append(out, slices.DeleteFunc(page, func(e Event) bool { return f.Fate != "" && e.Fate != f.Fate })...)
		if page = nil; f.Limit > 0 && len(out) > f.Limit {
			out = slices.Clone(out[len(out)-f.Limit:])
		}
		return nil
	}
	err = o.bus.Scan(ctx, events.StreamDirectory, filter, from, func(entry bus.Entry) error {
		if e := o.readEvent(entry, ids); f.picks(e) {
			page = append(page, e)
		}
		if len(page) < eventPage {
			return nil
		}
		return judge()
	})
	if err == nil {
		err = judge()
	}
	if err != nil {
		return nil, fmt.Errorf("read events: %w", err)
	}
	return out, nil
}

func (f EventFilter) picks(e Event) bool {
	switch {
	case !f.Since.IsZero() && e.At.Before(f.Since), f.Key != "" && e.Key != f.Key:
		return false
	}
	return f.ID == "" || f.ID == e.ID || f.ID == fmt.Sprint(e.Seq)
}

// firstSince is a sequence not above that of the first event since then.
func (o *Operator) firstSince(ctx context.Context, since time.Time) (uint64, error) {
	if since.IsZero() {
		return 1, nil
	}
	s, err := o.bus.Stream(ctx, events.StreamDirectory)
	if err != nil {
		return 0, err
	}
	low, high := uint64(1), s.LastSeq
	for low < high {
		middle := low + (high-low)/2
		e, err := o.bus.At(ctx, events.StreamDirectory, middle)
		switch {
		case errors.Is(err, bus.ErrNotFound) || err == nil && e.Time.Before(since):
			low = middle + 1
		case err != nil:
			return 0, err
		default:
			high = middle
		}
	}
	return low, nil
}

// readEvent reads what an event says of itself; what cannot be read has been rejected.
func (o *Operator) readEvent(entry bus.Entry, ids Identify) Event {
	out := Event{Seq: entry.Seq, At: entry.Time, Source: events.SourceOf(entry.Subject), Fate: EventWaiting}
	e, err := events.DecodeEvent(entry.Subject, entry.Data)
	if err != nil {
		return out
	}
	out.ID, out.Type, out.SourceVersion = e.ID, e.Type, e.SourceVersion
	if e.Group != nil {
		out.group, out.Key = true, o.keyer.Group(out.Source, e.Group.Identity())
		return out
	}
	if id, err := ids(out.Source, e); err == nil {
		out.Key = o.keyer.Person(id)
	}
	return out
}

// judge says what became of events.
func (o *Operator) judge(ctx context.Context, page []Event) error {
	var subjects []string
	for _, e := range page {
		subjects = append(subjects, events.RejectionSubject(e.Seq))
		if e.Key != "" {
			subjects = append(subjects, e.subject())
		}
	}
	slices.Sort(subjects)
	found, err := o.latest(ctx, events.StreamRoster, slices.Compact(subjects))
	if err != nil {
		return err
	}
	for i := range page {
		if err := page[i].judge(found); err != nil {
			return err
		}
	}
	return nil
}

// subject is where what the event is about has come to.
func (e *Event) subject() string {
	if e.group {
		return events.GroupSubject(e.Key)
	}
	return events.PersonSubject(e.Key)
}

func (e *Event) judge(found map[string]bus.Entry) error {
	if entry, ok := found[events.RejectionSubject(e.Seq)]; ok {
		r, err := read[events.Rejection](entry)
		if err != nil {
			return err
		}
		if !r.Resolved {
			e.Fate = EventRejected
			if r.Failure != nil {
				e.Note = r.Failure.Message
			}
			return nil
		}
	}
	entry, ok := found[e.subject()]
	if e.Key == "" || !ok {
		return nil
	}
	if e.group {
		g, err := read[events.GroupState](entry)
		if err == nil {
			e.against(g.Origin, g.SourceVersion, g.Removed, g.Series)
		}
		return err
	}
	p, err := read[events.PersonState](entry)
	if err != nil {
		return err
	}
	if s, ok := p.Sources[e.Source]; ok {
		e.SaysActive = len(s.Active) > 0 && s.Active[0].Seq == e.Seq
		e.against(s.Origin, s.SourceVersion, s.Removed, s.Series)
	}
	return nil
}

// against judges an event by the one that counts, and by the removal that began the
// series: nothing before that belongs to it.
func (e *Event) against(now events.Origin, version string, removed bool, series *events.Removal) {
	by := &Position{Seq: now.Seq, ID: now.EventID, At: now.Time, SourceVersion: version, Removal: removed}
	newer := events.KindOfVersion(version).Compare(e.SourceVersion, version)
	switch {
	case now.Seq == e.Seq:
		e.Fate = EventCounts
		return
	case series != nil && e.Seq < series.Origin.Seq:
		by = &Position{Seq: series.Origin.Seq, ID: series.Origin.EventID, At: series.Origin.Time, SourceVersion: series.SourceVersion, Removal: true}
		e.Fate = EventReplaced
	case now.Seq > e.Seq:
		e.Fate = EventReplaced
	case newer < 0:
		e.Fate = EventSuperseded
	default:
		return // it would count, so it has not been read yet
	}
	e.By = by
}
