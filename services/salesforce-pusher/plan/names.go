package plan

import (
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// naming is what a person's names resolve to.
type naming struct {
	done bool
	ids  IDs
	// lacks is the profile or role that is not there.
	lacks *events.Failure
	// absent are desired assignments that are not there. Everything else of the
	// person is done first.
	absent map[string]bool
	// wish is what desired asks for, also what is not there.
	wish map[string][]string
	// doubted are the kinds of which a desired name has never stood for anything:
	// it may be misspelt. withheld is set where that kept something from being
	// taken away.
	doubted  map[string]bool
	withheld bool
	// foreign are names that this configuration gives to nobody.
	foreign []string
	// bars are the names that may not be given just so, barred those of them that are
	// about to be.
	bars   map[string]bar
	barred []string
}

// Add adds the names that a person's desired state uses, and those of what
// their user was given: before it can be said that it is gone, Salesforce has to
// be asked by its id, and config may not know the name any more.
func (p Naming) Add(n Names) {
	n.Add(KindProfile, p.Desired.Profile)
	n.Add(KindRole, p.Desired.Role)
	for _, name := range p.Assignments().All() {
		kind, rest, _ := strings.Cut(name, "/")
		n.Add(kind, rest)
	}
}

// Resolved takes in what the catalogue knows of the person's names, and takes out of
// desired what is not there.
func (p Naming) Resolved(c *Catalogue, o *Policy) {
	p.names.done, p.names.lacks, p.names.withheld, p.names.foreign = true, nil, false, nil
	p.names.doubted, p.names.absent = map[string]bool{}, nil
	if p.names.wish == nil { // of which more may be there the next time
		p.names.wish = p.Desired.Assignments
	}
	if p.foreign(o, KindProfile, p.Desired.Profile) || p.foreign(o, KindRole, p.Desired.Role) {
		p.names.lacks = notConfigured(p.names.foreign, "Nothing was changed. ")
		return
	}
	profile, ok := c.find(KindProfile, p.Desired.Profile)
	if !ok {
		p.names.lacks = missing("profile", p.Desired.Profile)
		return
	}
	role, ok := c.find(KindRole, p.Desired.Role)
	if !ok && p.Desired.Role != "" {
		p.names.lacks = missing("role", p.Desired.Role)
		return
	}
	p.names.ids = IDs{Profile: profile.ID, Role: role.ID}
	there := make(map[string][]string, len(p.names.wish))
	for _, k := range events.AssignmentKinds() {
		there[k.Key] = p.present(c, o, k.ID, p.names.wish[k.Key])
	}
	p.Desired.Assignments = there
	p.judge(c, o)
}

// present are those names that are there; the others are noted.
func (p Naming) present(c *Catalogue, o *Policy, kind string, list []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(name string) bool {
		_, ok := c.find(kind, name)
		if p.foreign(o, kind, name) {
			ok = false
		}
		if !ok && p.names.absent == nil {
			p.names.absent = map[string]bool{}
		}
		if !ok {
			p.names.absent[kind+"/"+name] = true
		}
		if _, had := p.Link.Assigned[kind+"/"+name]; !ok && !had && (!c.everKnew(kind, name) || slices.Contains(p.names.foreign, kind+"/"+name)) {
			p.names.doubted[kind] = true
		}
		return !ok
	})
}

// Forget drops what the catalogue knows of the names that a person's open work
// uses, and nothing else: other people's work rests on the rest. It returns the
// ids they stood for.
func (p Naming) Forget(c *Catalogue) (used string) {
	used = p.usedIDs(c)
	c.forget(KindProfile, p.Desired.Profile)
	c.forget(KindRole, p.Desired.Role)
	for _, name := range p.change.Give {
		kind, rest, _ := strings.Cut(name, "/")
		c.forget(kind, rest)
	}
	return used
}

// ResolvedAgain takes in names that were resolved once more because of a wrong id.
// Where they stand for the same as before, the refusal stands.
func (p Naming) ResolvedAgain(c *Catalogue, o *Policy, used string) {
	p.call.resolvedAgain = true
	p.Resolved(c, o)
	if p.names.lacks != nil || p.usedIDs(c) == used {
		p.doubtUser()
		return
	}
	p.planned = p.call.stale != nil && p.call.stale.Operation == OpAssign
	p.call.create, p.call.stale = nil, nil
	p.change.Give = slices.DeleteFunc(p.change.Give, func(name string) bool { return p.names.absent[name] })
	p.hold()
}

// doubtUser: a wrong id in an update may be the user's own, who may be gone: look
// before the next call.
func (p *Person) doubtUser() {
	if p.call.stale != nil && p.call.stale.Operation != OpAssign {
		p.Link.Unsure = true
	}
}

// usedIDs are all ids that a person's open work uses.
func (p Naming) usedIDs(c *Catalogue) string {
	all := p.names.ids.Profile + " " + p.names.ids.Role
	for _, name := range p.change.Give {
		t, _ := c.Target(name)
		all += " " + t.ID
	}
	return all
}

func missing(what, name string) *events.Failure {
	return &events.Failure{Cause: events.CauseMisconfigured, Operation: OpResolve, Value: name,
		Message: "The org has no " + what + " named " + name + ", or more than one. Make it in Salesforce, or correct the name in config."}
}

// foreign notes a name that this configuration gives to nobody, and says whether it is
// one. Somebody else wrote it, or under another configuration.
func (p Naming) foreign(o *Policy, kind, name string) bool {
	if name == "" || o.Holds.has(kind, name) {
		return false
	}
	p.names.foreign = append(p.names.foreign, kind+"/"+name)
	return true
}

func notConfigured(names []string, done string) *events.Failure {
	told := make([]string, len(names))
	for i, name := range names {
		kind, rest, _ := strings.Cut(name, "/")
		if one := kindOf(name).One; one != "" {
			kind = one
		}
		told[i] = kind + " " + rest
	}
	return &events.Failure{Cause: events.CauseNotConfigured, Operation: OpResolve, Value: strings.Join(told, ", "),
		Message: "The configuration of salesforce-pusher gives nobody " + strings.Join(told, ", ") + ", and so it is not given. " + done +
			"Where a new configuration is being rolled out, this passes by itself; otherwise see that salesforce-pusher runs with the configuration of assignment, or who else writes desired states."}
}

// notHeld: everything else of the person is done by now.
func notHeld(p *Person, _ *Policy) (Verdict, bool) {
	if len(p.names.foreign) == 0 {
		return Verdict{}, false
	}
	return fail(notConfigured(p.names.foreign, "Everything else was given, and nothing of its kind taken away. "))
}
