package plan

import (
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/pkg/salesforce"
)

// contest is a username that a person should have and that was refused because
// another user has it.
type contest struct {
	// refusal is set until it is known who has the username.
	refusal *salesforce.Error
	// free is set once nobody of the org was seen to have it: it is tried once more.
	free bool
	// turn orders those who try again in one call: who frees a username goes
	// before who wants it.
	turn int
	// interim is what to send in place of what is desired: a username, and a
	// federation id where that changes as well; then is why the attempt ends once the
	// user has it, nil where it goes on.
	interim map[string]any
	then    *events.Failure
	// former is what a user had who has a passing username by now.
	former map[string]any
}

// Holder is who has a username that somebody else should have.
type Holder struct {
	UserID, Username, Federation string
	// Key is whose user it is, empty where it is nobody's; Desired is what they
	// should have, nil where that is not known.
	Key     events.Key
	Desired *events.Desired
}

// Renames is what is known of the usernames that people of one step were refused.
type Renames struct {
	// Org is the name of the org.
	Org string
	// Holders are by username, in lower case.
	Holders map[string]Holder
	// Present are all people of the step.
	Present []*Person

	byUser map[string]*Person
	// placed is each person's turn, once it is known; stuck is a turn that does
	// not come.
	placed map[*Person]int
	// granted are the usernames that somebody has a turn for: of two who want one, the
	// other would take it from a circle.
	granted map[string]bool
}

const stuck = -1

// patience is how many attempts at one revision wait for a holder who is to keep
// the username: what takes it from them may come a moment later in the same export.
const patience = 3

// triesSoFar is how many attempts failed at this revision.
func (p *Person) triesSoFar() int {
	if p.Link.FailedRevision != p.Revision {
		return 0
	}
	return p.Link.Attempts
}

// contested: who has the username is asked once for all, when everybody else is done.
func contested(p *Person, _ *Policy) (Verdict, bool) {
	return need(NeedHolder, p.contest.refusal != nil)
}

// Wants is the username that a person should have.
func (p *Person) Wants() string {
	name, _ := p.Desired.Fields[FieldUsername].(string)
	return strings.TrimSpace(name)
}

func (p *Person) wants() string { return strings.ToLower(p.Wants()) }

// refusedName says whether an update was refused for a username that another user
// has, and notes it.
func (p *Person) refusedName(e *salesforce.Error) bool {
	_, sent := p.change.Update[FieldUsername]
	if e.Kind != salesforce.KindUsername || !sent || p.contest.free || p.contest.interim != nil {
		return false
	}
	p.contest.refusal, p.contest.turn = e, 0
	return true
}

// unique are the fields of an update that a passing username may stand in for.
func (p *Person) unique() map[string]any {
	out := map[string]any{}
	for _, name := range []string{FieldUsername, FieldFederation} {
		if v, ok := p.change.Update[name]; ok {
			out[name] = v
		}
	}
	return out
}

// Turn orders the people of one update.
func (p Account) Turn() int { return p.contest.turn }

// interimSent takes in that the user is called by a name that is not the desired one.
func (p *Person) interimSent() {
	then := p.contest.then
	p.interimMade()
	p.contest.interim, p.contest.then, p.contest.turn = nil, nil, 0
	if then != nil {
		p.Fail(then)
	}
}

// interimMade keeps the link from saying that the user has what they had before.
func (p *Person) interimMade() {
	delete(p.Link.FieldHashes, FieldUsername)
	delete(p.Link.FieldHashes, FieldFederation)
}

// interimRead judges an interim username whose call got no answer.
func (p *Person) interimRead(u *User, e *salesforce.Error, operation string) {
	p.interimMade()
	if name, _ := p.contest.interim[FieldUsername].(string); !strings.EqualFold(u.Username, name) {
		p.Fail(lost(e, operation))
		return
	}
	p.interimSent()
}

// failNamed ends an attempt. Where the user has a passing username, they get back
// the one they had.
func (p *Person) failNamed(f *events.Failure) {
	switch {
	case p.contest.then != nil: // what they had could not be given back
		then := p.contest.then
		then.Message += "\nThe user has a passing username meanwhile: " + f.Message
		p.Fail(then)
		return
	case p.contest.former == nil || p.contest.interim != nil:
		p.Fail(f)
		return
	}
	p.contest.refusal = nil
	p.contest.interim, p.contest.then, p.contest.former = p.contest.former, f, nil
}

// HolderUnknown takes in that Salesforce could not be asked who has the username.
func (p Account) HolderUnknown() {
	p.failNamed(Diagnose(Refusal{Err: p.contest.refusal, Operation: OpUpdate}))
}

// Order says of everybody who was refused a username whether they try again, and
// in which order. Of a circle, one gets a passing username first.
func (s *Renames) Order(refused []*Person) {
	s.byUser, s.placed = make(map[string]*Person, len(s.Present)), make(map[*Person]int, len(refused))
	s.granted = make(map[string]bool, len(refused))
	for _, p := range s.Present {
		s.byUser[p.Link.UserID] = p
	}
	for _, p := range refused {
		s.follow(p)
	}
	for _, p := range refused {
		if turn := s.placed[p]; turn != stuck {
			p.contest.refusal, p.contest.turn = nil, turn
			continue
		}
		p.failNamed(s.reason(p))
	}
}

