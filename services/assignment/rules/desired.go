package rules

import (
	"cmp"
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
// expressions see. It is made once and asked once per org.
type identity struct {
	state      *events.PersonState
	person     *events.Person
	employment employment
	// active is what expressions see: of whom nothing is decided nobody has said
	// that they left.
	active bool
	// last is the person as they were before they were removed, where that is
	// known; person where they were not.
	last *events.Person
	vars map[string]any
	cel  cel.Activation
}

// identify makes the identity of a person; before is their state before the
// change, nil where there was none.
func (r *Rules) identify(state, before *events.PersonState) (*identity, error) {
	who := &identity{state: state, person: r.merger.merge(state), employment: r.authority.judge(state)}
	who.active = who.employment == employed || who.employment == unheard
	who.last = who.person
	if who.employment == gone && before != nil && (who.person == nil || !r.Gone(before)) {
		who.last = cmp.Or(r.merger.merge(before), who.person)
	}
	if who.person == nil {
		return who, nil
	}
	return who, who.prepare()
}

// prepare makes what expressions see.
func (who *identity) prepare() (err error) {
	who.vars = newVars(who.state, who.person, who.active)
	if who.cel, err = cel.NewActivation(who.vars); err != nil {
		return fmt.Errorf("prepare variables: %w", err)
	}
	return nil
}

// known says whether any source ever spoke of the person; one who is only
// named as a member of a group is not.
func (who *identity) known() bool { return len(who.state.Sources) > 0 }

// desire works out what the person should have in an org; previous is nil where
// there was nothing before. It returns nil where there is nothing to say.
func (m *mapping) desire(who *identity, previous *events.Desired) *events.Desired {
	switch {
	case !who.known():
		return nil
	case who.employment == unheard:
		return m.undecided(who, previous)
	case !who.active && previous == nil:
		return m.sought(who)
	case !who.active:
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

// undecided is what becomes of somebody of whom no authority has ever spoken: no
// user is made, none is given back and none is taken, and the fields of one who
// has a user follow what is said of them. Where nothing says any more what they
// should have, that they have a user is not ours to end, and somebody has to look.
func (m *mapping) undecided(who *identity, previous *events.Desired) *events.Desired {
	switch {
	case previous == nil:
		return nil
	case !previous.Active:
		same := *previous
		return &same
	case who.person == nil:
		return m.stuck(who, previous, "", nil, orphaned("No source has this person any more"))
	}
	r, problem := m.choose(who)
	switch {
	case problem != nil:
		return m.stuck(who, previous, "", nil, problem)
	case r == nil:
		return m.stuck(who, previous, "", nil, orphaned("No rule matches this person any more"))
	}
	return m.member(who, previous, r)
}

func orphaned(what string) *events.Failure {
	return &events.Failure{Cause: events.CauseMapping, Operation: mapOperation,
		Message: what + ", and no source under authority has ever spoken of them: whether they are to lose their user is not decided. Have such a source publish them, as active or not."}
}

func (m *mapping) blank(who *identity) *events.Desired {
	return &events.Desired{Org: m.org, Key: who.state.Key}
}

// leaver asks for the user to be inactive. Somebody who was only ever sought, and
// is back without a rule that matches, is sought no longer: whoever works here may
// have a user that Rollcall does not manage.
func (m *mapping) leaver(who *identity, previous *events.Desired) *events.Desired {
	d := m.blank(who)
	d.Sought = previous.Sought
	if d.Sought && who.active {
		return d
	}
	d.Match = completed(previous.Match, m.guessMatch(who))
	return d
}

// sought asks for somebody who has left, and never was to have a user here, to be
// looked for: the org may have had users before Rollcall, or the number in the
// row that says so may be another than the one they were hired under. Nobody can
// be found without a value that is compared.
func (m *mapping) sought(who *identity) *events.Desired {
	d := m.blank(who)
	d.Sought, d.Match = true, m.guessMatch(who)
	if !m.compares(d.Match) {
		return nil
	}
	return d
}

// compares says whether any value is one by which the org recognises users.
func (m *mapping) compares(v events.Match) bool {
	has := map[string]bool{
		matchFederationID: v.FederationID != "", matchUsername: v.Username != "",
		matchEmail: v.Email != "", matchExternalID: v.ExternalID != "",
	}
	return slices.ContainsFunc(m.matchBy, func(by string) bool { return has[by] })
}

// completed is v with what it lacks from more.
func completed(v, more events.Match) events.Match {
	return events.Match{
		FederationID: cmp.Or(v.FederationID, more.FederationID), Username: cmp.Or(v.Username, more.Username),
		Email: cmp.Or(v.Email, more.Email), ExternalID: cmp.Or(v.ExternalID, more.ExternalID),
	}
}

// guessMatch evaluates what it can of the fields an existing user is recognised
// by, for somebody for whom no rule does: as the rule has it that would match if
// they were active, as their user was made, or else the first that yields a value.
func (m *mapping) guessMatch(who *identity) events.Match {
	as, err := who.asActive()
	if err != nil {
		return events.Match{}
	}
	rules := m.rules
	if r, problem := m.choose(as); r != nil && problem == nil {
		rules = append([]rule{*r}, m.rules...)
	}
	values := map[string]any{}
	for i := range rules {
		as.vars[varRule] = rules[i].Name
		for _, f := range rules[i].fields {
			if values[f.name] != nil || !m.isMatchField(f.name) || who.last == nil && f.expr.reads(varPerson) {
				continue
			}
			if v, err := f.expr.value(as.cel); err == nil && v != "" {
				values[f.name] = v
			}
		}
	}
	return m.match(values)
}

// asActive is the person as they last were, had nobody said that they left.
func (who *identity) asActive() (*identity, error) {
	as := &identity{state: who.state, person: who.last, active: true}
	if as.person == nil {
		as.person = &events.Person{}
	}
	return as, as.prepare()
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

// Seal sets lane, origin and hash, and encodes. It returns nil where the hash is
// that of previous: nothing has changed. A result too big to be stored is a
// problem of this person's mapping like any other.
func Seal(d, previous *events.Desired, lane events.Lane, origin events.Origin) ([]byte, error) {
	d.Lane, d.Origin = lane, origin
	// Those who were only ever sought come by the thousand with a first load, and
	// most have no user: a real leaver does not stand behind them.
	if !d.Active && !(d.Sought && lane == events.LaneBackfill) {
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
