package cli

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/operator"
)

// Whoever releases the rest of a hold does not mean those who were rejected; named,
// or when there is nobody else, they are meant.
func TestAReleaseLeavesOutWhoWasRejected(t *testing.T) {
	t.Parallel()
	waits := operator.HeldPerson{Key: "a"}
	refused := operator.HeldPerson{Key: "b", HeldAspect: events.HeldAspect{Hold: events.Hold{Rejected: true}}}
	for name, c := range map[string]struct {
		verb   events.Verb
		person string
		list   []operator.HeldPerson
		want   int
	}{
		"the rest":        {events.VerbRelease, "", []operator.HeldPerson{waits, refused}, 1},
		"nobody else":     {events.VerbRelease, "", []operator.HeldPerson{refused}, 1},
		"named":           {events.VerbRelease, "b", []operator.HeldPerson{waits, refused}, 2},
		"another request": {events.VerbReject, "", []operator.HeldPerson{waits, refused}, 2},
	} {
		d := holdDecision{verb: c.verb}
		d.filter.person = c.person
		if got := d.stillAsked(c.list); len(got) != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
