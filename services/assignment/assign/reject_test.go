package assign

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/telemetry"
)

// TestTwoReplicasRejectOneEventOnce: another replica rejects an event after we
// have looked whether somebody has.
func TestTwoReplicasRejectOneEventOnce(t *testing.T) {
	t.Parallel()
	b := newRig(t)
	one, other := b.service(telemetry.Discard()), b.service(telemetry.Discard())
	seq := b.publishRaw(events.DirectorySubject("hr", events.KindPerson), []byte("{"), nil)
	subject := events.RejectionSubject(seq)
	var theirs uint64
	one.roster = &interposed{roster: b.bus, between: func() {
		b.handled(other, seq)
		_, theirs = read[events.Rejection](b, subject)
	}}
	if in := b.handled(one, seq); in[0].verdict != verdictRejected {
		t.Errorf("the event is %s", in[0].verdict)
	}
	if r, ours := read[events.Rejection](b, subject); r.Attempt != 1 || ours != theirs || theirs == 0 {
		t.Errorf("rejected at %d and at %d: %+v", theirs, ours, r)
	}
}
