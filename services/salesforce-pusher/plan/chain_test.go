package plan

import (
	"slices"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// way is one situation of a person and what the chain makes of it.
type way struct {
	// check is the link of the chain that has to decide.
	check  string
	person func(p *Person)
	policy func(o *Policy)
	want   Verdict
	// cause is the cause of the failure that is wanted, if one is.
	cause events.Cause
}

func refused(class salesforce.Class) *salesforce.Error {
	return &salesforce.Error{Class: class, Outcome: salesforce.NotApplied, Message: "no"}
}

// ways has at least one situation for every check.
func ways() map[string]way {
	linked := func(p *Person) { p.Link.UserID, p.Link.Active = "005", true }
	planned := func(c Change) func(p *Person) {
		return func(p *Person) { linked(p); p.planned, p.change = true, c }
	}
	found := func(u User) func(p *Person) {
		return func(p *Person) { p.lookup = lookup{done: true, user: &u} }
	}
	moved := func(to events.Key, active bool) func(p *Person) {
		return func(p *Person) { p.Link.Moved, p.Desired.Active = &events.Moved{UserID: "005", To: to}, active }
	}
	allowedTo := func(a events.Asks) func(p *Person) {
		return func(p *Person) {
			found(User{ID: "005", power: power{permissions: []string{"ManageUsers"}}})(p)
			p.Link.Allowed = &events.Allowed{Asks: a}
		}
	}
	barred := func(cause events.Cause, c Change, name string) func(p *Person) {
		return func(p *Person) {
			planned(c)(p)
			p.names.bars = map[string]bar{name: {cause: cause, told: "ManageUsers"}}
			p.hold()
		}
	}
	return map[string]way{
		"left, and the user moved": {check: "the user is another's by now", person: moved("other", false), want: Verdict{Applied: true}},
		"left, and was let go":     {check: "the user is another's by now", person: moved("", false), want: Verdict{Applied: true}},
		"back, and the user moved": {check: "the user is another's by now", person: moved("other", true), cause: events.CauseDuplicate},
		"back, and was let go":     {check: "an insert is the cheapest look-up", person: moved("", true), want: Verdict{Plan: true}},
		"a load was interrupted":   {check: "a job may still make the user", person: func(p *Person) { p.Link.Job = "750" }, want: Verdict{Need: NeedJobOver}},
		"new":                      {check: "names are not resolved", person: func(p *Person) { p.names.done = false }, want: Verdict{Need: NeedNames}},
		"a leaver needs no names":  {check: "the user is known", person: func(p *Person) { linked(p); p.names.done, p.Desired.Active = false, false }, want: Verdict{Plan: true}},
		"profile is misspelt":      {check: "profile or role is not there", person: func(p *Person) { p.names.lacks = missing("profile", "Sales") }, cause: events.CauseMisconfigured},
		"update lost":              {check: "an update got no answer", person: func(p *Person) { p.call.update = refused(salesforce.Timeout) }, want: Verdict{Need: NeedReadBack}},
		"assignment lost":          {check: "assignments got no answer", person: func(p *Person) { p.Assignments().Lost("ps/A", OpAssign, refused(salesforce.Timeout)) }, want: Verdict{Need: NeedAssignmentsBack}},
		"id wrong":                 {check: "an id was wrong", person: func(p *Person) { p.Account().UpdateRefused(refused(salesforce.Reference)) }, want: Verdict{Need: NeedNamesAgain}},
		"id wrong, asked again":    {check: "an id was wrong", person: func(p *Person) { p.Account().UpdateRefused(refused(salesforce.Reference)); p.call.resolvedAgain = true }, cause: events.CauseMisconfigured},
		"kept active":              {check: "a deactivation was refused", person: func(p *Person) { p.call.kept = refused(salesforce.Invalid) }, want: Verdict{Need: NeedFreeze}},
		"kept active, frozen":      {check: "a deactivation was refused", person: func(p *Person) { p.call.kept, p.Link.Frozen = refused(salesforce.Invalid), true }, cause: events.CauseDeactivationRefused},
		"kept active, freeze failed": {check: "a deactivation was refused", person: func(p *Person) {
			p.call.kept = refused(salesforce.Invalid)
			p.Account().NotFrozen(refused(salesforce.Locked))
		}, cause: events.CauseDeactivationRefused},
		"set refused": {check: "an assignment was refused", person: func(p *Person) { p.Assignments().GiveRefused("ps/A", refused(salesforce.Licence)) }, cause: events.CauseLicence},

		"protected by id":         {check: "the user is protected", person: linked, policy: func(o *Policy) { o.Protected = map[string]bool{"005": true} }, cause: events.CauseProtected},
		"protected by username":   {check: "the user is protected", policy: func(o *Policy) { o.Protected = map[string]bool{"ann@x.test": true} }, cause: events.CauseProtected},
		"linked":                  {check: "the user is known", person: linked, want: Verdict{Plan: true}},
		"nobody yet":              {check: "an insert is the cheapest look-up", want: Verdict{Plan: true}},
		"insert would not find":   {check: "nobody has looked", person: func(p *Person) { delete(p.Desired.Fields, FieldUsername) }, want: Verdict{Need: NeedUser}},
		"create refused":          {check: "nobody has looked", person: func(p *Person) { p.Account().NotCreated(refused(salesforce.Duplicate)) }, want: Verdict{Need: NeedUser}},
		"linked, but unsure":      {check: "nobody has looked", person: func(p *Person) { linked(p); p.Link.Unsure = true }, want: Verdict{Need: NeedUser}},
		"two fit":                 {check: "several users fit", person: func(p *Person) { p.lookup = lookup{done: true, unclear: ambiguous("two")} }, cause: events.CauseAmbiguousMatch},
		"found one on the list":   {check: "the user found is protected", person: found(User{ID: "005"}), policy: func(o *Policy) { o.Protected = map[string]bool{"005": true} }, cause: events.CauseProtected},
		"found one by name":       {check: "the user found is protected", person: found(User{ID: "005", Username: "Boss@x.test"}), policy: func(o *Policy) { o.Protected = map[string]bool{"boss@x.test": true} }, cause: events.CauseProtected},
		"left, and has no user":   {check: "nobody is to be deactivated", person: func(p *Person) { p.Desired.Active, p.lookup.done = false, true }, want: Verdict{Applied: true}},
		"left, user not active":   {check: "nobody is to be deactivated", person: func(p *Person) { p.Desired.Active = false; found(User{ID: "005"})(p) }, want: Verdict{Applied: true}},
		"left, user active":       {check: "there is a user", person: func(p *Person) { p.Desired.Active = false; found(User{ID: "005", Active: true})(p) }, want: Verdict{Need: NeedOwner}},
		"found":                   {check: "there is a user", person: found(User{ID: "005"}), want: Verdict{Need: NeedOwner}},
		"found and owned":         {check: "there is a user", person: func(p *Person) { found(User{ID: "005"})(p); p.Account().Own(nil) }, want: Verdict{Need: NeedAssignments}},
		"found, nothing assigned": {check: "there is a user", person: func(p *Person) { found(User{ID: "005"})(p); p.Account().Own(nil); p.Desired.Assignments = nil }, want: Verdict{Plan: true}},
		"found and read":          {check: "there is a user", person: func(p *Person) { found(User{ID: "005"})(p); p.Account().Own(nil); p.ownership.read = true }, want: Verdict{Plan: true}},
		"found an administrator":  {check: "the user is nobody's to take", person: found(User{ID: "005", power: power{permissions: []string{"ManageUsers"}}}), cause: events.CauseApproval},
		"left, and an administrator fits": {check: "the user is nobody's to take", person: func(p *Person) {
			p.Desired.Active = false
			found(User{ID: "005", Active: true, power: power{permissions: []string{"ManageUsers"}}})(p)
		}, cause: events.CauseApproval},
		"found whom nobody can judge":                  {check: "the user is nobody's to take", person: found(User{ID: "005", power: power{unread: true}}), cause: events.CauseApproval},
		"found one, and may be oneself":                {check: "the user is nobody's to take", person: found(User{ID: "005"}), policy: func(o *Policy) { o.SelfUnknown = true }, cause: events.CauseApproval},
		"found an administrator, and a yes":            {check: "there is a user", person: allowedTo(events.Asks{UserID: "005"}), want: Verdict{Need: NeedOwner}},
		"found an administrator, and a yes to another": {check: "the user is nobody's to take", person: allowedTo(events.Asks{UserID: "006"}), cause: events.CauseApproval},
		"found an administrator, and a yes of before": {check: "the user is nobody's to take", person: func(p *Person) {
			allowedTo(events.Asks{UserID: "005"})(p)
			p.Link.Allowed = spent(p.Link.Allowed)
		}, cause: events.CauseApproval},
		"may leave, and has no user": {check: "a deactivation is held", person: func(p *Person) { p.Desired.Held, p.lookup.done = deactivationHeld(), true }, want: Verdict{Applied: true}},
		"may leave, a create pending": {check: "a deactivation is held", person: func(p *Person) {
			p.Desired.Held, p.lookup.done, p.Link.SentUsername = deactivationHeld(), true, "ann@x.test"
			p.doubt(p.At.Add(1))
		}, want: Verdict{Later: true}},
		"may leave, nobody looked": {check: "nobody has looked", person: func(p *Person) { p.Desired.Held = deactivationHeld() }, want: Verdict{Need: NeedUser}},
		"may leave, is found":      {check: "there is a user", person: func(p *Person) { p.Desired.Held = deactivationHeld(); found(User{ID: "005"})(p) }, want: Verdict{Need: NeedOwner}},
		"create met a wrong id":    {check: "a wrong id kept the user from being made", person: func(p *Person) { p.Account().NotCreated(refused(salesforce.Reference)); p.lookup.done = true }, want: Verdict{Need: NeedNamesAgain}},
		"no licence":               {check: "a create was refused", person: func(p *Person) { p.Account().NotCreated(refused(salesforce.Licence)); p.lookup.done = true }, cause: events.CauseLicence},
		"creating off":             {check: "creating is switched off", person: func(p *Person) { p.lookup.done = true }, policy: func(o *Policy) { o.Create = false }, cause: events.CauseCreateDisabled},
		"another create pending":   {check: "another create may still be applied", person: func(p *Person) { p.lookup.done, p.Link.SentUsername = true, "old@x.test"; p.doubt(p.At.Add(1)) }, want: Verdict{Later: true}},
		"the same create pending":  {check: "there is no user", person: func(p *Person) { p.lookup.done, p.Link.SentUsername = true, "ANN@x.test"; p.doubt(p.At.Add(1)) }, want: Verdict{Plan: true}},
		"another create is past":   {check: "there is no user", person: func(p *Person) { p.lookup.done, p.Link.SentUsername = true, "old@x.test"; p.doubt(p.At) }, want: Verdict{Plan: true}},
		"looked, and nobody":       {check: "there is no user", person: func(p *Person) { p.lookup.done = true }, want: Verdict{Plan: true}},

		"to be made":         {check: "a user is to be made", person: planned(Change{Create: map[string]any{FieldActive: true}}), want: Verdict{Need: NeedCreate}},
		"to be frozen first": {check: "a user is to be frozen", person: planned(Change{Freeze: true, Update: map[string]any{FieldActive: false}}), want: Verdict{Need: NeedFreeze}},
		"username is another's": {check: "another user has the username", want: Verdict{Need: NeedHolder},
			person: func(p *Person) {
				planned(Change{Update: map[string]any{FieldUsername: "ann@x.test"}})(p)
				p.Account().UpdateRefused(&salesforce.Error{Class: salesforce.Duplicate, Kind: salesforce.KindUsername, Outcome: salesforce.NotApplied})
			}},
		"title differs":     {check: "fields differ", person: planned(Change{Update: map[string]any{"Title": "a"}, Give: []string{"ps/A"}}), want: Verdict{Need: NeedUpdate}},
		"to be let in":      {check: "a user is to be let in", person: planned(Change{Unfreeze: true, Give: []string{"ps/A"}}), want: Verdict{Need: NeedUnfreeze}},
		"a set is missing":  {check: "assignments are missing", person: planned(Change{Give: []string{"ps/A"}}), want: Verdict{Need: NeedGive}},
		"a set is too many": {check: "assignments are too many", person: planned(Change{Take: []string{"ps/B"}, Give: []string{"ps/A"}, Update: map[string]any{"Title": "a"}}), want: Verdict{Need: NeedTake}},
		"not frozen, and unsure": {check: "a user who may come back was not frozen", cause: events.CauseLocked,
			person: func(p *Person) {
				planned(Change{})(p)
				p.call.mustFreeze = true
				p.Account().NotFrozen(refused(salesforce.Locked))
			}},
		"a set stays": {check: "an assignment was not taken", cause: events.CauseLocked,
			person: func(p *Person) {
				planned(Change{Take: []string{"ps/B"}})(p)
				p.Assignments().TakeRefused("ps/B", refused(salesforce.Locked))
			}},
		"the profile is not named as privileged": {check: "the profile may not be given", cause: events.CausePrivileged,
			person: barred(events.CausePrivileged, Change{Create: map[string]any{FieldProfile: "00e"}}, "profile/P")},
		"the profile needs a yes": {check: "the profile may not be given", cause: events.CauseApproval,
			person: barred(events.CauseApproval, Change{Update: map[string]any{FieldProfile: "00e", "Title": "a"}}, "profile/P")},
		"a set is not named as privileged": {check: "a permission set may not be given", cause: events.CausePrivileged,
			person: barred(events.CausePrivileged, Change{Give: []string{"ps/A"}}, "ps/A")},
		"a set needs a yes": {check: "a permission set may not be given", cause: events.CauseApproval,
			person: barred(events.CauseApproval, Change{Give: []string{"ps/A"}}, "ps/A")},
		"a set needs a yes, and another is missing": {check: "assignments are missing", want: Verdict{Need: NeedGive},
			person: barred(events.CauseApproval, Change{Give: []string{"ps/A", "ps/B"}}, "ps/A")},
		"a set is not the configuration's": {check: "a name is not in the configuration", cause: events.CauseNotConfigured,
			person: func(p *Person) {
				planned(Change{})(p)
				p.names.foreign, p.names.absent = []string{"ps/A"}, map[string]bool{"ps/A": true}
			}},
		"a set does not exist": {check: "a permission set or group is not there", cause: events.CauseGroupMapping,
			person: func(p *Person) { planned(Change{})(p); p.names.absent = map[string]bool{"ps/Gone": true} }},
		"nothing is left": {check: "all is as desired", person: planned(Change{}), want: Verdict{Applied: true}},
	}
}

func (w way) make() (*Person, *Policy) {
	p := New(State{Key: "k", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Revision: 7, Desired: events.Desired{Active: true, Hash: "h", Profile: "P",
		Match: events.Match{Username: "ann@x.test"}, Fields: map[string]any{FieldUsername: "ann@x.test"}, Assignments: map[string][]string{"permissionSets": {"A"}}}})
	p.names.done = true
	o := &Policy{Match: Matcher{Order: []string{MatchUsername}}, Create: true, Update: true, Deactivate: true}
	if w.person != nil {
		w.person(p)
	}
	if w.policy != nil {
		w.policy(o)
	}
	return p, o
}

func TestTheChainDecides(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	for name, w := range ways() {
		p, o := w.make()
		by := decidedBy(p, o)
		met[by] = true
		v := p.Decide(o)
		if by != w.check {
			t.Errorf("%s: decided by %q, want %q", name, by, w.check)
		}
		if w.cause != "" && (v.Fail == nil || v.Fail.Cause != w.cause) {
			t.Errorf("%s: %+v, want a failure for %s", name, v, w.cause)
		}
		if w.cause == "" && v != w.want {
			t.Errorf("%s: %+v, want %+v", name, v, w.want)
		}
		if again := p.Decide(o); again.Need != v.Need || again.Plan != v.Plan || again.Applied != v.Applied || again.Later != v.Later {
			t.Errorf("%s: asked again, the chain says %+v after %+v: a decision changed something", name, again, v)
		}
	}
	for _, c := range slices.Concat(chain(), correlation()) {
		if !met[c.name] && c.name != "nothing is planned" {
			t.Errorf("no situation here is decided by %q", c.name)
		}
	}
}

// decidedBy names the innermost check that decides.
func decidedBy(p *Person, o *Policy) string {
	for _, c := range chain() {
		if _, ok := c.decide(p, o); !ok {
			continue
		}
		if c.name != "nothing is planned" {
			return c.name
		}
		for _, m := range correlation() {
			if _, ok := m.decide(p, o); ok {
				return m.name
			}
		}
	}
	return ""
}

func TestEveryNeedIsMetInOrder(t *testing.T) {
	t.Parallel()
	asked := map[Need]bool{NeedNothing: true}
	for _, w := range ways() {
		p, o := w.make()
		asked[p.Decide(o).Need] = true
	}
	needs := Needs()
	if !slices.IsSorted(needs) || slices.Contains(needs, NeedNothing) {
		t.Errorf("needs %v, want all but nothing, in order", needs)
	}
	if len(needs) != len(asked)-1 {
		t.Errorf("%d needs are met of %d", len(needs), len(asked)-1)
	}
	for _, n := range needs {
		if !asked[n] {
			t.Errorf("nobody here needs %d", n)
		}
	}
}

// TestWhoHasEndedNeedsNothing: a fate is final within a step.
func TestWhoHasEndedNeedsNothing(t *testing.T) {
	t.Parallel()
	for name, w := range ways() {
		p, o := w.make()
		p.Fence()
		if n := p.Next(o); n != NeedNothing || p.Fate() != Fenced {
			t.Errorf("%s, fenced: needs %d, fate %s", name, n, p.Fate())
		}
	}
}

// TestStoppingKeepsWhatIsKnown: where no more calls can be made, what is done is
// done, what was refused for their own sake stands, and nobody else fails.
func TestStoppingKeepsWhatIsKnown(t *testing.T) {
	t.Parallel()
	want := map[string]Fate{
		"nothing is left": Applied, "a set does not exist": Failed, "kept active": Failed, "kept active, frozen": Failed,
		"set refused": Failed, "title differs": Open, "new": Open, "no licence": Open, "update lost": Open, "id wrong": Open,
	}
	for name, fate := range want {
		p, o := ways()[name].make()
		if p.call.kept != nil || p.call.fault != nil {
			p.planned = true // such refusals come of what was planned
		}
		if p.Stop(o); p.Fate() != fate {
			t.Errorf("%s: %s, want %s", name, p.Fate(), fate)
		}
	}
	p, o := ways()["id wrong"].make()
	if p.Stop(o); !p.Link.Unsure {
		t.Error("a wrong id may be the user's own, and yet the next look-up is not asked for")
	}
}
