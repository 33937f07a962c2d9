package org

import (
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator/internal/store"
)

// Set holds the orgs of one server, and what they share: usernames are unique
// among all of them.
type Set struct {
	// State guards everything that is data: orgs, rows, seats, cursors, jobs.
	State sync.RWMutex
	Now   func() time.Time

	byID      map[string]*Org
	order     []*Org
	made      int // orgs that were ever made
	added     func(o *Org)
	elsewhere map[string]struct{} // usernames taken in orgs outside this server
}

// NewSet has no orgs; added is told of each, under the state lock.
func NewSet(now func() time.Time, added func(o *Org)) *Set {
	return &Set{Now: now, added: added, byID: map[string]*Org{}, elsewhere: map[string]struct{}{}}
}

// Add makes an org and fills it from its configuration, which is valid. The
// state lock is held.
func (s *Set) Add(cfg Config) (*Org, error) {
	o := newOrg(s, cfg, s.number())
	if _, taken := s.byID[store.ShortID(o.ID)]; taken {
		return nil, errors.New("org " + o.ID + " is there already")
	}
	if err := (seeder{o}).run(); err != nil {
		return nil, err
	}
	s.take(o)
	return o, nil
}

// number is that of a new org; no org that is there has an id made from it.
func (s *Set) number() int {
	for {
		n := s.made
		s.made++
		if s.byID[store.ShortID(store.NewID("00D", store.PodOf(n), uint64(n+1)))] == nil {
			return n
		}
	}
}

func (s *Set) take(o *Org) {
	s.byID[store.ShortID(o.ID)] = o
	s.order = append(s.order, o)
	s.added(o)
}

// All lists the orgs in the order they were added.
func (s *Set) All() []*Org {
	s.State.RLock()
	defer s.State.RUnlock()
	return append([]*Org(nil), s.order...)
}

// Find gives an org by its 15 or 18 character id, or nil.
func (s *Set) Find(id string) *Org {
	s.State.RLock()
	defer s.State.RUnlock()
	return s.byID[store.ShortID(id)]
}

// TakeUsernames plants usernames that some org outside this server holds.
func (s *Set) TakeUsernames(names ...string) {
	s.State.Lock()
	defer s.State.Unlock()
	for _, n := range names {
		s.elsewhere[strings.ToLower(n)] = struct{}{}
	}
}

// ReleaseUsernames takes planted usernames back.
func (s *Set) ReleaseUsernames(names ...string) {
	s.State.Lock()
	defer s.State.Unlock()
	for _, n := range names {
		delete(s.elsewhere, strings.ToLower(n))
	}
}

// usernameTaken looks in every org and elsewhere; name is in lower case.
func (s *Set) usernameTaken(name string) bool {
	if _, ok := s.elsewhere[name]; ok {
		return true
	}
	for _, o := range s.order {
		if len(o.Table("User").Matches(o.user.username, name)) > 0 {
			return true
		}
	}
	return false
}
