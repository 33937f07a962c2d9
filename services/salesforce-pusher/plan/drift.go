package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// leaveAlone takes out of a change what somebody did by hand and config has left
// as it is. What Rollcall applied is told from what it is yet to apply by the link.
func (p *Person) leaveAlone() {
	if !p.Desired.Active {
		return
	}
	if p.leaves[events.DriftDeactivated] {
		if p.Link.Drift.Leaves(events.DriftDeactivated) || p.believed {
			p.leave(events.DriftDeactivated, p.change.Update[FieldActive] != nil && !p.Link.Active)
			delete(p.change.Update, FieldActive)
		}
	}
	if !p.reread || !p.leaves[events.DriftFields] {
		return
	}
	for name, v := range p.change.Update {
		if name != FieldActive && p.Link.FieldHashes[name] == hashValue(v) {
			delete(p.change.Update, name)
		}
	}
}

// leave notes a kind of drift that this step saw and leaves as it is: the next one
// must not take it for something to be done.
func (p *Person) leave(kind string, seen bool) {
	if !seen || p.Link.Drift.Leaves(kind) {
		return
	}
	d := events.Drift{At: p.At.UTC()}
	if p.Link.Drift != nil {
		d = *p.Link.Drift
	}
	d.Left = append(slices.Clone(d.Left), kind)
	p.Link.Drift = &d
}

// Differing names the fields of a user, as read, that have other values than
// Rollcall applied.
func Differing(d events.Desired, link events.Link, u *User) []string {
	var out []string
	for name, v := range d.Fields {
		// What was not read is not known to differ.
		have, read := u.Fields[strings.ToLower(name)]
		if read && !reserved(name) && differs(name, plain(v), link, u) && !folded(name, have, v) {
			out = append(out, name)
		}
	}
	for _, name := range []string{FieldProfile, FieldRole} {
		v, read := u.Fields[strings.ToLower(name)]
		if h, applied := link.FieldHashes[name]; read && applied && h != someValue && h != hashValue(v) {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// folded says whether values are the same but for their case, in fields whose
// case Salesforce makes its own.
func folded(name string, have, want any) bool {
	if !strings.EqualFold(name, FieldUsername) && !strings.EqualFold(name, FieldEmail) {
		return false
	}
	h, ok := have.(string)
	w, also := want.(string)
	return ok && also && strings.EqualFold(strings.TrimSpace(h), strings.TrimSpace(w))
}

// Assigned are the names of all that a person should be assigned, as
// [events.Link] has them.
func Assigned(d events.Desired) []string { return assignments(d) }

// settled is what stays of a drift once the person is as desired, as far as that
// is Rollcall's to do.
func settled(d *events.Drift, active bool) *events.Drift {
	if d == nil || !active {
		return nil
	}
	kept := *d
	kept.Repair = nil
	return &kept
}

// A whole org is not the one whose users we know where so many of those asked for
// are gone.
const goneFew = 5

// Elsewhere says whether so many users are gone that this must be another org.
func Elsewhere(gone, asked int) bool { return gone > goneFew && 2*gone > asked }

// HoldGone fails those who would get a new user in place of one that is gone, where
// that is so of most: thousands of users made blindly are worse than a question.
func HoldGone(people []*Person) {
	linked := 0
	gone := map[string]*Person{}
	for _, p := range people {
		if p.gone != "" || p.Link.UserID != "" {
			linked++
		}
		if p.gone != "" {
			gone[p.gone] = p
		}
	}
	if !Elsewhere(len(gone), linked) {
		return
	}
	why := fmt.Sprintf("so it is with %d of %d people who were looked at together: this may be another org, or a sandbox that was refreshed", len(gone), linked)
	for _, id := range slices.Sorted(maps.Keys(gone)) {
		if p := gone[id]; p.Open() && p.Desired.Active && p.lookup.user == nil {
			p.Fail(userGone(id, why))
		}
	}
}

func userGone(id, why string) *events.Failure {
	return &events.Failure{Cause: events.CauseUserGone, Operation: OpLookup,
		Message: "Salesforce user " + id + ", which this person had, is not in the org any more, and nobody there fits by the rules. No new user was made: " + why + "."}
}
