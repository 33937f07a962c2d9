package rules

import "github.com/rollcall-sync/rollcall/pkg/events"

// Coverage says by which rule of an org somebody is covered, and how that comes
// about. It holds personal data: what conditions looked at.
type Coverage struct {
	Org      string   `json:"org"`
	Standing Standing `json:"standing"`
	// Rule is the one that matches; empty where none does.
	Rule string `json:"rule,omitempty"`
	// Conditions are those that were tried, in order, up to the one that matched,
	// or that cannot be decided. Of somebody who has left none is.
	Conditions []Condition `json:"conditions,omitempty"`
}

// Condition is one rule's condition, and what came of it for one person.
type Condition struct {
	Rule string `json:"rule"`
	When string `json:"when"`
	// Saw lists what it looked at: person.title = "Clerk".
	Saw   string `json:"saw,omitempty"`
	Match bool   `json:"match"`
	// Fault says why it cannot be decided.
	Fault string `json:"fault,omitempty"`
}

// Standing is how somebody stands to an org's rules.
type Standing string

// The standings.
const (
	// StandingMatched: a rule matches them.
	StandingMatched Standing = "matched"
	// StandingUnmatched: they are employed, and no rule matches them.
	StandingUnmatched Standing = "unmatched"
	// StandingUndecidable: a condition cannot be decided for them.
	StandingUndecidable Standing = "undecidable"
	// StandingLeft: whoever decides it says that they are not employed, or has
	// removed them. No rule is asked.
	StandingLeft Standing = "left"
	// StandingUnheard: no source under authority has ever spoken of them. No user is
	// made for them, whatever rule matches; where they have one, it decides.
	StandingUnheard Standing = "unheard"
	// StandingUnknown: no source has ever spoken of them; a group names them.
	StandingUnknown Standing = "unknown"
)

// Cover says of a person by which rule of each org they are covered, in the order
// of the orgs' names.
func (r *Rules) Cover(state *events.PersonState) ([]Coverage, error) {
	who, err := r.identify(state, nil)
	if err != nil {
		return nil, err
	}
	out := make([]Coverage, 0, len(r.mappings))
	for _, m := range r.mappings {
		out = append(out, m.cover(who))
	}
	return out, nil
}

func (m *mapping) cover(who *identity) Coverage {
	c := Coverage{Org: m.org}
	switch {
	case !who.known():
		c.Standing = StandingUnknown
		return c
	case who.employment == inactive || who.employment == gone:
		c.Standing = StandingLeft
		return c
	case who.person == nil: // removed by sources that decide nothing
		c.Standing = StandingUnheard
		return c
	}
	c.Standing = m.try(who, &c)
	if who.employment == unheard {
		c.Standing = StandingUnheard
	}
	return c
}

// try is [mapping.choose] with a record of it.
func (m *mapping) try(who *identity, c *Coverage) Standing {
	who.vars[varRule] = ""
	for i := range m.rules {
		r := &m.rules[i]
		ok, err := r.when.test(who.cel)
		tried := Condition{Rule: r.Name, When: r.when.text, Saw: show(r.when.paths, who.vars), Match: ok && err == nil}
		if err != nil {
			tried.Fault = err.Error()
		}
		c.Conditions = append(c.Conditions, tried)
		switch {
		case err != nil:
			return StandingUndecidable
		case ok:
			c.Rule = r.Name
			return StandingMatched
		}
	}
	return StandingUnmatched
}
