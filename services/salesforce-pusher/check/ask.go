package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
	"github.com/rollcall-sync/rollcall/services/salesforce-pusher/plan"
)

// margin is how far before the last reading one asks again: Salesforce stamps a
// change before others see it, and clocks differ.
const margin = 15 * time.Minute

// question is one query of a reading, and how its rows are taken in.
type question struct {
	soql string
	// kind is the kind of assignment asked for, empty for users and logins.
	kind string
	take func(s *Seen, r salesforce.Record)
}

// questions ask for all that was changed since, and for users by their ids. A
// login is stamped in User by the org itself, so its changes are told by
// LastModifiedDate, which only moves when somebody changes something; assignments
// have no other than SystemModstamp. [D]
func (c Config) questions(since time.Time, ids []string, plainUsers bool) []question {
	stamp := since.UTC().Format("2006-01-02T15:04:05Z")
	changed := func(field, user string) string {
		if len(ids) == 0 {
			return field + " >= " + stamp
		}
		return "(" + field + " >= " + stamp + " OR " + salesforce.In(user, ids) + ")"
	}
	fields := c.userFields(plainUsers)
	out := []question{
		{soql: "SELECT " + strings.Join(fields, ",") + " FROM User WHERE " + changed("LastModifiedDate", plan.FieldID), take: takeUser},
		{soql: "SELECT Id,UserId,IsFrozen FROM UserLogin WHERE " + changed("LastModifiedDate", "UserId"), take: takeLogin},
	}
	for _, k := range events.AssignmentKinds() {
		if len(c.Names[k.ID]) > 0 {
			out = append(out, c.assigned(k, changed("SystemModstamp", k.User), since))
		}
	}
	return out
}

// userFields are those that a comparison needs; plainUsers leaves out what config
// sets, for a field of it is not there.
func (c Config) userFields(plainUsers bool) []string {
	fields := []string{plan.FieldID, plan.FieldActive, plan.FieldUsername, plan.FieldProfile, plan.FieldRole}
	if plainUsers {
		return fields
	}
	for _, name := range c.Fields {
		if !slices.ContainsFunc(fields, func(f string) bool { return strings.EqualFold(f, name) }) {
			fields = append(fields, name)
		}
	}
	return fields
}

// assigned asks for assignments of one kind, as far as config knows their names.
func (c Config) assigned(k events.AssignmentKind, changed string, since time.Time) question {
	names := make([]string, 0, len(c.Names[k.ID]))
	for name := range c.Names[k.ID] {
		names = append(names, name)
	}
	slices.Sort(names)
	fields, some := []string{"Id", k.User, "SystemModstamp"}, []string{}
	for _, t := range k.Targets {
		fields = append(fields, path(t))
		some = append(some, salesforce.In(path(t), names))
	}
	return question{
		kind: k.ID,
		soql: "SELECT " + strings.Join(fields, ",") + " FROM " + k.Object + " WHERE " + changed + " AND (" + strings.Join(some, " OR ") + ")",
		take: func(s *Seen, r salesforce.Record) { takeAssignment(s, k, r, since) },
	}
}

// path is the name of what an assignment refers to, as its own query can ask for it.
func path(t events.AssignmentTarget) string { return strings.TrimSuffix(t.Field, "Id") + "." + t.Name }

func takeUser(s *Seen, r salesforce.Record) {
	u := &plan.User{ID: r.ID(), Username: r.String(plan.FieldUsername), Active: r.Bool(plan.FieldActive), Fields: make(map[string]any, len(r))}
	for name, v := range r {
		u.Fields[strings.ToLower(name)] = v
	}
	s.Users[u.ID] = u
}

func takeLogin(s *Seen, r salesforce.Record) { s.Frozen[r.String("UserId")] = r.Bool("IsFrozen") }

func takeAssignment(s *Seen, k events.AssignmentKind, r salesforce.Record, since time.Time) {
	user := r.String(k.User)
	for _, t := range k.Targets {
		relation, field, _ := strings.Cut(path(t), ".")
		target, _ := r[relation].(map[string]any)
		name, _ := target[field].(string)
		if name == "" {
			continue
		}
		if s.Assigned[user] == nil {
			s.Assigned[user] = map[string]Assignment{}
		}
		made, err := time.Parse("2006-01-02T15:04:05.000-0700", r.String("SystemModstamp"))
		s.Assigned[user][strings.ToLower(k.ID+"/"+name)] = Assignment{ID: r.ID(), Recent: err == nil && !made.Before(since)}
		return // where an assignment names two, the first is meant: a group has a set of its own
	}
}

// read asks Salesforce. All that matters travels in one API call, as long as an
// org has no more kinds of assignment than fit beside users and logins.
func (c *Checker) read(ctx context.Context, since time.Time, ids []string) (Seen, error) {
	s := Seen{Asked: map[string]bool{}, Users: map[string]*plan.User{}, Frozen: map[string]bool{}, Assigned: map[string]map[string]Assignment{}, Unread: map[string]bool{}}
	for part := range slices.Chunk(c.cfg.questions(since, ids, c.plainUsers), salesforce.MaxCompositeQueries) {
		if err := c.ask(ctx, part, &s); err != nil {
			return s, err
		}
	}
	for _, id := range ids {
		s.Asked[id] = true
	}
	return s, nil
}

func (c *Checker) ask(ctx context.Context, part []question, s *Seen) error {
	soql := make([]string, len(part))
	for i, q := range part {
		soql[i] = q.soql
	}
	within, cancel := context.WithTimeout(ctx, c.cfg.CallTimeout)
	defer cancel()
	lists, errs, err := c.client.CompositeQueries(within, soql)
	c.called(ctx, plan.OpLookup, err)
	if err != nil {
		return fmt.Errorf("read the org: %w", err)
	}
	for i, q := range part {
		switch {
		case errs[i] == nil:
			for _, r := range lists[i] {
				q.take(s, r)
			}
		case q.kind == "":
			if plan.ErrorIn(errs[i]).Kind == salesforce.KindSchema && !c.plainUsers {
				c.plainUsers = true // a field of somebody's mapping is not there; their own write says so
			}
			return fmt.Errorf("read users: %w", errs[i])
		default:
			s.Unread[q.kind] = true
			c.unread(ctx, q.kind, errs[i])
		}
	}
	return nil
}
