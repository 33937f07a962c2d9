package push

import (
	"cmp"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// task is a person in one step, with the messages that name them and our claim
// on their link.
type task struct {
	*plan.Person
	messages []*bus.Message
	// linkSeq is the link's sequence, for compare-and-set.
	linkSeq uint64
	// claimed is set once the link names us; claim is when that ends, in the server's
	// time, and until on our own clocks.
	claimed bool
	claim   time.Time
	until   time.Time
	// owner is what the user's owner record has to say, empty if it is written.
	owner string
	// ownerSeq is the sequence of the record that says so far that it is nobody's.
	ownerSeq uint64
	// other is whose the user found is, where that is somebody else.
	other events.Key
	// heir is who has the user of somebody who had to be left alone meanwhile.
	heir events.Key
	// announced is set once the claim says under which username a user may be made.
	announced bool
	// attempt is which failure in a row this was, once it is recorded.
	attempt int

	span personSpan
}

// gather makes one task of all messages about one person.
func gather(msgs []*bus.Message, lane events.Lane) []*task {
	byKey := make(map[events.Key]*task, len(msgs))
	var out []*task
	for _, m := range msgs {
		a, err := events.ParseSubject(m.Subject)
		if err != nil {
			continue // the consumer's filter lets no other subject through
		}
		t := byKey[a.Key]
		if t == nil {
			t = &task{Person: plan.New(plan.State{Key: a.Key, Lane: lane})}
			byKey[a.Key] = t
			out = append(out, t)
		}
		t.messages = append(t.messages, m)
	}
	return out
}

// whose is the person whose user the calls of the step were for, as things are now.
func (t *task) whose() events.Key { return cmp.Or(t.heir, t.Key) }

func isOpen(t *task) bool { return t.Open() }

func those(tasks []*task, keep func(*task) bool) []*task {
	var out []*task
	for _, t := range tasks {
		if keep(t) {
			out = append(out, t)
		}
	}
	return out
}

func persons(tasks []*task) []*plan.Person {
	out := make([]*plan.Person, len(tasks))
	for i, t := range tasks {
		out[i] = t.Person
	}
	return out
}
