package events

import (
	"slices"
	"time"
)

// Every payload begins with V, its version: [Encode] sets it, [Decode] judges it.

// PersonState is what every source last said about one person.
type PersonState struct {
	V             int    `json:"v"`
	Key           Key    `json:"key"`
	CorrelationID string `json:"correlationId,omitempty"`
	// Sources holds each source's view, by source name.
	Sources map[string]SourceState `json:"sources,omitempty"`
	// Groups holds the directory groups the person is a direct member of, by
	// group key.
	Groups map[Key]Membership `json:"groups,omitempty"`
}

// Position is where an event stands among those of its source about one person
// or group, within their series: a higher SourceVersion is newer, and of equal
// ones a higher Seq, the event's sequence in DIRECTORY.
type Position struct {
	Seq           uint64 `json:"seq"`
	SourceVersion string `json:"sourceVersion,omitempty"`
}

// SourceState is one source's view of a person: what its events come to, in
// whatever order they were read.
type SourceState struct {
	// Origin and SourceVersion are of the newest event of the series: the one
	// whose fields count.
	Origin        Origin `json:"origin"`
	SourceVersion string `json:"sourceVersion,omitempty"`
	// Removed says that this event is a removal; there is no Person then.
	Removed bool `json:"removed,omitzero"`
	// Person is what the event said, but for its word on active.
	Person *Person `json:"person,omitempty"`
	// Series is the last removal in DIRECTORY: it begins the series, and no event
	// before it belongs to it. Nil before any removal.
	Series *Removal `json:"series,omitempty"`
	// Active is what the events of the series say of whether the person is
	// active: the first counts, the others would if a removal older than they are
	// were read after them; by sequence. Where no event says it the person is active.
	Active []Activity `json:"active,omitempty"`
	// Superseded are the other events of the series whose fields would count
	// then; by sequence.
	Superseded []Superseded `json:"superseded,omitempty"`
}

// IsActive says whether the source calls the person active; not said where
// none of its events speaks of it.
func (s *SourceState) IsActive() (active, said bool) {
	if len(s.Active) == 0 {
		return false, false
	}
	return s.Active[0].Active, true
}

// Removal is an event by which a source took somebody or something away.
type Removal struct {
	Origin        Origin `json:"origin"`
	SourceVersion string `json:"sourceVersion,omitempty"`
}

// Activity is an event's word on whether a person is active.
type Activity struct {
	Position
	Active bool `json:"active"`
}

// Superseded is an event whose fields may come to count after all.
type Superseded struct {
	Origin        Origin `json:"origin"`
	SourceVersion string `json:"sourceVersion,omitempty"`
	// Person or Group is what it said.
	Person *Person `json:"person,omitempty"`
	Group  *Group  `json:"group,omitempty"`
}

// Membership is one direct membership of a person in a directory group.
type Membership struct {
	Source string `json:"source"`
	Name   string `json:"name"`
	// Revision is that of the group's state that said so.
	Revision uint64 `json:"revision,omitzero"`
	// Left is kept rather than removed, so that an older state of the group
	// cannot bring the membership back.
	Left bool `json:"left,omitzero"`
}

// GroupState is what a source's events about one group come to.
type GroupState struct {
	V      int    `json:"v"`
	Key    Key    `json:"key"`
	Source string `json:"source"`
	// Revision rises by one with every change of this state, whatever the order
	// of the events that change it: the guard of the members' memberships.
	Revision uint64 `json:"revision,omitzero"`
	// Origin, SourceVersion, Removed and Group are of the newest event of the
	// series; Series and Superseded are as in [SourceState].
	Origin        Origin       `json:"origin"`
	SourceVersion string       `json:"sourceVersion,omitempty"`
	Removed       bool         `json:"removed,omitzero"`
	Group         *Group       `json:"group,omitempty"`
	Series        *Removal     `json:"series,omitempty"`
	Superseded    []Superseded `json:"superseded,omitempty"`
}

