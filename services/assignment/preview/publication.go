package preview

import (
	"context"
	"fmt"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/assignment/rules"
)

// Publication reads what is to be published, in its order, and calls each for
// every event. It may be called twice.
type Publication func(each func(Row) error) error

// Row is one event of it, and the subject it would be published under.
type Row struct {
	Line    int
	Subject string
	Data    []byte
}

// Publish is what the events would change, were they published now. Only whom they
// name is looked at. After is the newest sequence of DIRECTORY: theirs come after
// it.
func (p *Preview) Publish(ctx context.Context, read Publication, after uint64) (Plan, error) {
	if err := p.gates.read(ctx, p.roster); err != nil {
		return p.plan, err
	}
	p.plan.Rows = &Rows{}
	// Whoever is named several times is worked out with their last event; what is
	// kept until then is theirs alone.
	last := map[events.Key]int32{}
	n := int32(0)
	err := p.read(read, after, func(e rules.Event) error {
		n++
		last[e.Key] = n
		return nil
	})
	if err != nil {
		return p.plan, err
	}
	p.plan.Rows, n = &Rows{}, 0
	waiting := map[events.Key][]rules.Event{}
	var batch []subject
	flush := func() error {
		people, err := p.stored(ctx, batch)
		if err == nil {
			err = p.take(ctx, people)
		}
		batch = batch[:0]
		return err
	}
	err = p.read(read, after, func(e rules.Event) error {
		n++
		if last[e.Key] != n {
			waiting[e.Key] = append(waiting[e.Key], e)
			return nil
		}
		batch = append(batch, subject{key: e.Key, said: append(waiting[e.Key], e)})
		delete(waiting, e.Key)
		if len(batch) < together {
			return nil
		}
		return flush()
	})
	if err == nil {
		err = flush()
	}
	return p.finish(), err
}

// read reads the events of people.
func (p *Preview) read(read Publication, after uint64, each func(rules.Event) error) error {
	rows := p.plan.Rows
	err := read(func(r Row) error {
		after++
		rows.Events++
		e, err := p.reader.Read(r.Subject, r.Data, events.Origin{Seq: after, Time: now()})
		switch {
		case err != nil:
			rows.Refused++
			if len(rows.Faults) < maxFaults {
				rows.Faults = append(rows.Faults, Fault{r.Line, err.Error()})
			}
			return nil
		case e.Group != nil:
			rows.Groups++
			return nil
		}
		return each(e)
	})
	if err != nil {
		return fmt.Errorf("read what is to be published: %w", err)
	}
	return nil
}

// stored fills in what is stored of people.
func (p *Preview) stored(ctx context.Context, batch []subject) ([]subject, error) {
	subjects := make([]string, len(batch))
	for i, s := range batch {
		subjects[i] = events.PersonSubject(s.key)
	}
	have, err := p.roster.Latest(ctx, events.StreamRoster, subjects)
	if err != nil {
		return nil, fmt.Errorf("read people: %w", err)
	}
	for i, s := range batch {
		batch[i].entry = have[events.PersonSubject(s.key)]
	}
	return batch, nil
}
