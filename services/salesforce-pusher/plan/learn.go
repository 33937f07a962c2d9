package plan

import (
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// Who made a user, as its owner record says.
const (
	byCreated = "created"
	// ByAdopted says that the user was there before.
	ByAdopted = "adopted"
)

// reconcile sets what is to be done, and refuses what config forbids.
func (p *Person) reconcile(o *Policy) {
	p.planned = true
	if p.Link.UserID == "" {
		p.change = planCreate(p.Desired, p.names.ids)
		p.hold()
		return
	}
	u := p.lookup.user
	if u != nil {
		p.Link.Unsure = false // everything has been read
	}
	if u != nil && p.ownership.made && u.Fields[strings.ToLower(FieldRole)] != nil {
		// Whatever role a user of ours has, we gave it, even if the answer got lost.
		p.Link.FieldHashes = withRole(p.Link.FieldHashes)
	}
	p.change = planExisting(p.Desired, p.Link, u, p.names.ids, o.FreezeFirst)
	p.leaveAlone()
	p.withhold()
	p.holdBack()
	p.hold()
	if !p.Desired.Active && p.late() && o.Deactivate {
		// A call without an answer may let them in again: out of its reach is only
		// another object.
		p.change.Freeze, p.call.mustFreeze = !p.call.freezeTried, true
	}
	if p.Desired.Active {
		p.keepHashes()
	}
	if f := forbidden(p.Desired, p.change, o); f != nil {
		p.Fail(f)
		return
	}
	switch {
	case !p.ownership.fresh:
	case p.ownership.made:
		p.act(actCreated)
	default:
		p.act(actAdopted)
	}
}

// withhold leaves assignments with the user for whose removal nothing speaks yet:
// what is desired but not there any more; and, while a name of their kind has
// never stood for anything, all of the kind. A misspelt name takes nothing away.
func (p *Person) withhold() {
	p.change.Take = slices.DeleteFunc(p.change.Take, func(name string) bool {
		kept := p.names.doubted[kindOf(name).ID]
		p.names.withheld = p.names.withheld || kept
		return kept || p.names.absent[name]
	})
}

// forbidden is why config does not let a change be made to an existing user.
func forbidden(d events.Desired, c Change, o *Policy) *events.Failure {
	_, setsActive := c.Update[FieldActive]
	switch {
	case !d.Active && setsActive && !o.Deactivate:
		return &events.Failure{Cause: events.CauseDeactivateDisabled, Operation: OpDeactivate,
			Message: "The person should not be active any more, and config forbids deactivating in this org (push.deactivate)."}
	case d.Active && c.modifies() && !o.Update:
		return &events.Failure{Cause: events.CauseUpdateDisabled, Operation: OpUpdate,
			Message: "The person's Salesforce user differs from what is desired, and config forbids updating in this org (push.update)."}
	}
	return nil
}

// someValue is the hash of a field that Rollcall set, to a value that is not known.
const someValue = "?"

// withRole marks the role as given by Rollcall, with a value not known.
func withRole(hashes map[string]string) map[string]string {
	out := make(map[string]string, len(hashes)+1)
	maps.Copy(out, hashes)
	if out[FieldRole] == "" {
		out[FieldRole] = someValue
	}
	return out
}

// keepHashes notes the fields that are right already, and forgets those that
// are not managed any more.
func (p *Person) keepHashes() {
	wanted := wantedFields(p.Desired, p.Link, p.names.ids)
	kept := make(map[string]string, len(wanted))
	for name, v := range wanted {
		if _, changes := p.change.Update[name]; !changes {
			kept[name] = hashValue(v)
		} else if h, ok := p.Link.FieldHashes[name]; ok {
			kept[name] = h
		}
	}
	p.Link.FieldHashes = kept
}

// JobIs notes the job of the Bulk API that may make the person's user, empty
// once it is over.
func (p *Person) JobIs(id string) { p.Link.Job = id }

// Found takes in the users that were read to find the person's own.
func (p Account) Found(users Users) {
	p.lookup = lookup{done: true}
	p.Link.Seen = p.At.UTC()
	p.lookup.user, p.lookup.unclear = p.among(users)
	// Of a user found, more has to be read; where there is none, only a create
	// without an answer keeps the doubt.
	p.Link.Unsure = p.Link.Unsure && p.lookup.user != nil || p.createLost()
}

// among is the user a person has among those read. A known id goes before
// the rules; one that is gone means another org behind the same name, so the
// rules decide anew.
func (p Account) among(users Users) (*User, *events.Failure) {
	if p.Link.UserID != "" {
		if u := users.byID[p.Link.UserID]; u != nil {
			return u, nil
		}
		p.gone = p.Link.UserID
		p.unlink()
	}
	candidates := users.candidates(p.Desired)
	if !p.Desired.Active && !slices.ContainsFunc(candidates, func(u *User) bool { return u.Active }) {
		candidates = nil // whosever they are, nobody is to be deactivated
	}
	u, unclear := users.matcher.match(p.Desired, candidates)
	if u != nil || unclear != nil {
		return u, unclear
	}
	return p.lateCreated(users)
}

// LookFailed takes in that Salesforce could not be asked for something that has
// to be known. Where that would have explained a refused create, the refusal
// stands.
func (p *Person) LookFailed(operation string, e *salesforce.Error) {
	if p.call.create != nil {
		p.Fail(judged(p.call.create, OpCreate))
		return
	}
	p.Fail(judged(e, operation))
}

// Own takes the user found as the person's; record is whose it is so far, nil for
// nobody's, and nobody else's ([Account.Takes]). It returns what the owner record has
// to say, empty where it is the person's already.
func (p Account) Own(record *events.Owner) (by string) {
	u := p.lookup.user
	p.ownership.linked, p.ownership.fresh = true, p.Link.UserID == ""
	p.Link.UserID, p.Link.Active, p.Link.Moved = u.ID, u.Active, nil
	p.ownership.ours = u.Ours || record != nil && !p.ownership.fresh && p.Link.AppliedRevision > 0
	if record != nil {
		p.ownership.made = record.By == byCreated
		return ""
	}
	p.ownership.made = p.createLost() && len(planExisting(p.Desired, p.Link, u, p.names.ids, false).Update) == 0
	if p.ownership.made {
		return byCreated // it has exactly what was sent
	}
	p.Link.AppliedRevision = 0 // nothing of this user's has been
	return ByAdopted
}

// BelongsToAnother fails a person whose user belongs to another.
func (p Account) BelongsToAnother() {
	id := p.Link.UserID
	if id == "" && p.lookup.user != nil {
		id = p.lookup.user.ID
	}
	p.Fail(belongsToAnother(p.Desired, id))
	p.unlink()
}

// unlink forgets a user that is not the person's.
func (p *Person) unlink() {
	p.Link.UserID, p.Link.Active, p.Link.Frozen, p.Link.FreezeLost = "", false, false, false
	p.Link.FieldHashes, p.Link.Assigned, p.Link.Drift = nil, nil, nil
}

// Created takes in a new user, and returns what its owner record has to say.
func (p Account) Created(id string) (by string) {
	p.Link.UserID, p.Link.Active, p.Link.Moved, p.Link.Seen = id, true, nil, p.At.UTC()
	p.Link.FieldHashes = hashFields(p.change.Create)
	delete(p.Link.FieldHashes, FieldActive)
	for name, v := range wantedFields(p.Desired, events.Link{}, p.names.ids) {
		if v == nil {
			p.Link.FieldHashes[name] = hashValue(nil)
		}
	}
	p.ownership.made = true
	p.change.Create = nil
	p.act(actCreated)
	return byCreated
}

// NotCreated takes in the refusal or loss of a create. It may mean that the
// person has a user already, so they are looked up before they are judged.
func (p Account) NotCreated(e *salesforce.Error) {
	p.call.create = e
	if p.createLost() {
		p.Link.SentUsername, _ = p.change.Create[FieldUsername].(string)
		p.doubt(p.lateUntil)
	}
	p.change.Create, p.planned = nil, false
	p.lookup = lookup{}
}

func (p *Person) createLost() bool {
	return p.call.create != nil && p.call.create.Outcome == salesforce.MaybeApplied
}

// Sending are the fields that the next update sends: a profile goes alone, before
// all others. It may need another licence, which decides what else the user may be
// given.
func (p Account) Sending() map[string]any {
	if p.contest.interim != nil {
		return p.contest.interim
	}
	if p.contest.former != nil {
		// Nobody stays with a passing username for the sake of another field.
		if names := p.unique(); len(names) > 0 {
			return p.surely(names)
		}
	}
	profile, moves := p.change.Update[FieldProfile]
	if !moves {
		return p.change.Update
	}
	return p.surely(map[string]any{FieldProfile: profile})
}

// surely adds to a part of an update that the user is active, where that is sent
// only because nobody has looked.
func (p Account) surely(part map[string]any) map[string]any {
	if v, sent := p.change.Update[FieldActive]; sent && p.Link.Active {
		part[FieldActive] = v
	}
	return part
}

// Updated takes in that the user has the fields sent.
func (p Account) Updated() {
	if p.contest.interim != nil {
		p.interimSent()
		return
	}
	sent := p.Sending()
	p.has(sent)
	for name := range sent {
		delete(p.change.Update, name)
	}
}

// has notes what the user has by now.
func (p Account) has(fields map[string]any) {
	if _, sent := fields[FieldActive]; sent {
		p.Link.Seen = p.At.UTC()
	}
	for name, v := range fields {
		switch {
		case name != FieldActive:
			if p.Link.FieldHashes == nil {
				p.Link.FieldHashes = map[string]string{}
			}
			p.Link.FieldHashes[name] = hashValue(v)
			if name == FieldUsername {
				p.contest = contest{}
			}
			p.act(actUpdated)
		case v == true && p.Link.Active: // it was sent to be sure
		case v == true:
			p.Link.Active = true
			p.act(actReactivated)
		default:
			p.Link.Active = false
			p.act(actDeactivated)
		}
	}
	slices.Sort(p.actions)
}

// UpdateRefused takes in that the user has none of the fields sent.
func (p Account) UpdateRefused(e *salesforce.Error) {
	if p.keptActive(e) {
		p.call.kept, p.call.freezeTried = e, false
		return
	}
	if p.refusedName(e) {
		return
	}
	f := Diagnose(Refusal{Err: e, Operation: p.updating()})
	if e.Class == salesforce.Reference && !p.call.resolvedAgain {
		p.call.stale = f
		return
	}
	if Gone(e) {
		p.Link.Unsure = true // the user may be gone: look before the next call
	}
	p.failNamed(f)
}

// updating is what an update of the person's user is called.
func (p Account) updating() string {
	if p.change.Update[FieldActive] == false {
		return OpDeactivate
	}
	return OpUpdate
}

// keptActive says whether Salesforce refused a deactivation for a reason of the
// org's own. Which code it uses is not documented, so every refusal counts that
// does not clearly mean something else.
func (p Account) keptActive(e *salesforce.Error) bool {
	if p.updating() != OpDeactivate || len(p.change.Update) != 1 {
		return false
	}
	switch e.Class {
	case salesforce.Locked, salesforce.Timeout, salesforce.NotFound, salesforce.Deleted, salesforce.Halted, salesforce.Programming:
		return false
	case salesforce.Unknown:
		return e.Status == 0 || e.Status >= 400 && e.Status < 500
	}
	return true
}

// IntendFreeze notes that a freeze is about to be sent: whoever takes over from a
// worker that died after it lifts it when the person comes back.
func (p Account) IntendFreeze() {
	p.call.freezeIntended, p.call.lostBefore, p.Link.FreezeLost = true, p.Link.FreezeLost, true
}

// FreezeNotSent takes back what IntendFreeze noted: it is known what came of it.
func (p Account) FreezeNotSent() {
	if p.call.freezeIntended {
		p.call.freezeIntended, p.Link.FreezeLost = false, p.call.lostBefore
	}
}

// FrozenIs takes in what UserLogin.IsFrozen is; set says whether a call made it so.
func (p Account) FrozenIs(frozen, set bool) {
	p.FreezeNotSent()
	// A freeze without an answer may still come: it is looked for again.
	// A user who was frozen by hand before is not let in by us.
	ours := set || p.Link.Frozen || p.Link.FreezeLost || p.inherited
	if !ours {
		frozen = false
	}
	p.Link.Frozen, p.Link.FreezeLost = frozen, p.Link.FreezeLost && p.late()
	p.change.Unfreeze = false
	p.freezeTried()
	switch {
	case set && frozen:
		p.act(actFrozen)
	case set:
		p.act(actUnfrozen)
	}
}

// freezeTried ends the wait for a freeze, whatever came of it: a deactivation does
// not wait for it.
func (p Account) freezeTried() { p.change.Freeze, p.call.freezeTried = false, true }

// NotFrozen takes in that a freeze was refused or lost: perhaps it takes effect,
// and then it has to be lifted when the person comes back.
func (p Account) NotFrozen(e *salesforce.Error) {
	p.freezeTried()
	p.FreezeNotSent()
	if e.Outcome == salesforce.MaybeApplied {
		p.Link.FreezeLost = true
		p.doubt(p.lateUntil)
	}
	if p.call.mustFreeze {
		p.call.freeze = judged(e, OpFreeze)
	}
}

// NotUnfrozen takes in that a user is still shut out.
func (p Account) NotUnfrozen(e *salesforce.Error) {
	if e.Outcome == salesforce.MaybeApplied {
		p.doubt(p.lateUntil)
	}
	p.Fail(judged(e, OpFreeze))
}

func belongsToAnother(d events.Desired, userID string) *events.Failure {
	todo := "Two people have the same username, federation id or external id: correct one of them in HR."
	if !d.Active {
		todo = "This person has left: if the other has too, let HR say so of them; if the user is rightly the other's, who was hired again under another number, say, discard this."
	}
	return &events.Failure{Cause: events.CauseDuplicate, Operation: OpLookup, Message: "Salesforce user " + userID + " belongs to another person. " + todo}
}
