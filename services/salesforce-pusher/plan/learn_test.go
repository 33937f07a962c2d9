package plan

import (
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// somebody is a person who should be active, with a user where id is one.
func somebody(id string) (*Person, *Policy) {
	return way{person: func(p *Person) {
		p.At = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
		p.lateUntil = p.At.Add(time.Hour)
		p.Link.UserID, p.Link.Active = id, id != ""
	}}.make()
}

// unanswered is a call of which nobody knows whether it was applied.
func unanswered() *salesforce.Error {
	return &salesforce.Error{Class: salesforce.Timeout, Outcome: salesforce.MaybeApplied, Message: "no answer"}
}

// users are some as read, by the username that somebody has.
func (o *Policy) users(list ...*User) Users { return NewUsers(o.Match, list) }

func wantCause(t *testing.T, p *Person, cause events.Cause) {
	t.Helper()
	if p.Fate() != Failed || p.Failure() == nil || p.Failure().Cause != cause {
		t.Errorf("%s for %+v, want a failure for %s", p.Fate(), p.Failure(), cause)
	}
}

// TestALookEndsTheDoubtOnlyWhereItMay: a user who is not there may still be made
// by a call without an answer, and of one who is there more has to be read.
func TestALookEndsTheDoubtOnlyWhereItMay(t *testing.T) {
	t.Parallel()
	ann := &User{ID: "005", Username: "ann@x.test"}
	for name, c := range map[string]struct {
		unsure, lost bool
		found        *User
		want         bool
	}{
		"nobody":                            {want: false},
		"nobody, and it was unsure":         {unsure: true, want: false},
		"nobody, and a create got lost":     {lost: true, want: true},
		"a user":                            {found: ann, want: false},
		"a user, and it was unsure":         {unsure: true, found: ann, want: true},
		"a user, whose create got no reply": {lost: true, found: ann, want: true},
	} {
		p, o := somebody("")
		p.Link.Unsure = c.unsure
		if c.lost {
			p.Account().NotCreated(unanswered())
		}
		users := o.users()
		if c.found != nil {
			users = o.users(c.found)
		}
		p.Account().Found(users)
		if p.Link.Unsure != c.want || p.User() != c.found {
			t.Errorf("%s: unsure %v, user %+v", name, p.Link.Unsure, p.User())
		}
	}
}

// TestAUserWhoIsGoneIsLookedForByTheRules: the org behind the name was replaced,
// say. What the link knew of another user says nothing of this one.
func TestAUserWhoIsGoneIsLookedForByTheRules(t *testing.T) {
	t.Parallel()
	p, o := somebody("005old")
	p.Link.Frozen, p.Link.Unsure = true, true
	p.Link.FieldHashes, p.Link.Assigned = map[string]string{"Title": "x"}, map[string]string{"ps/A": "0Pa"}
	p.Account().Found(o.users(&User{ID: "005new", Username: "ann@x.test"}))
	if p.User() == nil || p.User().ID != "005new" || p.Link.UserID != "" || p.Link.Active || p.Link.Frozen || p.Link.FieldHashes != nil || p.Link.Assigned != nil {
		t.Errorf("found %+v, link %+v", p.User(), p.Link)
	}
	kept, o := somebody("005")
	kept.Account().Found(o.users(&User{ID: "005", Username: "renamed@x.test"}, &User{ID: "006", Username: "ann@x.test"}))
	if u := kept.User(); u == nil || u.ID != "005" {
		t.Errorf("a known user goes before the rules: found %+v", u)
	}
}

func TestAUserHasOneOwner(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		owner *events.Owner
		lost  bool   // a create of ours got no answer
		title string // of the user found
		by    string
		made  bool
	}{
		"nobody's":                          {title: "a", by: ByAdopted},
		"ours, made by us":                  {owner: &events.Owner{Key: "k", By: byCreated}, made: true},
		"ours, adopted":                     {owner: &events.Owner{Key: "k", By: ByAdopted}},
		"made by the create that got lost":  {lost: true, title: "a", by: byCreated, made: true},
		"there before the create, differs":  {lost: true, title: "b", by: ByAdopted},
		"not ours, as it happens all right": {title: "a", by: ByAdopted},
	} {
		p, o := somebody("")
		p.Desired.Fields["Title"] = "a"
		p.names.ids = IDs{}
		if c.lost {
			p.Account().NotCreated(unanswered())
		}
		u := &User{ID: "005", Username: "ann@x.test", Active: true, Fields: map[string]any{"username": "ann@x.test", "title": c.title}}
		p.Account().Found(o.users(u))
		by := p.Account().Own(c.owner)
		if by != c.by || p.ownership.made != c.made || !p.ownership.linked || !p.ownership.fresh || p.Link.UserID != "005" || !p.Link.Active {
			t.Errorf("%s: owner's record says %q, %+v, link %+v", name, by, p.ownership, p.Link)
		}
	}
}

