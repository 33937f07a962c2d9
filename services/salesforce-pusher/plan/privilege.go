package plan

import (
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// Privileged is what configuration says of what makes an administrator.
type Privileged struct {
	// Names may be given to anybody at all, by kind.
	Names Names
	// Ask wants an admin's yes for each person all the same.
	Ask bool
}

// objectPermissionSet is the object whose records permit something, profiles apart; in
// those that belong to a group is what the whole group permits.
const objectPermissionSet = "PermissionSet"

// power is what a name, or a user, permits of what makes an administrator.
type power struct {
	// permissions are those it is known to have.
	permissions []string
	// unread says that Salesforce did not say.
	unread bool
}

func (w power) any() bool { return w.unread || len(w.permissions) > 0 }

// told is what an admin is told of it.
func (w power) told() string {
	if w.unread {
		return "Salesforce does not say what it permits, and so it counts as administrative"
	}
	return strings.Join(w.permissions, ", ")
}

// sight is how much of what names permit can be read in an org.
type sight struct {
	// lacks are the permissions for which the org has no field: nobody there has them.
	lacks map[string]bool
	// groupless is set where nothing can be asked of permission set groups, blind where
	// nothing can be asked of anything.
	groupless, blind bool
	at               time.Time
}

// Permissions are what to ask profiles and permission sets for, none where they cannot be
// asked. What could not be asked is tried again after a while.
func (c *Catalogue) Permissions(now time.Time) []string {
	if (c.sight.blind || c.sight.groupless) && now.Sub(c.sight.at) >= catalogueTTL {
		c.sight = sight{lacks: c.sight.lacks}
	}
	if c.sight.blind {
		return nil
	}
	return slices.DeleteFunc(salesforce.AdministrativePermissions(), func(p string) bool { return c.sight.lacks[p] })
}

// Unreadable takes in that a query which asked for permissions was refused, and says
// whether to ask again for less. A permission without a field is one that the edition does
// not have; but where the first of them is hidden, nothing is known of any.
func (c *Catalogue) Unreadable(e *salesforce.Error, now time.Time) bool {
	if e == nil || e.Kind != salesforce.KindSchema || c.sight.blind {
		return false
	}
	c.sight.at = now
	p := salesforce.MissingPermission(e)
	switch {
	case p == salesforce.PermissionCore:
		c.sight.blind = true
	case p != "" && !c.sight.lacks[p]:
		if c.sight.lacks == nil {
			c.sight.lacks = map[string]bool{}
		}
		c.sight.lacks[p] = true
	case !c.sight.groupless:
		c.sight.groupless = true
	default:
		c.sight.blind = true
	}
	return true
}

// permits completes a query of profiles or permission sets by what they permit; groups
// are the names that may be those of permission set groups.
func (c *Catalogue) permits(q Query, object, where string, names []string, now time.Time) Query {
	permissions := c.Permissions(now)
	if len(permissions) == 0 {
		return q
	}
	q.permissions = permissions
	fields := "Id," + q.nameField
	if object == objectPermissionSet && !c.sight.groupless {
		fields += ",PermissionSetGroupId"
		where = "(" + where + ") OR " + salesforce.In("PermissionSetGroup.DeveloperName", names)
	}
	q.SOQL = "SELECT " + fields + "," + strings.Join(permissions, ",") + " FROM " + object + " WHERE " + where
	return q
}

// learnPower takes in what a record permits: its own name, or the group to which it
// belongs, where that is what it stands for.
func (c *Catalogue) learnPower(q Query, r salesforce.Record, t *Target) (ofGroup bool) {
	w := power{permissions: salesforce.Permitted(r, "", q.permissions), unread: len(q.permissions) == 0}
	group := r.String("PermissionSetGroupId")
	if group == "" {
		t.power = w
		return false
	}
	for at, known := range c.known {
		if known.ID == group {
			known.power = w
			c.known[at] = known
		}
	}
	return true
}

// bar is why a name is not given to a person.
type bar struct {
	cause events.Cause
	told  string
}

// barOf is why a name must not be given, false where nothing speaks against it.
func (o *Policy) barOf(c *Catalogue, kind, name string) (bar, bool) {
	t, _ := c.find(kind, name)
	switch {
	case name == "" || !t.power.any():
		return bar{}, false
	case !o.Privileged.Names.has(kind, name):
		return bar{events.CausePrivileged, t.power.told()}, true
	case o.Privileged.Ask:
		return bar{events.CauseApproval, t.power.told()}, true
	}
	return bar{}, false
}

// judge notes which of the names of desired may not be given just so.
func (p Naming) judge(c *Catalogue, o *Policy) {
	p.names.bars = map[string]bar{}
	add := func(kind, name string) {
		if b, barred := o.barOf(c, kind, name); barred {
			p.names.bars[kind+"/"+name] = b
		}
	}
	add(KindProfile, p.Desired.Profile)
	for _, name := range assignments(p.Desired) {
		kind, rest, _ := strings.Cut(name, "/")
		add(kind, rest)
	}
}

// hold takes out of a change what may not be given just so; what the user has already is
// not given. A profile that may not be given keeps everything else back too: it decides
// what else the user may have.
func (p *Person) hold() {
	p.names.barred = nil
	_, made := p.change.Create[FieldProfile]
	_, moves := p.change.Update[FieldProfile]
	if profile := KindProfile + "/" + p.Desired.Profile; made || moves {
		p.holdOne(profile)
	}
	p.change.Give = slices.DeleteFunc(p.change.Give, p.holdOne)
}

func (p *Person) holdOne(name string) bool {
	b, barred := p.names.bars[name]
	if !barred || b.cause == events.CauseApproval && p.allowed(events.Asks{Grants: []string{name}}) {
		return false
	}
	p.names.barred = append(p.names.barred, name)
	return true
}

// allowed says whether an admin said yes to all of it.
func (p *Person) allowed(a events.Asks) bool {
	yes := p.Link.Allowed
	return yes != nil && !yes.Used && a.Within(yes.Asks)
}

// profileHeld: nothing is sent for somebody who would get a profile that may not be given.
func profileHeld(p *Person, _ *Policy) (Verdict, bool) {
	if !slices.Contains(p.names.barred, KindProfile+"/"+p.Desired.Profile) {
		return Verdict{}, false
	}
	return fail(p.barFailure())
}

// setsHeld: everything else is done by now.
func setsHeld(p *Person, _ *Policy) (Verdict, bool) {
	if len(p.names.barred) == 0 {
		return Verdict{}, false
	}
	return fail(p.barFailure())
}

// barFailure says what was not given, and what to do. What configuration has to name
// comes first: a yes would not help.
func (p *Person) barFailure() *events.Failure {
	var unnamed, ask []string
	for _, name := range p.names.barred {
		if p.names.bars[name].cause == events.CausePrivileged {
			unnamed = append(unnamed, name)
		} else {
			ask = append(ask, name)
		}
	}
	if len(unnamed) > 0 {
		return &events.Failure{Cause: events.CausePrivileged, Operation: OpResolve, Value: strings.Join(unnamed, ", "),
			Message: "Makes an administrator, and is not named under push.privileged: " + p.tellAll(unnamed) +
				". It is not given. If it is meant, add it to orgs." + p.Desired.Org + ".push.privileged (profiles, or permissionSets for permission sets and their groups) and retry; if not, correct the rule that gives it."}
	}
	return p.approval(events.Asks{Grants: ask}, "would get what makes an administrator: "+p.tellAll(ask))
}

func (p *Person) tellAll(names []string) string {
	told := make([]string, len(names))
	for i, name := range names {
		kind, rest, _ := strings.Cut(name, "/")
		what := "profile"
		if kind != KindProfile {
			what = kindOf(name).One
		}
		told[i] = what + " " + rest + " (" + p.names.bars[name].told + ")"
	}
	return strings.Join(told, "; ")
}

// approval is the failure of somebody for whom an admin has to say yes.
func (p *Person) approval(asks events.Asks, why string) *events.Failure {
	return &events.Failure{Cause: events.CauseApproval, Operation: OpResolve, Asks: &asks,
		Message: "This person " + why + ". If this human is meant to have it, say so: `rollcall person allow " + string(p.Key) + " --org " + p.Desired.Org +
			" --reason …`. If not, correct HR or the rule, and discard this."}
}

// adoption: an existing user of some weight becomes nobody's because an event says so.
func adoption(p *Person, o *Policy) (Verdict, bool) {
	u := p.lookup.user
	if u == nil || p.Link.UserID != "" || p.madeJustNow(u) {
		return Verdict{}, false
	}
	why := o.weight(u)
	asks := events.Asks{UserID: u.ID}
	if why == "" || p.allowed(asks) {
		return Verdict{}, false
	}
	for name, b := range p.names.bars { // one yes does for all that follows
		if b.cause == events.CauseApproval {
			asks.Grants = append(asks.Grants, name)
		}
	}
	slices.Sort(asks.Grants)
	return fail(p.approval(asks, "would have the existing Salesforce user "+u.ID+", which "+why))
}

// madeJustNow says whether a user has exactly what our create sent, whose answer was lost.
func (p *Person) madeJustNow(u *User) bool {
	return p.createLost() && len(planExisting(p.Desired, p.Link, u, p.names.ids, false).Update) == 0
}

// weight is what speaks against taking a user just so, empty for nothing.
func (o *Policy) weight(u *User) string {
	switch {
	case o.SelfUnknown:
		return "may be the integration user: neither its token nor userinfo says as whom Rollcall signs in (give the app the scope id)"
	case u.power.unread:
		return "may be an administrator: Salesforce does not say what it may do"
	case len(u.power.permissions) > 0:
		return "has administrative permissions: " + u.power.told()
	}
	return ""
}

// MayOwn says whether a user of nobody's may become the person's. One that carries a
// federation id is somebody else's where the person has none, unless an admin says
// otherwise; the attempt has ended then.
func (p Account) MayOwn(o *Policy) bool {
	u := p.lookup.user
	foreign := u.Federation != "" && p.Desired.Match.FederationID == "" && slices.Contains(o.Match.Order, MatchFederationID)
	asks := events.Asks{UserID: u.ID}
	if !foreign || p.Link.UserID != "" || p.madeJustNow(u) || p.allowed(asks) {
		return true
	}
	p.Fail(p.approval(asks, "would have the existing Salesforce user "+u.ID+", which carries a federation id, where this person has none"))
	return false
}

// PowerFields are what a look for a user reads of what they may do; none where it cannot
// be read.
func PowerFields(permissions []string) (fields, children []string) {
	if len(permissions) == 0 {
		return nil, nil
	}
	either := make([]string, len(permissions))
	for i, p := range permissions {
		fields = append(fields, "Profile."+p)
		either[i] = objectPermissionSet + "." + p + " = true"
	}
	return fields, []string{"(SELECT PermissionSet.Name FROM PermissionSetAssignments WHERE " + strings.Join(either, " OR ") + ")"}
}

// ReadPower takes in what a user may do, as PowerFields asked.
func (u *User) ReadPower(r salesforce.Record, permissions []string) {
	u.power = power{permissions: salesforce.Permitted(r, "Profile.", permissions), unread: len(permissions) == 0}
	sets, _ := r.Value("PermissionSetAssignments").(map[string]any)
	list, _ := sets["records"].([]any)
	for _, one := range list {
		if m, ok := one.(map[string]any); ok {
			u.power.permissions = append(u.power.permissions, "permission set "+salesforce.Record(m).String("PermissionSet.Name"))
		}
	}
}
