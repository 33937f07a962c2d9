package push

import "github.com/rollcall-sync/rollcall/pkg/events"

// Roster is what the pusher needs of the bus, for tests to stand in between.
type Roster = roster

// WrapRoster has a service that does not run yet go through what wrap returns.
// Health and tokens keep their own way to the bus.
func WrapRoster(s *Service, wrap func(Roster) Roster) {
	s.roster = wrap(s.roster)
	for _, o := range s.orgs {
		o.roster, o.bulk.org.roster = s.roster, s.roster
	}
}

// Paused says whether a service leaves a lane of an org alone.
func Paused(s *Service, org string, lane events.Lane) bool { return s.pauses.Org(org, lane) }