func TestARefusedCreateIsExplainedByALook(t *testing.T) {
	t.Parallel()
	p, o := somebody("")
	p.Next(o)
	p.lookup = lookup{done: true}
	p.Account().NotCreated(refused(salesforce.Duplicate))
	if n := p.Next(o); n != NeedUser || p.Link.Unsure {
		t.Errorf("needs %d, unsure %v; want a look and no doubt", n, p.Link.Unsure)
	}
	p.LookFailed(OpLookup, refused(salesforce.Unavailable))
	wantCause(t, p, events.CauseDuplicate) // the refusal stands where the look cannot be had
	lost, o := somebody("")
	lost.Next(o)
	lost.Account().NotCreated(unanswered())
	if !lost.Link.Unsure || lost.Link.SentUsername != "ann@x.test" || !lost.Link.UnsureUntil.Equal(lost.lateUntil) {
		t.Errorf("a lost create leaves no doubt: %+v", lost.Link)
	}
	lost.LookFailed(OpLookup, refused(salesforce.Invalid))
	wantCause(t, lost, events.CauseTimeout)
	other, _ := somebody("005")
	other.LookFailed(OpLookup, refused(salesforce.Forbidden))
	wantCause(t, other, events.CauseForbidden)
}

// TestARefusedUpdateMeansWhatItSays has every kind of refusal, of a deactivation
// and of another update.
func TestARefusedUpdateMeansWhatItSays(t *testing.T) {
	t.Parallel()
	title, leave := map[string]any{"Title": "a"}, map[string]any{FieldActive: false}
	both := map[string]any{FieldActive: false, "Title": "a"}
	status := func(n int) *salesforce.Error {
		return &salesforce.Error{Class: salesforce.Unknown, Status: n, Outcome: salesforce.NotApplied, Message: "no"}
	}
	for name, c := range map[string]struct {
		update map[string]any
		e      *salesforce.Error
		again  bool // names were resolved again
		need   Need
		cause  events.Cause
		op     string
		unsure bool
	}{
		"title refused":                      {update: title, e: refused(salesforce.Invalid), cause: events.CauseInvalid, op: OpUpdate},
		"user gone":                          {update: title, e: refused(salesforce.NotFound), cause: events.CauseUnknown, op: OpUpdate, unsure: true},
		"user deleted":                       {update: leave, e: refused(salesforce.Deleted), cause: events.CauseUnknown, op: OpDeactivate, unsure: true},
		"wrong id":                           {update: title, e: refused(salesforce.Reference), need: NeedNamesAgain},
		"wrong id, though asked again":       {update: title, e: refused(salesforce.Reference), again: true, cause: events.CauseMisconfigured, op: OpUpdate, unsure: true},
		"kept active":                        {update: leave, e: refused(salesforce.Invalid), need: NeedFreeze},
		"kept active, by no known code":      {update: leave, e: status(400), need: NeedFreeze},
		"kept active, by a record's result":  {update: leave, e: status(0), need: NeedFreeze},
		"refused by a server that is broken": {update: leave, e: status(500), cause: events.CauseUnknown, op: OpDeactivate},
		"locked while leaving":               {update: leave, e: refused(salesforce.Locked), cause: events.CauseLocked, op: OpDeactivate},
		"leaving beside something else":      {update: both, e: refused(salesforce.Invalid), cause: events.CauseInvalid, op: OpDeactivate},
	} {
		p, o := somebody("005")
		p.planned, p.change.Update, p.call.resolvedAgain = true, c.update, c.again
		p.Account().UpdateRefused(c.e)
		if c.cause != "" {
			wantCause(t, p, c.cause)
			if p.Failure() != nil && p.Failure().Operation != c.op || p.Link.Unsure != c.unsure {
				t.Errorf("%s: %+v, unsure %v", name, p.Failure(), p.Link.Unsure)
			}
		} else if n := p.Next(o); n != c.need {
			t.Errorf("%s: needs %d, want %d", name, n, c.need)
		}
	}
}

