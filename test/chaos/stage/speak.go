package stage

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/test/chaos/dump"
	"github.com/rollcall-sync/rollcall/test/chaos/plan"
)

// Sources that publish.
const (
	hr        = "hr"
	directory = "directory"
)

// speaker publishes what the plan says, one event after the other, each until it is
// acknowledged.
type speaker struct {
	plan plan.Plan
	js   jetstream.JetStream
	// run begins every message id, count ends it.
	run   string
	count int
	said  []dump.Said
}

// tell publishes steps at their times.
func (s *speaker) tell(ctx context.Context, steps []plan.Step, began time.Time) error {
	for _, step := range steps {
		if err := until(ctx, began.Add(step.At)); err != nil {
			return err
		}
		s.count++
		if err := s.say(ctx, step, fmt.Sprintf("%s-%d", s.run, s.count)); err != nil {
			return err
		}
	}
	return nil
}

// until waits for a moment.
func until(ctx context.Context, at time.Time) error {
	timer := time.NewTimer(time.Until(at))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// oneTry is how long a publish is waited for before it is repeated.
const oneTry = 3 * time.Second

func (s *speaker) say(ctx context.Context, step plan.Step, id string) error {
	subject, body, err := s.event(step, id)
	if err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	for {
		once, cancel := context.WithTimeout(ctx, oneTry)
		ack, err := s.js.PublishMsg(once, &nats.Msg{Subject: subject, Data: body}, jetstream.WithMsgID(id))
		cancel()
		if err == nil {
			s.said = append(s.said, dump.Said{Seq: ack.Sequence, Subject: subject, What: step.String()})
			return nil
		}
		if err := until(ctx, time.Now().Add(50*time.Millisecond)); err != nil {
			return fmt.Errorf("publish: %w", err)
		}
	}
}

func (s *speaker) event(step plan.Step, id string) (subject string, body []byte, err error) {
	e := &events.Event{ID: id, Source: "https://chaos.example", Lane: events.LaneChange}
	if step.Load {
		e.Lane = events.LaneBackfill
	}
	switch step.Verb {
	case plan.Bad:
		return s.bad(step)
	case plan.Group:
		e.Type = events.TypeGroupUpserted
		e.Group = &events.Group{ExternalID: groupID(step.Group), DisplayName: s.plan.Groups[step.Group]}
		for _, i := range step.Members {
			e.Group.Members = append(e.Group.Members, events.Member{Value: s.plan.People[i].Number})
		}
		body, err = events.EncodeEvent(e)
		return events.DirectorySubject(directory, events.KindGroup), body, err
	}
	e.Type, e.SourceVersion = events.TypePersonUpserted, strconv.Itoa(step.Version)
	e.Person = record(s.plan.People[step.Person], step)
	if step.Verb == plan.Remove {
		e.Type = events.TypePersonRemoved
	}
	body, err = events.EncodeEvent(e)
	return events.DirectorySubject(hr, events.KindPerson), body, err
}

func groupID(i int) string { return fmt.Sprintf("group-%d", i) }

// record is what HR has of a person.
func record(p plan.Person, step plan.Step) *events.Person {
	active := step.Verb != plan.Leave
	out := &events.Person{
		UserName: p.Username(), Title: step.Title,
		Name:       &events.Name{GivenName: p.Given, FamilyName: p.Family},
		Enterprise: &events.Enterprise{EmployeeNumber: p.Number, Department: step.Department},
		Active:     &active,
	}
	if step.Verb == plan.Mute {
		out.Active = nil
	}
	return out
}

// bad is an event that nobody can read: each of four kinds.
func (s *speaker) bad(step plan.Step) (subject string, body []byte, err error) {
	person, group := events.DirectorySubject(hr, events.KindPerson), events.DirectorySubject(directory, events.KindGroup)
	switch step.Group {
	case 0:
		return person, []byte(`{"specversion": "1.0", "id": "bad"`), nil
	case 1:
		return person, []byte(`{"specversion":"1.0","id":"bad","source":"https://chaos.example","type":"` + events.TypePersonUpserted + `","sourceversion":"1","data":{"titel":"misspelt"}}`), nil
	case 2:
		return group, []byte("no JSON at all"), nil
	}
	return group, []byte(`{"specversion":"1.0","id":"bad","source":"https://chaos.example","type":"` + events.TypeGroupUpserted + `","data":{"displayName":"Leads","members":[{"value":"` + s.plan.People[len(s.plan.People)-1].Number + `"}]}}`), nil
}
