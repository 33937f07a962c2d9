package plan

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// How an existing user may be recognised.
const (
	MatchFederationID = "federation_id"
	MatchUsername     = "username"
	MatchEmail        = "email"
	MatchExternalID   = "external_id"
)

// Matcher recognises a person's existing user.
type Matcher struct {
	// Order is that in which rules are tried.
	Order []string
	// ExternalField is the User field that MatchExternalID compares.
	ExternalField string
	// ByEmail lets an e-mail address alone be enough.
	ByEmail bool
}

// User is a Salesforce user as read in this step.
type User struct {
	ID, Username, Federation, Email, External string
	Active                                    bool
	// Ours says that the integration user created it.
	Ours bool
	// Fields are all values read, by lower-case name.
	Fields map[string]any
	// power is what makes the user an administrator.
	power power
}

// Value is what a person is recognised by under one rule.
func (m Matcher) Value(rule string, d events.Desired) string {
	switch rule {
	case MatchFederationID:
		return d.Match.FederationID
	case MatchUsername:
		return d.Match.Username
	case MatchEmail:
		return d.Match.Email
	case MatchExternalID:
		return d.Match.ExternalID
	}
	return ""
}

// Field is the User field a rule compares.
func (m Matcher) Field(rule string) string {
	switch rule {
	case MatchFederationID:
		return FieldFederation
	case MatchUsername:
		return FieldUsername
	case MatchEmail:
		return FieldEmail
	}
	return m.ExternalField
}

func (m Matcher) of(rule string, u *User) string {
	switch rule {
	case MatchFederationID:
		return u.Federation
	case MatchUsername:
		return u.Username
	case MatchEmail:
		return u.Email
	}
	return u.External
}

// sureOfInsert says whether an insert finds an existing user as surely as a
// look-up does: every value that a rule compares is sent, in a field that
// Salesforce itself keeps unique.
func (m Matcher) sureOfInsert(d events.Desired) bool {
	if d.Match.Username == "" && !slices.Contains(m.Order, MatchUsername) {
		// The username is unique whatever the rules say.
		if s, _ := d.Fields[FieldUsername].(string); s == "" {
			return false
		}
	}
	for _, rule := range m.Order {
		want := m.Value(rule, d)
		if want == "" {
			continue
		}
		sent, _ := d.Fields[m.Field(rule)].(string)
		if rule == MatchEmail || !strings.EqualFold(sent, want) {
			return false
		}
	}
	return true
}

// match finds the one user of a person among candidates: nil for none, a
// failure where the answer is not clear. Ambiguity never creates and never
// adopts.
func (m Matcher) match(d events.Desired, candidates []*User) (*User, *events.Failure) {
	var hit *User
	var by string
	for _, rule := range m.Order {
		want := m.Value(rule, d)
		if want == "" || rule == MatchEmail && hit != nil {
			continue
		}
		for _, u := range candidates {
			if !strings.EqualFold(m.of(rule, u), want) {
				continue
			}
			if hit != nil && hit.ID != u.ID {
				return nil, severalFit(d, hit.ID+" by its "+called(by), u.ID+" by its "+called(rule))
			}
			if rule == MatchEmail && !m.ByEmail {
				return nil, onlyEmailFits(d, u)
			}
			if hit == nil {
				hit, by = u, rule
			}
		}
	}
	if hit != nil && d.Match.FederationID != "" && hit.Federation != "" && !strings.EqualFold(hit.Federation, d.Match.FederationID) {
		return nil, otherFederation(d, hit, called(by))
	}
	if hit != nil && d.Sought && !d.Active && hit.Active && !m.certain(d, hit) {
		return nil, onlyNameFits(hit, called(by))
	}
	return hit, nil
}

// certain says whether a user has a value of the person's that is given to one
// person only. A username may have passed to somebody else since.
func (m Matcher) certain(d events.Desired, u *User) bool {
	same := func(have, want string) bool { return want != "" && strings.EqualFold(have, want) }
	return same(u.Federation, d.Match.FederationID) || m.ExternalField != "" && same(u.External, d.Match.ExternalID)
}

// onlyNameFits: of somebody whom Rollcall never had as active, a name alone is not
// enough to take another's access away.
func onlyNameFits(u *User, by string) *events.Failure {
	return ambiguous("This person has left, and Rollcall never gave them a user. Salesforce user " + u.ID + " is active and fits by its " + by +
		" alone, which may be somebody else's by now. If it is the leaver's, deactivate it in Salesforce, or give it their federation id and retry; if it is not, discard this.")
}

// called is what an admin knows the value of a rule as.
func called(rule string) string {
	switch rule {
	case MatchFederationID:
		return "federation id"
	case MatchUsername:
		return "username"
	case MatchEmail:
		return "e-mail address"
	}
	return "external id"
}

func severalFit(d events.Desired, one, other string) *events.Failure {
	message := "Several Salesforce users fit this person: " + one + " and " + other + ". "
	if d.Active {
		return ambiguous(message + "Leave one of them matching, or remove the other's values.")
	}
	return ambiguous(message + "The person has left: deactivate what is theirs, take these values from what is another's, and retry; if none is theirs, discard this.")
}

func onlyEmailFits(d events.Desired, u *User) *events.Failure {
	message := "Salesforce user " + u.ID + " has this person's e-mail address and nothing else that matches. "
	if d.Active {
		return ambiguous(message + "Give it the person's username or federation id, or allow adoptByEmail.")
	}
	return ambiguous(message + "The person has left: if it is theirs, deactivate it and retry; if it is another's, discard this.")
}

func otherFederation(d events.Desired, u *User, by string) *events.Failure {
	message := "Salesforce user " + u.ID + " has this person's " + by + " but another federation id. "
	if d.Active {
		return ambiguous(message + "If it is theirs, put this person's federation id on that user in Salesforce, or correct it where HR has it wrong, and retry. Where it was theirs under an earlier number, " +
			"that record has to have left first; or an admin runs `rollcall person merge EARLIER " + string(d.Key) + " --org " + d.Org + " --reason …`. If it is another's, give one of the two another " + by + ".")
	}
	return ambiguous(message + "The person has left: if it is theirs, under a number that is written in another way, say, deactivate it and retry; " +
		"if it is another's, or theirs under a new number because they are back, discard this.")
}

func ambiguous(message string) *events.Failure {
	return &events.Failure{Cause: events.CauseAmbiguousMatch, Message: message, Operation: OpLookup}
}

// Users finds users by id and by the values that rules compare.
type Users struct {
	matcher Matcher
	byID    map[string]*User
	byName  map[string]*User
	byValue map[string][]*User
}

// NewUsers indexes users as read.
func NewUsers(m Matcher, list []*User) Users {
	x := Users{matcher: m, byID: make(map[string]*User, len(list)), byName: make(map[string]*User, len(list)), byValue: make(map[string][]*User, 2*len(list))}
	for _, u := range list {
		x.byID[u.ID], x.byName[strings.ToLower(u.Username)] = u, u
		for _, rule := range m.Order {
			if v := m.of(rule, u); v != "" {
				at := rule + "/" + strings.ToLower(v)
				x.byValue[at] = append(x.byValue[at], u)
			}
		}
	}
	return x
}

// ByID is the user with this id, nil if it was not read.
func (x Users) ByID(id string) *User { return x.byID[id] }

func (x Users) candidates(d events.Desired) []*User {
	var out []*User
	for _, rule := range x.matcher.Order {
		if v := x.matcher.Value(rule, d); v != "" {
			out = append(out, x.byValue[rule+"/"+strings.ToLower(v)]...)
		}
	}
	return out
}
