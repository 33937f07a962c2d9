package plan

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// Predecessor is all that ROSTER says of the person whose a user is so far.
type Predecessor struct {
	Key events.Key
	// Person and Desired are nil where there are none.
	Person  *events.PersonState
	Desired *events.Desired
	Link    events.Link
	// Revision is that of Desired, 0 for none.
	Revision uint64
}

// Busy says whether somebody works on the predecessor, or may be about to make a
// user for them. Clocks differ by skew.
func (o Predecessor) Busy(now time.Time, skew time.Duration) bool {
	c := o.Link.Claim
	return o.Link.Job != "" || c != nil && now.Before(c.Until.Add(skew))
}

// gone says whether the predecessor has left: nothing is desired of them, and no
// source calls them active. That no rule matches them any more says nothing.
func (o Predecessor) gone() bool {
	if o.Desired != nil && o.Desired.Active {
		return false
	}
	if o.Person == nil {
		return true
	}
	there, left := false, false
	for _, s := range o.Person.Sources {
		if s.Removed || s.Person == nil {
			continue
		}
		active, said := s.IsActive()
		if said && active {
			return false
		}
		there, left = true, left || said
	}
	return left || !there // a source that says nothing of it does not keep anybody
}

// agreed says whether a user found is the person's by a value that was given to
// them: it has their federation id or external id; their username counts where
// neither they nor the user has one, for a username alone may have passed to another
// human.
func (m Matcher) agreed(d events.Desired, u *User) bool {
	if d.Match.FederationID == "" && (m.ExternalField == "" || d.Match.ExternalID == "") {
		another := u.Federation != "" && slices.Contains(m.Order, MatchFederationID) || u.External != ""
		return !another && d.Match.Username != "" && strings.EqualFold(u.Username, d.Match.Username)
	}
	return m.certain(d, u)
}

// Takes says whether the person takes over the user found, which is the
// predecessor's so far: the same human under another number. Where it does not, the
// attempt has ended.
func (p Account) Takes(old Predecessor, skew time.Duration, o *Policy) bool {
	u := p.lookup.user
	switch {
	case !p.Desired.Active:
		p.Fail(belongsToAnother(p.Desired, u.ID))
	case !old.gone():
		f := twoActive(p.Desired, u.ID, old.Key)
		if p.triesSoFar() < patience { // that the other has left may come later in the same export
			f.Cause = events.CauseWaiting
		}
		p.Fail(f)
	case !o.Match.agreed(p.Desired, u):
		p.Fail(notAgreed(p.Desired, u.ID, old.Key))
	case old.Busy(p.At, skew):
		p.Fail(inHand(u.ID, old.Key))
	default:
		return true
	}
	return false
}

// TakeOver takes in what was the predecessor's, and returns their link without it.
func (p Account) TakeOver(old Predecessor, record events.Owner, o *Policy) events.Link {
	u := p.lookup.user
	p.ownership.linked, p.ownership.made = true, record.By == byCreated
	p.Link.Key = p.Key
	link, rest := Succeed(p.Link, old, u.ID, "", p.At, o.LateFor)
	p.Link, p.Link.Active = link, u.Active
	p.act(actTakenOver)
	return rest
}

// NotTakenOver takes in that something changed before the user was the person's.
func (p Account) NotTakenOver(old events.Key) {
	p.unlink()
	p.Fail(inHand(p.lookup.user.ID, old))
}

// Succeed moves a user from one person's link to another's. With it goes all that
// is known of it: whose doing a freeze and an assignment were; and the doubt, for a
// call that was sent for the one may be applied when it is the other's.
func Succeed(next events.Link, old Predecessor, userID, request string, now time.Time, lateFor time.Duration) (link, rest events.Link) {
	rest = old.Link
	next.UserID, next.Moved, next.AppliedHash, next.Unsure = userID, nil, "", true
	if rest.UserID != "" && rest.UserID != userID {
		return next, rest // they have another: the owner record was all they had of this one
	}
	if rest.UserID == userID {
		next.Active, next.Frozen, next.FreezeLost = rest.Active, rest.Frozen, rest.FreezeLost
		next.FieldHashes, next.Assigned = maps.Clone(rest.FieldHashes), maps.Clone(rest.Assigned)
	}
	until := rest.UnsureUntil
	if c := rest.Claim; c != nil && c.Until.Add(lateFor).After(until) { // whose holder is gone
		until = c.Until.Add(lateFor)
	}
	if until.After(next.UnsureUntil) {
		next.UnsureUntil = until.UTC()
	}
	rest = LetGo(rest, userID, request, now)
	rest.Moved.To = next.Key
	rest.AppliedRevision, rest.AppliedHash = old.Revision, ""
	if old.Desired != nil && !old.Desired.Active {
		rest.AppliedHash = old.Desired.Hash
	}
	return next, rest
}

