package doctor

import (
	"testing"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
)

func (r *rig) own() events.ConfigurationID {
	return events.ConfigurationID{Hash: r.doctor.File.Hash(), Program: "v1"}
}

// inForce puts a configuration into force, with beats of replicas.
func (r *rig) inForce(id events.ConfigurationID, beats ...events.Beat) {
	r.Helper()
	data, err := events.Encode((&events.Configuration{Generation: 1}).Next(id, "pod-1/AAAAAA"))
	r.must(err)
	groups := []bus.Group{{{Subject: events.ConfigurationSubject(), Data: data}}}
	for i, b := range beats {
		data, err := events.Encode(b)
		r.must(err)
		groups = append(groups, bus.Group{{Subject: events.BeatSubject(i + 1), Data: data}})
	}
	_, err = r.bus.Commit(r.Context(), events.StreamRoster, groups)
	r.must(err)
}

func inForceFaults() map[string]planted {
	return map[string]planted{
		"another configuration is in force": {configInForce, Warn, "is not the one in force: feed, generation 2, put into force by pod-1/AAAAAA", "revision", func(r *rig) {
			other := events.ConfigurationID{Hash: "feed", Program: "v1"}
			r.inForce(other, events.Beat{Replica: "pod-1/AAAAAA", ConfigurationID: other, Generation: 2})
		}},
		"two configurations are in use": {configInForce, Warn, "replica pod-2/BBBBBB stands by with configuration feed", "two configuration files", func(r *rig) {
			r.inForce(r.own(), events.Beat{Replica: "pod-1/AAAAAA", ConfigurationID: r.own(), Generation: 2},
				events.Beat{Replica: "pod-2/BBBBBB", ConfigurationID: events.ConfigurationID{Hash: "feed", Program: "v1"}})
		}},
		"a replica refused a changed file": {configInForce, Warn, "pod-1/AAAAAA refused its changed configuration file", "/readyz", func(r *rig) {
			r.inForce(r.own(), events.Beat{Replica: "pod-1/AAAAAA", ConfigurationID: r.own(), Generation: 2, Refused: true})
		}},
		"nobody takes events": {configInForce, Warn, "no replica with configuration", "30 s", func(r *rig) {
			r.inForce(r.own(), events.Beat{Replica: "pod-1/AAAAAA", ConfigurationID: r.own()})
		}},
	}
}

func TestTheConfigurationInForceIsInOrder(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.found(r.examine(), planted{check: configInForce, level: Skipped, message: "assignment has never run"})
	r.inForce(r.own(), events.Beat{Replica: "pod-1/AAAAAA", ConfigurationID: r.own(), Generation: 2})
	rep := r.examine()
	r.found(rep, planted{check: configInForce, level: OK, message: "generation 2, is in force"})
	if n := len(rep.of(configInForce)); n != 1 {
		t.Errorf("%d findings", n)
	}
}