// Desired is what one person should have in one org. Its revision is its own
// sequence in ROSTER, so a changed config makes a new revision as a changed
// person does.
type Desired struct {
	V   int    `json:"v"`
	Org string `json:"org"`
	Key Key    `json:"key"`
	// Rule is the name of the rule that matched; empty where none did.
	Rule   string `json:"rule,omitempty"`
	Active bool   `json:"active"`
	Lane   Lane   `json:"lane"`
	// Match says by what an existing Salesforce user is recognised.
	Match Match `json:"match"`
	// Sought says that the person was never to have a user in this org, and that
	// one who is clearly theirs is deactivated all the same: they have left. Where
	// they are back, Match is empty.
	Sought bool `json:"sought,omitzero"`
	// Fields are Salesforce User fields; nil clears a field. Empty for a leaver:
	// nobody's deactivation waits for a mapping.
	Fields  map[string]any `json:"fields,omitempty"`
	Profile string         `json:"profile,omitempty"`
	Role    string         `json:"role,omitempty"`
	// PermissionSets and Groups are what version 1 had in place of Assignments;
	// [Decode] leaves them empty.
	PermissionSets []string `json:"permissionSets,omitempty"`
	Groups         []string `json:"groups,omitempty"`
	// Assignments are the names of what is given, by the key of their kind; see
	// [AssignmentKinds].
	Assignments map[string][]string `json:"assignments,omitempty"`
	// Problem is set where a mapping failed: nothing is sent, the person is parked.
	Problem *Failure `json:"problem,omitempty"`
	// Held lists the aspects that are not as wished but as before; see [Hold].
	Held []Hold `json:"held,omitempty"`
	// Was remembers the last taking in each aspect, so that an undoing is known as
	// one, and nobody is counted twice.
	Was map[Aspect]Past `json:"was,omitempty"`
	// Hash is over everything above but the lane, Sought and Was.
	Hash   string `json:"hash"`
	Origin Origin `json:"origin"`
}

// Match holds the values by which a person's Salesforce user is found. Empty
// values match nobody.
type Match struct {
	FederationID string `json:"federationId,omitempty"`
	Username     string `json:"username,omitempty"`
	Email        string `json:"email,omitempty"`
	// ExternalID is a custom field's value; the field's name is in config.
	ExternalID string `json:"externalId,omitempty"`
}

// Work says: look at this person again. It carries no instruction.
type Work struct {
	V      int    `json:"v"`
	Reason Reason `json:"reason"`
}

// Reason says why somebody should look again; it is only ever shown.
type Reason string

// The reasons.
const (
	ReasonChanged Reason = "changed" // a new revision
	ReasonRetry   Reason = "retry"   // a scheduled attempt
	ReasonLook    Reason = "look"    // a call without an answer cannot be applied any more
	ReasonBusy    Reason = "busy"    // another worker was at the person
	ReasonReplay  Reason = "replay"  // an admin said again
	ReasonFenced  Reason = "fenced"  // somebody else got there first
	ReasonDrift   Reason = "drift"   // Salesforce has something else
	ReasonResync  Reason = "resync"  // an admin wants them read anew
)

// Link is what Salesforce has for one person, as far as we know, and who is
// working on it. It changes only by compare-and-set.
type Link struct {
	V      int    `json:"v"`
	Org    string `json:"org"`
	Key    Key    `json:"key"`
	UserID string `json:"userId,omitempty"`
	// Active and Frozen are the user's state when last written or read.
	Active bool `json:"active,omitzero"`
	Frozen bool `json:"frozen,omitzero"`
	// FreezeLost is set where a freeze got no answer: it is lifted when the person
	// comes back, and relied on by nobody.
	FreezeLost bool `json:"freezeLost,omitzero"`
	// AppliedRevision and AppliedHash name the [Desired] that was applied last.
	AppliedRevision uint64 `json:"appliedRevision,omitzero"`
	AppliedHash     string `json:"appliedHash,omitempty"`
	// FieldHashes holds a short hash of each applied field value, so that only
	// changed fields are sent and no value is stored twice.
	FieldHashes map[string]string `json:"fieldHashes,omitempty"`
	// Assigned are the permission sets and groups of the person, by kind and
	// name: the id of an assignment record Rollcall made; "found" (had before
	// Rollcall, never removed); "there" (given, id not known); or empty (perhaps
	// given: look before relying on it).
	Assigned map[string]string `json:"assigned,omitempty"`
	// Moved is set where the user that the person had is not theirs any more.
	Moved *Moved `json:"moved,omitempty"`
	// Allowed is what an admin said yes to last; its loss makes somebody ask again.
	Allowed *Allowed `json:"allowed,omitempty"`
	// Claim is set while somebody works on the person.
	Claim *Claim `json:"claim,omitempty"`
	// Unsure is set when a call may or may not have been applied: look before
	// the next one.
	Unsure bool `json:"unsure,omitzero"`
	// UnsureUntil is set while a call that got no answer may still be applied by
	// Salesforce: what was read before then proves nothing. The person is looked at
	// once it is past ([LookSubject]). It is cleared by a look later than that.
	UnsureUntil time.Time `json:"unsureUntil,omitzero"`
	// SentUsername is the username under which such a call may still make a user.
	SentUsername string `json:"sentUsername,omitempty"`
	// Job is a job of the Bulk API that may still make the person's user, at any
	// time: no look-up is believed before it is over.
	Job string `json:"job,omitempty"`
	// Attempts counts failures in a row at FailedRevision; org-wide trouble
	// does not count.
	Attempts       int       `json:"attempts,omitzero"`
	FailedRevision uint64    `json:"failedRevision,omitzero"`
	FirstFailedAt  time.Time `json:"firstFailedAt,omitzero"`
	// Failures counts every failure ever: above zero, a dead letter may exist.
	Failures int       `json:"failures,omitzero"`
	At       time.Time `json:"at,omitzero"`
	// Seen is when the user was last read or written; Active and Frozen are of then.
	Seen time.Time `json:"seen,omitzero"`
	// Drift is what was seen of the user that is neither desired nor Rollcall's
	// doing; nil where nothing is.
	Drift *Drift `json:"drift,omitempty"`
}

