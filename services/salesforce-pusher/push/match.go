package push

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// matcher recognises a person's existing user.
type matcher struct {
	order         []string
	externalField string
	byEmail       bool
}

// value is what a person is recognised by under one rule.
func (m matcher) value(rule string, d events.Desired) string {
	switch rule {
	case matchFederationID:
		return d.Match.FederationID
	case matchUsername:
		return d.Match.Username
	case matchEmail:
		return d.Match.Email
	case matchExternalID:
		return d.Match.ExternalID
	}
	return ""
}

// field is the User field a rule compares.
func (m matcher) field(rule string) string {
	switch rule {
	case matchFederationID:
		return fieldFederation
	case matchUsername:
		return fieldUsername
	case matchEmail:
		return fieldEmail
	}
	return m.externalField
}

func (m matcher) of(rule string, u *user) string {
	switch rule {
	case matchFederationID:
		return u.federation
	case matchUsername:
		return u.username
	case matchEmail:
		return u.email
	}
	return u.external
}

// sureOfInsert says whether an insert finds an existing user as surely as a
// look-up does: every value that a rule compares is sent, in a field that
// Salesforce itself keeps unique.
func (m matcher) sureOfInsert(d events.Desired) bool {
	if d.Match.Username == "" && !slices.Contains(m.order, matchUsername) {
		// The username is unique whatever the rules say.
		if s, _ := d.Fields[fieldUsername].(string); s == "" {
			return false
		}
	}
	for _, rule := range m.order {
		want := m.value(rule, d)
		if want == "" {
			continue
		}
		sent, _ := d.Fields[m.field(rule)].(string)
		if rule == matchEmail || !strings.EqualFold(sent, want) {
			return false
		}
	}
	return true
}

// recognise finds the one user of a person among candidates: nil for none, a
// failure where the answer is not clear. Ambiguity never creates and never
// adopts.
func (m matcher) recognise(d events.Desired, candidates []*user) (*user, *events.Failure) {
	var hit *user
	for _, rule := range m.order {
		want := m.value(rule, d)
		if want == "" || rule == matchEmail && hit != nil {
			continue
		}
		for _, u := range candidates {
			if !strings.EqualFold(m.of(rule, u), want) {
				continue
			}
			if hit != nil && hit.id != u.id {
				return nil, ambiguous("Several Salesforce users fit this person: " + hit.id + " and " + u.id + ". Leave one of them matching, or remove the other's values.")
			}
			if rule == matchEmail && !m.byEmail {
				return nil, ambiguous("Salesforce user " + u.id + " has this person's e-mail address and nothing else that matches. Give it the person's username or federation id, or allow adoptByEmail.")
			}
			hit = u
		}
	}
	if hit != nil && d.Match.FederationID != "" && hit.federation != "" && !strings.EqualFold(hit.federation, d.Match.FederationID) {
		return nil, ambiguous("Salesforce user " + hit.id + " has this person's username but another federation id.")
	}
	return hit, nil
}

func ambiguous(message string) *events.Failure {
	return &events.Failure{Cause: events.CauseAmbiguousMatch, Message: message, Operation: opLookup}
}
