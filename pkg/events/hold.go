package events

import "time"

// Aspect is a part of what a person has in an org, as far as it is judged
// before it is taken away or changed.
type Aspect string

// The aspects.
const (
	// AspectActive is whether the person has a user that is active.
	AspectActive Aspect = "active"
	// AspectAccess is the profile, and all that is assigned.
	AspectAccess Aspect = "access"
	// AspectIdentity is username and e-mail address: by them people sign in, and
	// a password is set anew.
	AspectIdentity Aspect = "identity"
)

// Aspects returns every aspect.
func Aspects() []Aspect { return []Aspect{AspectActive, AspectAccess, AspectIdentity} }

// ChangeCause says by what something is taken away: the configuration, one
// source, or one group of a source.
type ChangeCause string

// CauseConfig is the configuration's doing: the same person, under the
// configuration of today, has less than is stored.
const CauseConfig ChangeCause = "config"

// CauseSource is the doing of a source's events about people.
func CauseSource(source string) ChangeCause { return ChangeCause("source:" + source) }

// CauseGroup is the doing of a source's events about one group.
func CauseGroup(source string, key Key) ChangeCause {
	return ChangeCause("group:" + source + "/" + string(key))
}

// Hold is one aspect of a wish that is held: [Desired] has it as before, until
// an operator decides or the wish is taken back.
type Hold struct {
	Aspect Aspect      `json:"aspect"`
	Cause  ChangeCause `json:"cause"`
	// Wish is a hash of what is wished for in this aspect; a release names it, so
	// that a worse wish is held again.
	Wish string `json:"wish"`
	// Since is when the aspect came to be held, by the server's clock. It tells
	// this hold from an earlier one of the same wish.
	Since time.Time `json:"since"`
	// Rejected says that an operator wants the wish never to be followed. It
	// stands until there is another wish.
	Rejected bool `json:"rejected,omitzero"`
}

// Past is what is remembered of a taking that was let through.
type Past struct {
	// Wish is a hash of what was wished for before, as in [Hold]; empty once that
	// is so again. To is what was wished for instead.
	Wish string `json:"wish,omitempty"`
	To   string `json:"to"`
	// Counted says that the person was counted; one whom an operator released was not.
	Counted bool `json:"counted,omitzero"`
	// At is when it was taken, by the server's clock; zero for when this was stored.
	At time.Time `json:"at,omitzero"`
}

// Held is what an operator sees of a person's holds in one org; none where
// nothing is held any more.
type Held struct {
	V   int    `json:"v"`
	Org string `json:"org"`
	Key Key    `json:"key"`
	// Username is what an operator knows the person by.
	Username string       `json:"username,omitempty"`
	Holds    []HeldAspect `json:"holds,omitempty"`
}

// HeldAspect is a hold with what an operator needs for judging it.
type HeldAspect struct {
	Hold
	// Takes names what would be taken or changed: "active", "profile", a field's
	// name, or kind and name of an assignment ("permissionSets/Sales_Tools").
	Takes []string `json:"takes"`
	// Rule is the rule under which the person has it, Next that of the wish; empty
	// where none matches.
	Rule string `json:"rule,omitempty"`
	Next string `json:"next,omitempty"`
	// Config is a hash of the configuration, where that is the cause.
	Config string `json:"config,omitempty"`
	// Origin is the event that led to the wish; where the cause is the
	// configuration, the newest about the person.
	Origin Origin `json:"origin"`
}

// Guard counts what is taken away in one org. It is written in the batch that
// takes it, once, by compare-and-set.
type Guard struct {
	V   int    `json:"v"`
	Org string `json:"org"`
	// At is when this was written, by the server's clock, and Active how many
	// desired states are active since.
	At     time.Time `json:"at"`
	Active int       `json:"active"`
	// Before says how many were active at earlier times, oldest first: limits in
	// per cent are of those at the window's start.
	Before []ActiveCount `json:"before,omitempty"`
	// Counts are by cause and aspect.
	Counts map[ChangeCause]map[Aspect]TakingCount `json:"counts,omitempty"`
	// Urgent are people let through one by one.
	Urgent []Taken `json:"urgent,omitempty"`
}

// ActiveCount is how many desired states were active from a time on.
type ActiveCount struct {
	At     time.Time `json:"at"`
	Active int       `json:"active"`
}

// TakingCount is what one cause has taken in one aspect, and what of it is held.
type TakingCount struct {
	Taken []Taken `json:"taken,omitempty"`
	// Held is how many people wait for an operator. Above zero the hold is open,
	// since Since, and whatever else the cause takes in this aspect is held too.
	Held  int       `json:"held,omitzero"`
	Since time.Time `json:"since,omitzero"`
}

// Taken is from how many people something was taken between At and a few
// minutes later.
type Taken struct {
	At     time.Time `json:"at"`
	People int       `json:"people"`
}

// Release is what operators decided about what is held of one person.
type Release struct {
	V      int    `json:"v"`
	Org    string `json:"org"`
	Key    Key    `json:"key"`
	Wishes []Wish `json:"wishes"`
}

// Wish is a held wish as the operator saw it, and what becomes of it.
type Wish struct {
	Aspect Aspect    `json:"aspect"`
	Wish   string    `json:"wish"`
	Since  time.Time `json:"since"`
	// Reject says that the wish is not to be followed; else it is.
	Reject bool `json:"reject,omitzero"`
	// Urgent says that this person is let through before the hold is judged. It is
	// for a few people an hour.
	Urgent  bool      `json:"urgent,omitzero"`
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Request string    `json:"request"`
}