// Moved says what became of a user that a person had. Whoever has such a link and no
// user has left for good; they get another user only after an admin's word.
type Moved struct {
	UserID string `json:"userId"`
	// To is whose the user is since: the same human under another number, say.
	// Empty where an admin only let it go.
	To Key       `json:"to,omitempty"`
	At time.Time `json:"at"`
	// Request is the admin's, empty where nobody had to ask.
	Request string `json:"request,omitempty"`
}

// Allowed is an admin's yes to what is asked of one person in one org.
type Allowed struct {
	Asks Asks      `json:"asks"`
	At   time.Time `json:"at"`
	// Request is the admin's.
	Request string `json:"request"`
	// Used is set once the person was applied: it counts no more.
	Used bool `json:"used,omitzero"`
}

// Claim says who works on a person and until when. No request may leave later
// than Until allows.
type Claim struct {
	Worker   string    `json:"worker"`
	Revision uint64    `json:"revision"`
	Until    time.Time `json:"until"`
}

// Owner says whose a Salesforce user is.
type Owner struct {
	V   int    `json:"v"`
	Key Key    `json:"key"`
	By  string `json:"by"` // "created" or "adopted"
	// From is whose it was before, where it changed hands; Key is empty where it is
	// nobody's since.
	From Key `json:"from,omitempty"`
}

// Result is how an attempt ended.
type Result string

// The results.
const (
	ResultApplied   Result = "applied"
	ResultFailed    Result = "failed"
	ResultDiscarded Result = "discarded"
)

// Outcome is what happened when somebody last tried to make one person so.
type Outcome struct {
	V        int    `json:"v"`
	Org      string `json:"org"`
	Key      Key    `json:"key"`
	Revision uint64 `json:"revision"`
	Lane     Lane   `json:"lane"`
	Result   Result `json:"result"`
	// Actions are what was done: created, adopted, updated, deactivated,
	// reactivated, frozen, assigned, unassigned; taken_over and handed_over where a
	// user passed from one number to another. Empty: nothing was to do.
	Actions []string `json:"actions,omitempty"`
	UserID  string   `json:"userId,omitempty"`
	Failure *Failure `json:"failure,omitempty"`
	// Attempt counts failures in a row at this revision, this one included.
	Attempt       int       `json:"attempt,omitzero"`
	FirstFailedAt time.Time `json:"firstFailedAt,omitzero"`
	// Failures above zero say that a dead letter may exist.
	Failures int       `json:"failures,omitzero"`
	At       time.Time `json:"at"`
	Origin   Origin    `json:"origin"`
	// Username is for the reader of a dead letter: an operator knows people by it.
	Username string `json:"username,omitempty"`
}

// Discarded says that an admin gave up one revision of a person.
type Discarded struct {
	V        int       `json:"v"`
	Revision uint64    `json:"revision"`
	By       string    `json:"by"`
	At       time.Time `json:"at"`
	Request  string    `json:"request"`
}

