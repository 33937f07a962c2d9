package emulator

import (
	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/org"
)

// Refresh says what another org behind the same name is like: a sandbox that was
// refreshed, or the wrong org.
type Refresh struct {
	// Keep says which users are copied, with their access; nil: none. Those that
	// connected apps run as are copied always.
	Keep func(User) bool
	// KeepIDs leaves every row its id; else all are others.
	KeepIDs bool
	// KeepOrgID leaves the org its id.
	KeepOrgID bool
}

// Refresh puts another org into this one's place: its apps and set-up, and the
// users who are kept. Users cannot be deleted in Salesforce; so they are gone.
// Sessions, refresh tokens, jobs and late calls are gone too. The new org is
// returned; o shows what was, and nobody can call it any more.
func (o *Org) Refresh(r Refresh) (*Org, error) {
	kept := map[string]bool{}
	for _, u := range o.Users() {
		kept[u.ID] = r.Keep != nil && r.Keep(u)
	}
	s := o.server
	_, unlock := o.lock()
	another, err := s.set.Refresh(o.org, org.Refresh{Keep: func(id string) bool { return kept[id] }, KeepIDs: r.KeepIDs, KeepOrgID: r.KeepOrgID})
	shown := s.shown[another]
	unlock()
	if err != nil {
		return nil, err
	}
	if err := o.Late().Forget(); err != nil {
		return nil, err
	}
	s.journal.Note(JournalEntry{Time: s.set.Now(), Org: shown.ID(), Operation: "hand.refresh", Touched: []string{o.ID(), shown.ID()}})
	return shown, nil
}
