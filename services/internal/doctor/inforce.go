package doctor

import (
	"context"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/inforce"
)

// inForce compares the configuration here with the one that assignment works
// with, and its replicas' among each other.
func (x *examination) inForce(ctx context.Context) []verdict {
	s, err := inforce.Read(ctx, x.bus)
	switch {
	case err != nil:
		return skipped("which configuration is in force cannot be read: %s", err)
	case s.Generation == 0:
		return skipped("no configuration is in force yet: assignment has never run")
	}
	ahead, _, err := x.bus.Clock(ctx)
	if err != nil {
		return skipped("the server's clock cannot be seen: %s", err)
	}
	found := x.replicas(s, x.Now().Add(ahead))
	if x.FileErr == nil && len(x.File.Orgs) > 0 && x.File.Hash() != s.Hash {
		found = append(found, warn("If it is meant to be in force, give this file to assignment; if it was in force before, with another `revision`: docs/rollout.md.",
			"the configuration here (%s) is not the one in force: %s, generation %d, put into force by %s", x.File.Hash(), s.Hash, s.Generation, s.Replica)...)
	}
	if len(found) > 0 {
		return found
	}
	return ok("configuration %s, generation %d, is in force; everybody compared with it: %t", s.Hash, s.Generation, s.Swept())
}

// replicas says which replicas of assignment do not do what is meant.
func (x *examination) replicas(s inforce.State, now time.Time) []verdict {
	alive := s.Alive(now)
	taking := 0
	var found []verdict
	for _, b := range alive {
		switch {
		case b.Generation == s.Generation:
			taking++
		case b.ConfigurationID != s.ConfigurationID:
			found = append(found, warn("In a rolling change this passes. If it stays, two configuration files are in use: give all replicas of assignment the same.",
				"replica %s stands by with configuration %s (program %s); %s (program %s) is in force", b.Replica, b.Hash, b.Program, s.Hash, s.Program)...)
		}
		if b.Refused {
			found = append(found, warn("Correct the file: its faults are in the replica's log and at its /readyz.",
				"replica %s refused its changed configuration file and goes on with what it had", b.Replica)...)
		}
	}
	if taking == 0 {
		found = append(found, warn("See that assignment runs. A configuration that was in force before takes over 30 s after the last sign of life of the one in force: docs/rollout.md.",
			"no replica with configuration %s, which is in force, was heard of in the last 30 s: events wait", s.Hash)...)
	}
	return found
}
