package check

import (
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
)

// at is a payload with where and when it was stored.
type at[T any] struct {
	seq  uint64
	time time.Time
	what T
}

// place is one person in one org.
type place struct {
	org string
	key events.Key
}

// view is a dump, decoded.
type view struct {
	d         *dump.Dump
	people    map[events.Key]dump.Person
	persons   map[events.Key]at[events.PersonState]
	groups    map[events.Key]at[events.GroupState]
	desired   map[place]at[events.Desired]
	links     map[place]at[events.Link]
	outcomes  map[place]at[events.Outcome]
	discarded map[place]at[events.Discarded]
	letters   map[place]at[events.DeadLetter]
	rejected  map[events.Key]at[events.Rejection]
	requests  []at[events.OperatorRequest]
	results   map[events.Verb][]at[events.OperatorResult]
	said      said
}

// look decodes; what cannot be decoded is a violation of its own.
func look(d *dump.Dump) (*view, []Violation) {
	v := &view{
		d: d, people: map[events.Key]dump.Person{}, persons: map[events.Key]at[events.PersonState]{}, groups: map[events.Key]at[events.GroupState]{},
		desired: map[place]at[events.Desired]{}, links: map[place]at[events.Link]{}, outcomes: map[place]at[events.Outcome]{},
		discarded: map[place]at[events.Discarded]{}, letters: map[place]at[events.DeadLetter]{}, rejected: map[events.Key]at[events.Rejection]{},
		results: map[events.Verb][]at[events.OperatorResult]{}, said: fold(d),
	}
	for _, p := range d.People {
		v.people[p.Key] = p
	}
	var broken []Violation
	note := func(m dump.Message, err error) {
		if err != nil {
			broken = append(broken, Violation{Rule: "0 all can be read", What: fmt.Sprintf("%s: %v", m.Subject, err)})
		}
	}
	for _, m := range d.Streams[events.StreamRoster] {
		note(m, v.roster(m))
	}
	for _, m := range d.Streams[events.StreamDead] {
		a, err := events.ParseSubject(m.Subject)
		if err == nil {
			err = put(v.letters, place{a.Org, a.Key}, m)
		}
		note(m, err)
	}
	for _, m := range d.Streams[events.StreamOperator] {
		note(m, v.operator(m))
	}
	return v, broken
}

func put[K comparable, T events.Payload](into map[K]at[T], key K, m dump.Message) error {
	what, err := events.Decode[T](m.Body())
	if err == nil {
		into[key] = at[T]{m.Seq, m.Time, what}
	}
	return err
}

func (v *view) roster(m dump.Message) error {
	a, err := events.ParseSubject(m.Subject)
	if err != nil || len(m.Body()) == 0 {
		return err
	}
	where := place{a.Org, a.Key}
	switch a.Kind {
	case "person":
		return put(v.persons, a.Key, m)
	case "group":
		return put(v.groups, a.Key, m)
	case "desired":
		return put(v.desired, where, m)
	case "link":
		return put(v.links, where, m)
	case "outcome":
		return put(v.outcomes, where, m)
	case "discarded":
		return put(v.discarded, where, m)
	case "rejection":
		return put(v.rejected, a.Key, m)
	}
	return nil
}

func (v *view) operator(m dump.Message) error {
	verb := events.Verb(m.Subject[len(events.OperatorSubject("")):])
	if verb == events.VerbRetry || verb == events.VerbDiscard {
		r, err := events.Decode[events.OperatorRequest](m.Body())
		v.requests = append(v.requests, at[events.OperatorRequest]{m.Seq, m.Time, r})
		return err
	}
	r, err := events.Decode[events.OperatorResult](m.Body())
	v.results[verb] = append(v.results[verb], at[events.OperatorResult]{m.Seq, m.Time, r})
	return err
}

// audited says whether the audit log has an entry about a place, of one of the
// verbs, that was there at some moment.
func (v *view) audited(where place, moment time.Time, verbs ...events.Verb) bool {
	for _, verb := range verbs {
		for _, r := range v.results[verb] {
			if r.what.Target.Org == where.org && r.what.Target.Key == where.key && !r.time.After(moment) {
				return true
			}
		}
	}
	return false
}

// protected says whether a person's user in an org is never touched.
func (v *view) protected(where place) bool {
	for _, number := range v.d.Orgs[where.org].Protected {
		if number == v.people[where.key].Number {
			return true
		}
	}
	return false
}

// user is the person's user in an org, nil where there is none.
func (v *view) user(where place) *emulator.User {
	for i, u := range v.d.Orgs[where.org].Users {
		if u.FederationIdentifier == v.people[where.key].Number {
			return &v.d.Orgs[where.org].Users[i]
		}
	}
	return nil
}

// who names a person for the reader of a violation.
func (v *view) who(key events.Key) string {
	for i, p := range v.d.People {
		if p.Key == key {
			return fmt.Sprintf("person %d", i)
		}
	}
	return string(key)
}

// say is a violation about somebody.
func (v *view) say(where place, format string, args ...any) Violation {
	return Violation{What: fmt.Sprintf("%s in %s: ", v.who(where.key), where.org) + fmt.Sprintf(format, args...), Org: where.org, Key: where.key}
}
