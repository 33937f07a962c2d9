package events

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Scope is what an admin pauses: an org, one lane of an org, or a source.
type Scope struct {
	Org    string `json:"org,omitempty"`
	Lane   Lane   `json:"lane,omitempty"`
	Source string `json:"source,omitempty"`
}

// String names a scope as people do.
func (s Scope) String() string {
	switch {
	case s.Source != "":
		return "source " + s.Source
	case s.Lane != "":
		return "lane " + string(s.Lane) + " of org " + s.Org
	}
	return "org " + s.Org
}

// Pause is a scope that is left alone until somebody says otherwise.
type Pause struct {
	Scope
	By     string    `json:"by"`
	Reason string    `json:"reason"`
	Since  time.Time `json:"since"`
	// Request is the id of the request by which it began.
	Request string `json:"request"`
}

// maxSettled is how many requests the table remembers: one that comes again was
// handled seconds ago.
const maxSettled = 100

// Pauses are all that is paused. They change only by compare-and-set, and are
// read before anything is taken.
type Pauses struct {
	V int `json:"v"`
	// Paused is sorted by scope.
	Paused []Pause `json:"paused,omitempty"`
	// Settled are the last requests that were handled, oldest first: a request
	// that is delivered once more is not acted on once more.
	Settled []SettledPause `json:"settled,omitempty"`
	At      time.Time      `json:"at"`
}

// SettledPause is what came of a request to pause or resume.
type SettledPause struct {
	Request string `json:"request"`
	Verb    Verb   `json:"verb"`
	Note    string `json:"note,omitempty"`
}

// Of returns the pause of exactly this scope, nil where it is not paused.
func (p *Pauses) Of(s Scope) *Pause {
	for i := range p.Paused {
		if p.Paused[i].Scope == s {
			return &p.Paused[i]
		}
	}
	return nil
}

// Org says whether a lane of an org is paused, by itself or with its org.
func (p *Pauses) Org(org string, lane Lane) bool {
	return p.Of(Scope{Org: org}) != nil || p.Of(Scope{Org: org, Lane: lane}) != nil
}

// Source says whether a source is paused.
func (p *Pauses) Source(source string) bool { return p.Of(Scope{Source: source}) != nil }

// Oldest is the pause that has lasted longest, nil where nothing is paused.
func (p *Pauses) Oldest() *Pause {
	if len(p.Paused) == 0 {
		return nil
	}
	oldest := slices.MinFunc(p.Paused, func(a, b Pause) int { return a.Since.Compare(b.Since) })
	return &oldest
}

// Settle says what came of a request, and remembers it.
func (p *Pauses) Settle(s SettledPause) {
	p.Settled = append(slices.Clone(p.Settled), s)
	p.Settled = p.Settled[max(len(p.Settled)-maxSettled, 0):]
}

// Had returns what came of a request that was handled before.
func (p *Pauses) Had(request string) (SettledPause, bool) {
	i := slices.IndexFunc(p.Settled, func(s SettledPause) bool { return s.Request == request })
	if i < 0 {
		return SettledPause{}, false
	}
	return p.Settled[i], true
}

// Add puts a pause in its place.
func (p *Pauses) Add(one Pause) {
	p.Paused = append(slices.Clone(p.Paused), one)
	slices.SortFunc(p.Paused, func(a, b Pause) int {
		return cmp.Or(strings.Compare(a.Org, b.Org), strings.Compare(string(a.Lane), string(b.Lane)), strings.Compare(a.Source, b.Source))
	})
}

// Remove takes the pause of a scope out.
func (p *Pauses) Remove(s Scope) {
	p.Paused = slices.DeleteFunc(slices.Clone(p.Paused), func(have Pause) bool { return have.Scope == s })
}

// Aside are the events of a paused source that were passed over, and wait in
// DIRECTORY for it to go on. It changes only by compare-and-set.
type Aside struct {
	V      int    `json:"v"`
	Source string `json:"source"`
	// From and To are sequences in DIRECTORY: every event of the source that
	// waits is between them, both included. Events there that were folded
	// already change nothing. None waits where To is zero.
	From uint64 `json:"from,omitzero"`
	To   uint64 `json:"to,omitzero"`
	// Passed is how often an event was passed over since none waited: about how
	// many wait.
	Passed int       `json:"passed,omitzero"`
	At     time.Time `json:"at"`
}