// TestWhatConfigForbidsIsRefused: each switch by itself, and nothing more.
func TestWhatConfigForbidsIsRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		active    bool
		change    Change
		forbid    func(o *Policy)
		cause     events.Cause
		operation string
	}{
		"a deactivation": {change: Change{Update: map[string]any{FieldActive: false}},
			forbid: func(o *Policy) { o.Deactivate = false }, cause: events.CauseDeactivateDisabled, operation: OpDeactivate},
		"a deactivation, updates are off": {change: Change{Update: map[string]any{FieldActive: false}}, forbid: func(o *Policy) { o.Update = false }},
		"a field":                         {active: true, change: Change{Update: map[string]any{"Title": "a"}}, forbid: func(o *Policy) { o.Update = false }, cause: events.CauseUpdateDisabled, operation: OpUpdate},
		"an assignment":                   {active: true, change: Change{Give: []string{"ps/A"}}, forbid: func(o *Policy) { o.Update = false }, cause: events.CauseUpdateDisabled, operation: OpUpdate},
		"a removal":                       {active: true, change: Change{Take: []string{"ps/A"}}, forbid: func(o *Policy) { o.Update = false }, cause: events.CauseUpdateDisabled, operation: OpUpdate},
		"an unfreeze":                     {active: true, change: Change{Unfreeze: true}, forbid: func(o *Policy) { o.Update = false }, cause: events.CauseUpdateDisabled, operation: OpUpdate},
		"nothing":                         {active: true, forbid: func(o *Policy) { o.Update = false }},
		"a field, deactivating is off":    {active: true, change: Change{Update: map[string]any{"Title": "a"}}, forbid: func(o *Policy) { o.Deactivate = false }},
	} {
		_, o := somebody("005")
		c.forbid(o)
		f := forbidden(events.Desired{Active: c.active}, c.change, o)
		if c.cause == "" && f != nil || c.cause != "" && (f == nil || f.Cause != c.cause || f.Operation != c.operation) {
			t.Errorf("%s: %+v, want %s", name, f, c.cause)
		}
	}
}

// TestAFreezeIsRemembered: one that perhaps took effect has to be lifted when the
// person comes back, and one without an answer may still come.
func TestAFreezeIsRemembered(t *testing.T) {
	t.Parallel()
	p, _ := somebody("005")
	p.Account().NotFrozen(refused(salesforce.Forbidden))
	if p.Link.FreezeLost || p.Link.Unsure || p.call.freeze != nil {
		t.Errorf("a refused precaution: %+v", p.Link)
	}
	p.Account().NotFrozen(unanswered())
	if !p.Link.FreezeLost || !p.Link.Unsure {
		t.Errorf("a lost freeze is forgotten: %+v", p.Link)
	}
	p.Account().FrozenIs(false, false)
	if !p.Link.FreezeLost {
		t.Error("it may still take effect, and is taken for lifted")
	}
	p.At = p.lateUntil
	if p.Account().FrozenIs(false, true); p.Link.Frozen || p.Link.FreezeLost {
		t.Error("frozen although it was lifted when nothing could come any more")
	}
	must, _ := somebody("005")
	must.call.mustFreeze = true
	must.Account().NotFrozen(refused(salesforce.Forbidden))
	if must.call.freeze == nil || must.call.freeze.Cause != events.CauseForbidden {
		t.Errorf("somebody who may come back was not shut out, for %+v", must.call.freeze)
	}
	in, _ := somebody("005")
	in.Account().NotUnfrozen(unanswered())
	wantCause(t, in, events.CauseTimeout)
	if !in.Link.Unsure {
		t.Error("a lost unfreeze leaves no doubt")
	}
}

// TestTheLinkInTheMiddleOfAStep is what another worker finds who takes over.
func TestTheLinkInTheMiddleOfAStep(t *testing.T) {
	t.Parallel()
	p, _ := somebody("")
	p.Link.AppliedHash = "h"
	c := events.Claim{Worker: "me", Revision: 7}
	if l := p.Interim(c); l.AppliedHash != "h" || l.Claim == nil || l.Claim.Worker != "me" || l.Key != "k" || l.SentUsername != "ann@x.test" {
		t.Errorf("before the first call: %+v", l)
	}
	p.Touched()
	if l := p.Interim(c); l.AppliedHash != "" {
		t.Error("a call was sent, and what was applied before still counts")
	}
	p.Link.UnsureUntil, p.Link.SentUsername = p.At.Add(time.Hour), "before@x.test"
	if l := p.Interim(c); l.SentUsername != "before@x.test" {
		t.Errorf("a user may still be made as before@x.test, and is looked for as %s", l.SentUsername)
	}
	known, _ := somebody("005")
	if l := known.Interim(c); l.SentUsername != "" {
		t.Errorf("their user is known, and looked for as %s", l.SentUsername)
	}
}