// Rejection is what assignment made of an event it could not understand; once
// it is understood after all, Resolved is set.
type Rejection struct {
	V        int       `json:"v"`
	Origin   Origin    `json:"origin"`
	Subject  string    `json:"subject"`
	Failure  *Failure  `json:"failure,omitempty"`
	Resolved bool      `json:"resolved,omitzero"`
	Attempt  int       `json:"attempt,omitzero"`
	FirstAt  time.Time `json:"firstAt,omitzero"`
	At       time.Time `json:"at"`
}

// DeadLetter is one person in one org that Salesforce refused, parked until
// somebody acts. It holds personal data on purpose: the operator has to see
// who is stuck and why.
type DeadLetter struct {
	V        int     `json:"v"`
	Org      string  `json:"org"`
	Key      Key     `json:"key"`
	Username string  `json:"username,omitempty"`
	UserID   string  `json:"userId,omitempty"`
	Revision uint64  `json:"revision"`
	Lane     Lane    `json:"lane,omitempty"`
	Failure  Failure `json:"failure"`
	// Attempts counts every failure since FirstAt, RevisionAttempts those of
	// them at Revision.
	Attempts         int       `json:"attempts"`
	RevisionAttempts int       `json:"revisionAttempts,omitzero"`
	FirstAt          time.Time `json:"firstAt"`
	LastAt           time.Time `json:"lastAt"`
	Origin           Origin    `json:"origin"`
	// Evidence is the sequence of the outcome or rejection in ROSTER that was
	// parked: a redelivered one parks nothing new.
	Evidence uint64 `json:"evidence"`
}

// HealthState says whether an org is worked on.
type HealthState string

// The states.
const (
	HealthOK   HealthState = "ok"
	HealthHeld HealthState = "held"
)

// Health is what Salesforce last said of an org as a whole. It changes only by
// compare-and-set, so that replicas agree and one of them probes at a time.
type Health struct {
	V     int         `json:"v"`
	Org   string      `json:"org"`
	State HealthState `json:"state"`
	// Failure says why the org is held.
	Failure *Failure  `json:"failure,omitempty"`
	Since   time.Time `json:"since"`
	// TokenGeneration is the generation of the token that was refused, so that
	// token-refresher can tell an old complaint from a new one.
	TokenGeneration uint64 `json:"tokenGeneration,omitzero"`
	// NextProbe is when somebody may try again; Prober is who does.
	NextProbe time.Time `json:"nextProbe,omitzero"`
	Prober    string    `json:"prober,omitempty"`
	Probes    int       `json:"probes,omitzero"`
	// Usage is Salesforce's Sforce-Limit-Info, used of limit, when last seen.
	Used  int       `json:"used,omitzero"`
	Limit int       `json:"limit,omitzero"`
	At    time.Time `json:"at"`
}

// Kinds of what Salesforce may have without Rollcall's doing.
const (
	DriftActive      = "active"      // a leaver's user is active
	DriftDeactivated = "deactivated" // somebody's user is not active
	DriftFrozen      = "frozen"      // the user is frozen
	DriftFields      = "fields"      // fields of the user have other values
	DriftTaken       = "taken"       // the user lacks assignments that Rollcall gave
	DriftGiven       = "given"       // the user has assignments that Rollcall did not give
	DriftGone        = "gone"        // the user is not there
)

// Drift is what was seen of one person's user.
type Drift struct {
	At time.Time `json:"at"`
	// Repair are the kinds that are put right: the person is read anew in the next
	// step. It is emptied by that.
	Repair []string `json:"repair,omitempty"`
	// Left are the kinds that are left as they are: reported, or accepted.
	Left []string `json:"left,omitempty"`
	// Names are the fields and assignments concerned; never values.
	Names []string `json:"names,omitempty"`
	// Repairs counts those since Since: what something else undoes at every turn
	// is not repaired for ever.
	Repairs int       `json:"repairs,omitzero"`
	Since   time.Time `json:"since,omitzero"`
}

// Due says whether the person has to be read anew.
func (d *Drift) Due() bool { return d != nil && len(d.Repair) > 0 }

// Leaves says whether a kind is left as it is.
func (d *Drift) Leaves(kind string) bool { return d != nil && slices.Contains(d.Left, kind) }

// Stands says whether anything differs, as far as anybody has seen.
func (d *Drift) Stands() bool { return d != nil && len(d.Repair)+len(d.Left) > 0 }

