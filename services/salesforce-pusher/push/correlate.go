package push

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// matchValueMax is longer than any value Salesforce could hold in a field that
// is matched; a longer one would make the whole batch's query too long.
const matchValueMax = 512

// fieldCreator is who made a user.
const fieldCreator = "CreatedById"

// correlating finds people's users among those there are, and ties each to one
// person by its owner record.
type correlating struct{ *batch }

// users reads, in one go, every user that any of the people might have.
func (c correlating) users(ctx context.Context, tasks []*task) error {
	users, e, halted := c.read(ctx, tasks)
	if halted != nil {
		return halted
	}
	for _, t := range tasks {
		if e != nil {
			t.LookFailed(plan.OpLookup, e)
			continue
		}
		t.Account().Found(users)
	}
	if c.lane == events.LaneCheck {
		plan.HoldGone(persons(tasks))
	}
	return nil
}

// owners commits, for those whose user it is not yet, the owner record and the
// link that names the user, before anything is sent: two people whose values
// lead to one user must not both write to it.
func (c correlating) owners(ctx context.Context, tasks []*task) error {
	ids := make([]string, len(tasks))
	for i, t := range tasks {
		ids[i] = t.User().ID
	}
	owners, err := c.ledger.owners(ctx, ids)
	if err != nil {
		return noRoster(err)
	}
	var unowned, others []*task
	for i, t := range tasks {
		record := owners[ids[i]]
		if record != nil && record.Key == unreadable {
			t.Wait(30 * giveBack)
			continue
		}
		if other, ok := c.taken[ids[i]]; ok && other != t.Key {
			record = &owner{Owner: events.Owner{Key: other}}
		}
		if record != nil && record.Key != "" && record.Key != t.Key {
			t.other = record.Key
			others = append(others, t)
			continue
		}
		if !t.Account().MayOwn(&c.org.policy) {
			continue
		}
		t.owner = t.Account().Own(record.by(t))
		c.taken[ids[i]] = t.Key
		if t.owner != "" {
			unowned = append(unowned, t)
		}
	}
	if err := c.ledger.checkpoint(ctx, unowned); err != nil {
		return noRoster(err)
	}
	return noRoster(c.ledger.takeOver(ctx, others))
}

func (c correlating) read(ctx context.Context, tasks []*task) (plan.Users, *salesforce.Error, error) {
	match := c.org.policy.Match
	now := time.Now()
	q := salesforce.InQuery{From: "User", Any: terms(match, tasks)}
	var records []salesforce.Record
	var permissions []string
	fields := fieldsToRead(match, tasks)
	ask := func() (*salesforce.Error, error) {
		permissions = c.org.catalogue.Permissions(now)
		power, children := plan.PowerFields(permissions)
		q.Fields, q.Children = append(slices.Clip(fields), power...), children
		return c.caller.call(ctx, plan.OpLookup, "User", tasks, func(ctx context.Context) (err error) {
			records, err = c.caller.client.QueryIn(ctx, q)
			return err
		})
	}
	e, halted := ask()
	for reduced := false; e != nil && halted == nil && e.Kind == salesforce.KindSchema; e, halted = ask() {
		if !reduced && salesforce.MissingPermission(e) == "" {
			// A field of somebody's mapping is not there. Their own write will say
			// so; everybody else only needs what a match needs.
			fields, reduced = fieldsToRead(match, nil), true
		} else if !c.org.catalogue.Unreadable(e, now) {
			break
		}
	}
	if e != nil {
		return plan.Users{}, e, halted
	}
	session, _ := c.org.reader.Session(ctx) // whoever that is, it may ask; unknown, nobody is ours
	users := make([]*plan.User, len(records))
	for i, r := range records {
		users[i] = userFrom(r, match.ExternalField, session.UserID)
		users[i].ReadPower(r, permissions)
	}
	return plan.NewUsers(match, users), nil, nil
}

func fieldsToRead(m plan.Matcher, tasks []*task) []string {
	fields := map[string]string{}
	add := func(name string) {
		if name != "" {
			fields[strings.ToLower(name)] = name
		}
	}
	for _, name := range []string{plan.FieldUsername, plan.FieldFederation, plan.FieldEmail, plan.FieldActive, plan.FieldProfile, plan.FieldRole, fieldCreator, m.ExternalField} {
		add(name)
	}
	for _, t := range tasks {
		for name := range t.Desired.Fields {
			add(name)
		}
	}
	return slices.Sorted(maps.Values(fields))
}

func terms(m plan.Matcher, tasks []*task) []salesforce.InTerm {
	var ids []string
	for _, t := range tasks {
		if t.Link.UserID != "" {
			ids = append(ids, t.Link.UserID)
		}
	}
	out := []salesforce.InTerm{{Field: plan.FieldID, Values: ids}}
	sent := salesforce.InTerm{Field: plan.FieldUsername}
	for _, t := range tasks {
		if name := t.Link.SentUsername; name != "" {
			sent.Values = append(sent.Values, name)
		}
	}
	if len(sent.Values) > 0 {
		out = append(out, sent)
	}
	for _, rule := range m.Order {
		term := salesforce.InTerm{Field: m.Field(rule)}
		for _, t := range tasks {
			if v := m.Value(rule, t.Desired); v != "" && len(v) <= matchValueMax {
				term.Values = append(term.Values, v)
			}
		}
		out = append(out, term)
	}
	return out
}

// same says whether two ids, of 15 or 18 characters, are of one record.
func same(a, b string) bool {
	const short = 15
	return len(a) >= short && len(b) >= short && a[:short] == b[:short]
}

func userFrom(r salesforce.Record, externalField, self string) *plan.User {
	u := &plan.User{
		ID: r.ID(), Username: r.String(plan.FieldUsername), Federation: r.String(plan.FieldFederation),
		Email: r.String(plan.FieldEmail), Active: r.Bool(plan.FieldActive), Ours: same(r.String(fieldCreator), self),
		Fields: make(map[string]any, len(r)),
	}
	if externalField != "" {
		u.External = r.String(externalField)
	}
	for name, v := range r {
		u.Fields[strings.ToLower(name)] = v
	}
	return u
}
