package doctor

import (
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

// counter stores what is counted of the org.
func (r *rig) counter(data []byte) {
	r.Helper()
	if _, err := r.bus.Commit(r.Context(), events.StreamRoster, []bus.Group{{{Subject: events.GuardSubject(emea), Data: data}}}); err != nil {
		r.Fatal(err)
	}
}

func holdFaults() map[string]planted {
	return map[string]planted{
		"changes are held": {orgHolds, Warn, "622 people because of source:hr (active)", "rollcall hold list --org emea", func(r *rig) {
			data, err := events.Encode(events.Guard{Org: emea, Counts: map[events.ChangeCause]map[events.Aspect]events.TakingCount{
				events.CauseSource("hr"): {events.AspectActive: {Held: 622, Since: time.Now().Add(-time.Hour)}, events.AspectAccess: {}},
			}})
			r.must(err)
			r.counter(data)
		}},
		"a counter of a newer version": {orgHolds, Fail, "cannot be read", "Run this version", func(r *rig) { r.counter([]byte(`{"v":99}`)) }},
		"the gate is off": {orgHolds, Warn, "the gate is off", "gate.off", func(r *rig) {
			org := r.doctor.File.Orgs[emea]
			org.Gate.Off = true
			r.doctor.File.Orgs[emea] = org
		}},
	}
}