// Check is how far an org has been read for what was changed in it without
// Rollcall. It changes only by compare-and-set, so that one replica reads at a time.
type Check struct {
	V   int    `json:"v"`
	Org string `json:"org"`
	// OrganizationID is the org's own id when it was read.
	OrganizationID string `json:"organizationId,omitempty"`
	// Watermark is when the last reading began: the next one asks for what was
	// changed since, less a margin.
	Watermark time.Time `json:"watermark,omitzero"`
	// Cursor is the sequence in ROSTER of the last link that the round under way
	// has compared, RoundTo the last one it is to compare; RoundBegan is when it began.
	Cursor     uint64    `json:"cursor,omitzero"`
	RoundTo    uint64    `json:"roundTo,omitzero"`
	RoundBegan time.Time `json:"roundBegan,omitzero"`
	// SeenSince and RoundEnded are of the last whole round: everybody with a user was
	// compared between the two.
	SeenSince  time.Time `json:"seenSince,omitzero"`
	RoundEnded time.Time `json:"roundEnded,omitzero"`
	// Again are users who were worked on while they were read; they are read again.
	Again []string `json:"again,omitempty"`
	// Reported counts people by what is only told of them; Counting is the round's
	// under way.
	Reported map[string]int `json:"reported,omitempty"`
	Counting map[string]int `json:"counting,omitempty"`
	// Gone counts, of the users last asked for by id, those who are not there;
	// Stopped says why nobody is put right: this is not the org whose users Rollcall
	// knows.
	Gone    int    `json:"gone,omitzero"`
	Stopped string `json:"stopped,omitempty"`
	// Holder reads until Until.
	Holder string    `json:"holder,omitempty"`
	Until  time.Time `json:"until,omitzero"`
	At     time.Time `json:"at"`
}

// TokenState says what token-refresher knows about an org's credentials.
type TokenState string

// The states.
const (
	TokenConnected  TokenState = "connected"
	TokenRefreshing TokenState = "refreshing"
	TokenHeld       TokenState = "held"
)

// TokenRecord is one org's entry in the tokens bucket. The token itself is
// sealed (AEAD, the org's name as associated data).
type TokenRecord struct {
	V     int        `json:"v"`
	Org   string     `json:"org"`
	State TokenState `json:"state"`
	// Generation rises with every new token.
	Generation uint64 `json:"generation,omitzero"`
	// Sealed is the sealed [Token], base64 in JSON.
	Sealed []byte `json:"sealed,omitempty"`
	// SealedRefresh is the sealed refresh token; it is opened by token-refresher only.
	SealedRefresh []byte `json:"sealedRefresh,omitempty"`
	// Failure and Advice say why the org is held and what to do.
	Failure *Failure  `json:"failure,omitempty"`
	Advice  string    `json:"advice,omitempty"`
	Since   time.Time `json:"since"`
	// CredentialMark is a hash that changes with the configured credentials: a
	// held org is tried again when it does.
	CredentialMark string `json:"credentialMark,omitempty"`
	// Lease is set while somebody talks to the token endpoint.
	Lease *Lease `json:"lease,omitempty"`
	// Intent names the refresh token that was to be presented, until it is known
	// what came of it. Without a lease, the outcome is unknown.
	Intent *Intent `json:"intent,omitempty"`
	// Steady says that the last refresh left the refresh token as it was.
	Steady bool `json:"steady,omitzero"`
	// RetryAt is when a transient trouble is tried again.
	RetryAt time.Time `json:"retryAt,omitzero"`
	Tries   int       `json:"tries,omitzero"`
	At      time.Time `json:"at"`
}

// Lease says who talks to the token endpoint and until when.
type Lease struct {
	Holder string    `json:"holder"`
	Until  time.Time `json:"until"`
}

// Intent is stored before a refresh token is presented.
type Intent struct {
	// Mark is a keyed hash of the refresh token, never the token.
	Mark string    `json:"mark"`
	At   time.Time `json:"at"`
}

// Token is what is sealed into a [TokenRecord].
type Token struct {
	AccessToken string    `json:"accessToken"`
	InstanceURL string    `json:"instanceUrl"`
	OrgID       string    `json:"orgId,omitempty"`
	UserID      string    `json:"userId,omitempty"`
	IssuedAt    time.Time `json:"issuedAt,omitzero"`
	// Scope are the scopes granted, separated by spaces, where the answer named
	// them.
	Scope string `json:"scope,omitempty"`
}
