package assign

import (
	"fmt"
	"slices"
	"strings"

	"cel.dev/cel-go/cel"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// maxDesiredBytes leaves room for headers below NATS's limit on a message.
const maxDesiredBytes = events.MaxEventBytes - 32<<10

// mapOperation is the operation of a failed mapping.
const mapOperation = "map"

// identity is one person as all sources together have them: what the orgs'
// expressions see. It is made once per change and asked once per org.
type identity struct {
	state  *events.PersonState
	person *events.Person
	active bool
	vars   map[string]any
	cel    cel.Activation
}

func newIdentity(m *merger, state *events.PersonState) (*identity, error) {
	who := &identity{state: state}
	who.person, who.active = m.merge(state)
	if who.person == nil {
		return who, nil
	}
	who.vars = newVars(state, who.person, who.active)
	var err error
	if who.cel, err = cel.NewActivation(who.vars); err != nil {
		return nil, fmt.Errorf("prepare variables: %w", err)
	}
	return who, nil
}

// known says whether any source ever spoke of the person; one who is only
// named as a member of a group is not.
func (who *identity) known() bool { return len(who.state.Sources) > 0 }

// desire works out what the person should have in an org; previous is nil where
// there was nothing before. It returns nil where there is nothing to say. Lane,
// origin and hash are left to the caller.
func (m *mapping) desire(who *identity, previous *events.Desired) *events.Desired {
	if !who.known() || !who.active && previous == nil {
		return nil
	}
	if !who.active {
		return m.leaver(who, previous)
	}
	r, problem := m.choose(who)
	switch {
	case problem != nil:
		return m.stuck(who, previous, "", nil, problem)
	case r == nil && previous == nil:
		return nil
	case r == nil:
		return m.leaver(who, previous)
	}
	return m.member(who, previous, r)
}

func (m *mapping) blank(who *identity) *events.Desired {
	return &events.Desired{Org: m.org, Key: who.state.Key}
}

// leaver asks for the user to be inactive.
func (m *mapping) leaver(who *identity, previous *events.Desired) *events.Desired {
	d := m.blank(who)
	d.Match = previous.Match
	if d.Match == (events.Match{}) {
		d.Match = m.guessMatch(who)
	}
	return d
}

// guessMatch evaluates what it can of the fields an existing user is recognised
// by, for somebody whose mapping never worked.
func (m *mapping) guessMatch(who *identity) events.Match {
	if who.person == nil {
		return events.Match{}
	}
	values := map[string]any{}
	for i := range m.rules {
		r := &m.rules[i]
		who.vars[varRule] = r.Name
		for _, f := range r.fields {
			if _, have := values[f.name]; have || !m.isMatchField(f.name) {
				continue
			}
			if v, err := f.expr.value(who.cel); err == nil {
				values[f.name] = v
			}
		}
	}
	return m.match(values)
}

func (m *mapping) isMatchField(name string) bool {
	return name == "FederationIdentifier" || name == "Username" || name == "Email" ||
		name == m.externalIDField && name != ""
}

func (m *mapping) match(fields map[string]any) events.Match {
	text := func(name string) string {
		s, _ := fields[name].(string)
		return s
	}
	match := events.Match{FederationID: text("FederationIdentifier"), Username: text("Username"), Email: text("Email")}
	if m.externalIDField != "" {
		if v := fields[m.externalIDField]; v != nil {
			match.ExternalID = fmt.Sprint(v)
		}
	}
	return match
}

// choose returns the first rule that matches, nil for none. A condition that
// fails decides nothing: it is a problem, and no later rule is tried.
func (m *mapping) choose(who *identity) (*rule, *events.Failure) {
	who.vars[varRule] = ""
	for i := range m.rules {
		r := &m.rules[i]
		ok, err := r.when.test(who.cel)
		if err != nil {
			return nil, failure(fmt.Sprintf("The condition of rule %q cannot be decided for this person: %s.", r.Name, err), r.when, who)
		}
		if ok {
			return r, nil
		}
	}
	return nil, nil
}

// member asks for what a rule gives.
func (m *mapping) member(who *identity, previous *events.Desired, r *rule) *events.Desired {
	who.vars[varRule] = r.Name
	values, problem := who.evaluate(r.fields)
	if problem != nil {
		return m.stuck(who, previous, r.Name, values, problem)
	}
	d := m.blank(who)
	d.Rule, d.Active, d.Fields = r.Name, true, values
	d.Profile, d.Role = r.Profile, r.Role
	d.Match = m.match(values)
	if problem := m.give(who, r, d); problem != nil {
		return m.stuck(who, previous, r.Name, values, problem)
	}
	return d
}

// evaluate works out every field, also after one has failed: an admin wants to
// see all that is wrong with a person at once.
func (who *identity) evaluate(fields []field) (map[string]any, *events.Failure) {
	values := make(map[string]any, len(fields))
	var problem *events.Failure
	for _, f := range fields {
		v, err := f.expr.value(who.cel)
		switch {
		case err == nil:
			values[f.name] = v
		case problem == nil:
			problem = failure(fmt.Sprintf("%s cannot be worked out for this person: %s.", f.name, err), f.expr, who)
			problem.Fields = []string{f.name}
		default:
			problem.Fields = append(problem.Fields, f.name)
		}
	}
	if problem != nil && len(problem.Fields) > 1 {
		problem.Message += " So it is with " + strings.Join(problem.Fields[1:], ", ") + "."
	}
	return values, problem
}

// give adds what the rule and every grant that applies assign.
func (m *mapping) give(who *identity, r *rule, d *events.Desired) *events.Failure {
	given := map[string][]string{}
	add := func(more config.Assignments) {
		for key, names := range more {
			if len(names) == 0 {
				continue
			}
			given[key] = append(given[key], names...)
		}
	}
	add(r.Assignments)
	for i, g := range m.grants {
		ok, err := g.when.test(who.cel)
		if err != nil {
			return failure(fmt.Sprintf("The condition of grant %d cannot be decided for this person: %s.", i+1, err), g.when, who)
		}
		if ok {
			add(g.Assignments)
		}
	}
	for key, names := range given {
		slices.Sort(names)
		given[key] = slices.Compact(names)
	}
	d.Assignments = given
	return nil
}

// stuck asks for nothing but to be parked with the problem.
func (m *mapping) stuck(who *identity, previous *events.Desired, rule string, values map[string]any, problem *events.Failure) *events.Desired {
	d := m.blank(who)
	d.Rule, d.Active, d.Problem = rule, true, problem
	if d.Match = m.match(values); d.Match == (events.Match{}) && previous != nil {
		d.Match = previous.Match
	}
	return d
}

func failure(message string, e *expression, who *identity) *events.Failure {
	return &events.Failure{
		Cause: events.CauseMapping, Operation: mapOperation, Message: message,
		Expression: e.text, Value: show(e.paths, who.vars),
	}
}

// seal sets lane, origin and hash, and encodes. It returns nil where the hash is
// that of previous: nothing has changed. A result too big to be stored is a
// problem of this person's mapping like any other.
func (m *mapping) seal(d, previous *events.Desired, lane events.Lane, origin events.Origin) ([]byte, error) {
	d.Lane, d.Origin = lane, origin
	if !d.Active {
		d.Lane = events.LaneLeaver
	}
	data, err := encodeDesired(d, previous)
	if err != nil || len(data) <= maxDesiredBytes {
		return data, err
	}
	d.Fields, d.Match = nil, events.Match{}
	d.Problem = &events.Failure{Cause: events.CauseMapping, Operation: mapOperation,
		Message: fmt.Sprintf("The fields worked out for this person are %d bytes, the limit is %d.", len(data), maxDesiredBytes)}
	return encodeDesired(d, previous)
}

func encodeDesired(d, previous *events.Desired) ([]byte, error) {
	hash, err := events.HashDesired(*d)
	if err != nil {
		return nil, err
	}
	d.Hash = hash
	if previous != nil && previous.Hash == hash {
		return nil, nil
	}
	return events.Encode(*d)
}
