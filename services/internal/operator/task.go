package operator

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// Task is one parked person, or one event that could not be understood.
type Task struct {
	// Seq is the dead letter's number in DEAD. It changes when the person is
	// parked again, so it also says which failure an admin has seen.
	Seq     uint64            `json:"seq"`
	Subject string            `json:"subject"`
	Letter  events.DeadLetter `json:"letter"`
	// Unreadable is set where the dead letter is of a version this program
	// does not read; then only Seq, Subject and the target are known.
	Unreadable bool `json:"unreadable,omitempty"`

	target events.Target
}

// Target is the task as a request names it.
func (t Task) Target() events.Target { return t.target }

// Filter picks tasks; a zero field picks all.
type Filter struct {
	Org   string
	Cause events.Cause
	// Person is a key, a correlation id, a Salesforce user id or a part of a
	// username.
	Person string
	// Since picks those that failed last at or after this time.
	Since time.Time
	// Limit is the most tasks returned; zero for all.
	Limit int
}

// errEnough ends a scan early.
var errEnough = errors.New("enough")

// List returns the tasks that the filter picks, longest parked first.
func (o *Operator) List(ctx context.Context, f Filter) ([]Task, error) {
	var out []Task
	err := o.bus.Scan(ctx, events.StreamDead, events.DeadFilter(f.Org, f.Cause, ""), 1, func(e bus.Entry) error {
		t, err := readTask(e)
		if err != nil {
			return err
		}
		if o.picks(f, t) {
			out = append(out, t)
		}
		if f.Limit > 0 && len(out) == f.Limit {
			return errEnough
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("list tasks: %w", err)
	}
	return out, nil
}

// Show returns the task with this number, or [bus.ErrNotFound].
func (o *Operator) Show(ctx context.Context, seq uint64) (Task, error) {
	e, err := o.bus.At(ctx, events.StreamDead, seq)
	if err != nil {
		return Task{}, fmt.Errorf("show task %d: %w", seq, err)
	}
	return readTask(e)
}

func readTask(e bus.Entry) (Task, error) {
	a, err := events.ParseSubject(e.Subject)
	if err != nil {
		return Task{}, err
	}
	t := Task{Seq: e.Seq, Subject: e.Subject, target: events.Target{Org: a.Org, Cause: a.Cause, Key: a.Key, Seq: e.Seq}}
	if t.Letter, err = events.Decode[events.DeadLetter](e.Data); err != nil {
		t.Unreadable = true
		t.Letter = events.DeadLetter{Org: a.Org, Key: a.Key, Failure: events.Failure{Cause: a.Cause}}
	}
	return t, nil
}

func (o *Operator) picks(f Filter, t Task) bool {
	if !f.Since.IsZero() && t.Letter.LastAt.Before(f.Since) {
		return false
	}
	return f.Person == "" || o.isAbout(f.Person, t)
}

func (o *Operator) isAbout(person string, t Task) bool {
	switch {
	case string(t.target.Key) == person, t.Letter.UserID != "" && t.Letter.UserID == person:
		return true
	case o.keyer != nil && o.keyer.Person(person) == t.target.Key:
		return true
	}
	return strings.Contains(strings.ToLower(t.Letter.Username), strings.ToLower(person))
}