// follow goes from a person to who has their username, and on, until somebody is
// found whose turn is known, and gives all on the way their turn.
func (s *Renames) follow(p *Person) {
	var way []*Person
	at := map[*Person]int{}
	var turn int
	for next := p; ; {
		if known, ok := s.placed[next]; ok {
			turn = known
			break
		}
		if i, ok := at[next]; ok {
			turn = s.cut(way[i:])
			way = way[:i]
			break
		}
		at[next], way = len(way), append(way, next)
		holder, end := s.before(next)
		if holder == nil {
			turn = end
			break
		}
		next = holder
	}
	for i := len(way) - 1; i >= 0; i-- {
		q := way[i]
		if turn == stuck || s.granted[q.wants()] {
			turn = stuck
		} else {
			turn++
			s.granted[q.wants()] = true
		}
		s.placed[q] = turn
	}
}

// before is who has to be renamed before a person; where that is nobody of the
// step who was refused as well, end is the turn to count from.
func (s *Renames) before(p *Person) (holder *Person, end int) {
	h, held := s.Holders[p.wants()]
	q := s.byUser[h.UserID]
	switch {
	case !held || h.UserID == p.Link.UserID || q != nil && q.left(p.wants()):
		p.contest.free = true
		return nil, 0
	case q == nil || q.contest.refusal == nil:
		return nil, stuck
	}
	return q, 0
}

// left says whether a person's user was called so and, in this step, got another
// username, whatever a query says.
func (p *Person) left(name string) bool {
	if former, _ := p.contest.former[FieldUsername].(string); former != "" && p.contest.interim == nil {
		return strings.EqualFold(former, name)
	}
	_, left := p.change.Update[FieldUsername]
	return p.planned && p.Desired.Active && !left && p.wants() != name && p.Link.FieldHashes[FieldUsername] == hashValue(p.Desired.Fields[FieldUsername])
}

// cut breaks a circle, in which each wants the username of the next: the one with
// the smallest key gets a passing username, and whoever wants theirs comes next. It
// returns the last turn of the circle.
func (s *Renames) cut(circle []*Person) int {
	first := 0
	for i, p := range circle {
		if p.Key < circle[first].Key {
			first = i
		}
	}
	n := len(circle)
	for turn := range n {
		p := circle[(first-turn+n)%n]
		s.placed[p], s.granted[p.wants()] = turn, true
	}
	p := circle[first]
	had := s.Holders[circle[(first-1+n)%n].wants()]
	p.contest.former = map[string]any{FieldUsername: had.Username}
	p.contest.interim = map[string]any{FieldUsername: passing(s.Org, p)}
	if id, _ := p.change.Update[FieldFederation].(string); id != "" {
		// Whoever takes the username may take the federation id with it.
		p.contest.former[FieldFederation] = plain(had.Federation)
		p.contest.interim[FieldFederation], _, _ = strings.Cut(passing(s.Org, p), "@")
	}
	return n - 1
}

// passingDomainMax leaves room in the 80 characters of a username.
const passingDomainMax = 40

// passing is a username for the time between two others: nobody's, the same at
// every try, and under the domain of the one desired.
func passing(org string, p *Person) string {
	_, domain, _ := strings.Cut(p.Wants(), "@")
	if domain == "" || len(domain) > passingDomainMax {
		domain = "rollcall.invalid"
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d/%s", org, p.Key, p.Revision, p.Link.UserID))
	return strings.ToLower("rollcall-passing-" + base32.StdEncoding.EncodeToString(sum[:10]) + "@" + domain)
}

// reason is why a person does not get the username, in words that say who has it.
func (s *Renames) reason(p *Person) *events.Failure {
	f := Diagnose(Refusal{Err: p.contest.refusal, Operation: OpUpdate})
	h, held := s.Holders[p.wants()]
	switch {
	case !held:
		f.Cause = events.CauseWaiting
		f.Message += "\nAnother person is to have it as well: two people have one username. Correct one of them in HR."
	case h.Key == "":
		f.Message += "\nSalesforce user " + h.UserID + " has it, who is no person of Rollcall's."
	case !h.Moves(p.Wants()):
		f.Message += "\nSalesforce user " + h.UserID + " of person " + string(h.Key) + " has it, and is to keep it: two people have one username. Correct one of them in HR."
		if (h.Desired == nil || h.Desired.Active) && p.triesSoFar() < patience {
			f.Cause = events.CauseWaiting
		}
	default:
		name, _ := h.Desired.Fields[FieldUsername].(string)
		f.Cause = events.CauseWaiting
		f.Message += "\nSalesforce user " + h.UserID + " of person " + string(h.Key) + " still has it, and is to be called " + name + ". This person waits for that."
	}
	return f
}

// Moves says whether the holder is to give up a username.
func (h Holder) Moves(name string) bool {
	if h.Desired == nil || !h.Desired.Active {
		return false
	}
	want, _ := h.Desired.Fields[FieldUsername].(string)
	return want != "" && !strings.EqualFold(strings.TrimSpace(want), name)
}
