package bus

import (
	"context"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// headerScheduler is set by the server on what a schedule published, and
// refused from anybody else.
const headerScheduler = "Nats-Scheduler"

// Scheduled returns what a stored schedule says; false for a message that is
// none.
func (e Entry) Scheduled() (Schedule, bool) {
	when, target := e.Header[headerSchedule], e.Header[headerScheduleTarget]
	if len(when) != 1 || len(target) != 1 {
		return Schedule{}, false
	}
	at, err := time.Parse(time.RFC3339Nano, strings.TrimPrefix(when[0], "@at "))
	return Schedule{At: at, Target: target[0]}, err == nil
}

// fired says that a schedule put the message there.
func (e Entry) fired() bool { return len(e.Header[headerScheduler]) > 0 }

// misdirected says that a schedule put the message where only its one writer
// may. The server checks that somebody may publish the schedule, but not its
// target; schedules of ours aim at work, which says nothing.
func (e Entry) misdirected() bool {
	return e.fired() && !strings.HasPrefix(e.Subject, workPrefix())
}

// workPrefix is what every subject of work begins with.
func workPrefix() string { return strings.TrimSuffix(events.WorkSubject("*", "*", "*"), "*.*.*") }

// genuine takes what a forger said out of a message. Without data nobody can
// read it, so nothing is done for that person until its writer writes again.
func (b *Bus) genuine(ctx context.Context, e Entry) Entry {
	if e.misdirected() {
		b.log.ErrorContext(ctx, "a schedule put a message where it may not: it is not believed", "subject", template(e.Subject), "seq", e.Seq)
		e.Data = nil
	}
	return e
}