// LetGo is a link without its user.
func LetGo(l events.Link, userID, request string, now time.Time) events.Link {
	p := Person{State: State{Link: l}}
	p.unlink()
	l = p.Link
	l.Allowed = spent(l.Allowed)
	l.Claim, l.Unsure, l.UnsureUntil, l.SentUsername, l.AppliedHash = nil, false, time.Time{}, "", ""
	l.Attempts, l.FailedRevision, l.FirstFailedAt, l.At = 0, 0, time.Time{}, now.UTC()
	l.Moved = &events.Moved{UserID: userID, At: now.UTC(), Request: request}
	return l
}

// HandedOver is the outcome of somebody whose user is another's by now.
func (o Predecessor) HandedOver(rest events.Link, now time.Time) events.Outcome {
	out := events.Outcome{Key: o.Key, Revision: o.Revision, Lane: events.LaneLeaver, Result: events.ResultApplied,
		Actions: []string{actHandedOver}, Failures: rest.Failures, At: now.UTC()}
	if o.Desired != nil && o.Desired.Active { // an admin says that they are one human all the same
		out.Result, out.Actions, out.Failure, out.Attempt = events.ResultFailed, nil, goneTo(o.Desired.Org, rest), 1
	}
	if o.Desired != nil {
		out.Origin, out.Username, out.Lane = o.Desired.Origin, o.Desired.Match.Username, cmp.Or(o.Desired.Lane, out.Lane)
	}
	return out
}

// moved says whether the user that a person had is another's by now. Whoever had
// theirs taken for nobody may have been given one since by a create without an
// answer, or by a job: then they are looked up like anybody else.
func (p *Person) moved() bool {
	m := p.Link.Moved
	if m == nil || p.Link.UserID != "" {
		return false
	}
	return m.To != "" || !p.Desired.Active && p.Link.SentUsername == "" && p.Link.Job == ""
}

// movedOn: whoever has left is done, whatever made us look; whoever is back does not
// take the user away from whom it went to.
func movedOn(p *Person, _ *Policy) (Verdict, bool) {
	if !p.moved() {
		return Verdict{}, false
	}
	if !p.Desired.Active {
		return Verdict{Applied: true}, true
	}
	return fail(goneTo(p.Desired.Org, p.Link))
}

func goneTo(org string, l events.Link) *events.Failure {
	m := l.Moved
	return duplicate("Salesforce user " + m.UserID + " was this person's, and is that of " + string(m.To) + " since " + m.At.Format(time.RFC3339) +
		", as one human under another number. If this number is to have it again, let HR say that the other has left, and run: " + merge(org, m.To, l.Key) +
		" If this number is another human's by now: " + release(org, l.Key) + " Then they get a user of their own.")
}

func twoActive(d events.Desired, userID string, old events.Key) *events.Failure {
	return duplicate("Salesforce user " + userID + " belongs to " + string(old) + ", whom a source still calls active. If both are one human, let HR say that the other has left in every source, then retry this one; " +
		"or, where HR cannot: " + merge(d.Org, old, d.Key) + " If they are two, correct in HR the username, federation id or external id that they share.")
}

func notAgreed(d events.Desired, userID string, old events.Key) *events.Failure {
	return duplicate("Salesforce user " + userID + " fits by its username or e-mail address, and was that of " + string(old) + ", who has left. If both are one human, give that user this person's federation id in Salesforce, then retry; or run: " +
		merge(d.Org, old, d.Key) + " If they are two, give this person another username in HR.")
}

func inHand(userID string, old events.Key) *events.Failure {
	return &events.Failure{Cause: events.CauseWaiting, Operation: OpLookup,
		Message: "Salesforce user " + userID + " belongs to " + string(old) + ", who has left and whose user is being worked on, or was a moment ago. This person waits for that."}
}

func duplicate(message string) *events.Failure {
	return &events.Failure{Cause: events.CauseDuplicate, Operation: OpLookup, Message: message}
}

// merge and release are what an admin may run.
func merge(org string, from, to events.Key) string {
	return "`rollcall person merge " + string(from) + " " + string(to) + " --org " + org + " --reason …`"
}

func release(org string, k events.Key) string {
	return "`rollcall person release " + string(k) + " --org " + org + " --reason …`"
}
