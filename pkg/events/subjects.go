package events

import (
	"fmt"
	"slices"
	"strings"
)

// Streams. All are file-backed with Limits retention; ROSTER keeps one message
// per subject. Who writes and who reads is said beside each subject below and
// enforced by NATS permissions in deploy/compose.
const (
	// StreamDirectory holds events exactly as they came. Append only: its
	// sequence is the order in which events are folded into a person.
	// Writers: upstream systems, `rollcall publish`. Readers: assignment, `rollcall events`.
	StreamDirectory = "DIRECTORY"
	// StreamRoster holds the state of every person, one message per subject.
	// A transaction is one atomic batch in this stream with compare-and-set.
	// Writers: one service per subject. Readers: all services, `rollcall`.
	StreamRoster = "ROSTER"
	// StreamDead holds dead letters: browsable, no age limit.
	// Writer: retry-scheduler. Readers: retry-scheduler, `rollcall`.
	StreamDead = "DEAD"
	// StreamOperator is the audit log: what admins asked for and what came of
	// it. Append only.
	// Writers: `rollcall tasks`, `person`, `pause`, `resume`, `publish`, retry-scheduler,
	// salesforce-pusher. Readers: retry-scheduler, salesforce-pusher, `rollcall`.
	StreamOperator = "OPERATOR"
	// BucketTokens holds one sealed token record per org.
	// Writer: token-refresher. Readers: token-refresher, salesforce-pusher.
	BucketTokens = "tokens"
)

// Durable consumers.
const (
	// ConsumerAssignment reads DIRECTORY.
	ConsumerAssignment = "assignment"
	// ConsumerReconsider reads rollcall.reconsider.* in ROSTER for assignment.
	ConsumerReconsider = "assignment-reconsider"
	// ConsumerReleases reads rollcall.release.*.* in ROSTER for assignment.
	ConsumerReleases = "assignment-releases"
	// ConsumerOutcomes reads outcomes in ROSTER for retry-scheduler.
	ConsumerOutcomes = "retry-outcomes"
	// ConsumerRejections reads rejections in ROSTER for retry-scheduler.
	ConsumerRejections = "retry-rejections"
	// ConsumerOperator reads admin requests in OPERATOR for retry-scheduler.
	ConsumerOperator = "retry-operator"
	// ConsumerMerge, ConsumerUnlink and ConsumerAllow read those requests in OPERATOR
	// for salesforce-pusher.
	ConsumerMerge  = "pusher-merge"
	ConsumerUnlink = "pusher-unlink"
	ConsumerAllow  = "pusher-allow"
)

// Headers that Rollcall sets on its messages.
const (
	// HeaderTraceparent is the W3C trace context. Lower case, because NATS
	// headers are case-sensitive and the server's own tracing looks for it so.
	// Writers: all. Readers: all.
	HeaderTraceparent = "traceparent"
	// HeaderTracestate goes with HeaderTraceparent.
	// Writers: all. Readers: all.
	HeaderTracestate = "tracestate"
	// HeaderContentType is set on every payload.
	// Writers: all. Reader: none, it is for people and other programs.
	HeaderContentType = "content-type"
	// HeaderCommit is the mark of one commit, different each time, on every
	// message of a batch that compares and sets. By it a writer whose reply got
	// lost knows its own messages from others with the same content.
	// Writers: all. Reader: the program that wrote it.
	HeaderCommit = "rollcall-commit"
	// HeaderTaken is on a dead letter that was stored again for a request to discard
	// it: the request's id, and the sequence under which the admin saw it.
	// Writer: retry-scheduler. Reader: retry-scheduler.
	HeaderTaken = "rollcall-taken"
	// ContentTypeCloudEvent marks a structured-mode CloudEvent.
	ContentTypeCloudEvent = "application/cloudevents+json"
	// ContentTypeJSON marks every other payload.
	ContentTypeJSON = "application/json"
)

// Lane is the priority of a piece of work. A leaver never waits behind a first
// load.
type Lane string

// The lanes.
const (
	LaneLeaver   Lane = "leaver"
	LaneChange   Lane = "change"
	LaneBackfill Lane = "backfill"
	// LaneCheck is for people of whom somebody wants to know what Salesforce really
	// has: who comes by it is read anew, whatever was applied before.
	LaneCheck Lane = "check"
)

// Lanes returns the lanes in the order in which they are served.
func Lanes() []Lane { return []Lane{LaneLeaver, LaneChange, LaneBackfill, LaneCheck} }

// Subject patterns for streams and consumers.
const (
	// DirectoryAll is bound to DIRECTORY. Writer: upstream and `rollcall publish`.
	DirectoryAll = "rollcall.directory.>"
	// DeadAll is bound to DEAD. Writer: retry-scheduler.
	DeadAll = "rollcall.dead.>"
	// OperatorAll is bound to OPERATOR.
	OperatorAll = "rollcall.operator.>"
	// OutcomesAll are all outcomes, for retry-scheduler.
	OutcomesAll = "rollcall.outcome.>"
	// RejectionsAll are all rejections, for retry-scheduler.
	RejectionsAll = "rollcall.rejection.*"
	// ReconsiderAll are all requests to read an event again, for assignment.
	ReconsiderAll = "rollcall.reconsider.*"
	// HealthAll is the health of every org, for token-refresher.
	HealthAll = "rollcall.health.*"
	// ChecksAll is how far every org has been read.
	ChecksAll = "rollcall.check.*"
	// OwnersAll are all owner records, for `rollcall up`.
	OwnersAll = "rollcall.owner.>"
	// RetriesAll are all scheduled attempts, for `rollcall up`.
	RetriesAll = "rollcall.retry.>"
	// TurnsAll are all people whom another worker was at, for `rollcall up`.
	TurnsAll = "rollcall.turn.>"
	// AsidesAll are all events that were set aside, by source.
	AsidesAll = "rollcall.aside.*"
	// HeldAll are all that is held of people.
	HeldAll = "rollcall.held.*.*"
	// GuardsAll are the counters of what is taken away, of every org.
	GuardsAll = "rollcall.guard.*"
	// ReleasesAll are all decisions about what is held, for assignment.
	ReleasesAll = "rollcall.release.*.*"
	// PersonsAll are all persons.
	PersonsAll = "rollcall.person.*"
	// ThreesAll is whatever has a kind and one name: all persons, groups,
	// rejections and beats among it. For assignment's sweep.
	ThreesAll = "rollcall.*.*"
	// BeatsAll are the signs of life of all replicas of assignment.
	BeatsAll = "rollcall.beat.*"
)

// RosterSubjects returns the patterns bound to ROSTER.
func RosterSubjects() []string {
	return []string{
		PersonsAll, "rollcall.group.*", "rollcall.desired.*.*", "rollcall.work.*.*.*",
		"rollcall.link.*.*", "rollcall.owner.*.*", "rollcall.outcome.*.*", "rollcall.retry.*.*", "rollcall.look.*.*", "rollcall.turn.*.*.*",
		"rollcall.discarded.*.*", RejectionsAll, ReconsiderAll, HealthAll, ChecksAll,
		ConfigurationSubject(), SweepSubject(), BeatsAll, PausesSubject(), AsidesAll,
		HeldAll, GuardsAll, ReleasesAll,
	}
}

// DirectorySubject is where a source publishes one kind of event
// ("person" or "group"): CloudEvents of [Event]. Writers: upstream systems,
// `rollcall publish`. Reader: assignment.
func DirectorySubject(source, kind string) string { return "rollcall.directory." + source + "." + kind }

// PersonSubject holds [PersonState]. Writer: assignment. Readers: assignment,
// `rollcall person`.
func PersonSubject(key Key) string { return "rollcall.person." + string(key) }

// GroupSubject holds [GroupState]. Writer: assignment. Reader: assignment.
func GroupSubject(key Key) string { return "rollcall.group." + string(key) }

// DesiredSubject holds [Desired]. Writer: assignment. Readers: assignment,
// salesforce-pusher, `rollcall person`.
func DesiredSubject(org string, key Key) string { return "rollcall.desired." + org + "." + string(key) }

// WorkSubject holds [Work]. Writers: assignment, retry-scheduler (replay, and as
// the target of its schedules), salesforce-pusher (when fenced). It carries no
// instruction, so a forged or doubled one is harmless. Reader: salesforce-pusher.
func WorkSubject(org string, lane Lane, key Key) string {
	return "rollcall.work." + org + "." + string(lane) + "." + string(key)
}

// WorkFilter is what the pusher's consumer of one org and lane reads.
func WorkFilter(org string, lane Lane) string {
	return "rollcall.work." + org + "." + string(lane) + ".*"
}

// WorkConsumer names the pusher's durable consumer of one org and lane.
func WorkConsumer(org string, lane Lane) string { return "pusher-" + org + "-" + string(lane) }

// LinkSubject holds [Link]. Writer: salesforce-pusher. Readers:
// salesforce-pusher, `rollcall person`.
func LinkSubject(org string, key Key) string { return "rollcall.link." + org + "." + string(key) }

// OwnerSubject holds [Owner]: which person a Salesforce user belongs to. It is
// written in the commit that links the two, by compare-and-set, so that two people can
// never share one user. Without a key the user is nobody's any more. Writer: salesforce-pusher. Reader: salesforce-pusher.
func OwnerSubject(org, userID string) string { return "rollcall.owner." + org + "." + userID }

// OutcomeSubject holds [Outcome]. Writer: salesforce-pusher. Reader: retry-scheduler.
func OutcomeSubject(org string, key Key) string { return "rollcall.outcome." + org + "." + string(key) }

// RetrySubject holds [Work] as a schedule: a person's next attempt, whose target
// is [WorkSubject]. One per person: publishing again replaces it.
// Writer: retry-scheduler. Reader: the server, which publishes to the target
// when it is due. No consumer may match it.
func RetrySubject(org string, key Key) string { return "rollcall.retry." + org + "." + string(key) }

// LookSubject holds [Work] as a schedule: when a call that got no answer cannot
// be applied any more, and the person has to be looked at. It is written with the
// link that says so ([Link.UnsureUntil]). Writer: salesforce-pusher. Reader: the
// server, which publishes to the target, [WorkSubject], when it is due. No
// consumer may match it.
func LookSubject(org string, key Key) string { return "rollcall.look." + org + "." + string(key) }

// TurnSubject holds [Work] as a schedule: when somebody is looked at again whom
// this lane's work named while another worker was at them. Their message is acked,
// so that it keeps nobody else's back. One per person and lane: publishing again
// replaces it. Writer: salesforce-pusher. Reader: the server, which publishes to the
// target, [WorkSubject] of the same lane, when it is due. No consumer may match it.
func TurnSubject(org string, lane Lane, key Key) string {
	return "rollcall.turn." + org + "." + string(lane) + "." + string(key)
}

// DiscardedSubject holds [Discarded]. Writer: retry-scheduler. Reader: salesforce-pusher.
func DiscardedSubject(org string, key Key) string {
	return "rollcall.discarded." + org + "." + string(key)
}

// RejectionSubject holds [Rejection] for the DIRECTORY event with this sequence.
// Writer: assignment. Reader: retry-scheduler.
func RejectionSubject(seq uint64) string { return fmt.Sprintf("rollcall.rejection.e%d", seq) }

// ReconsiderSubject asks assignment to read the DIRECTORY event with this
// sequence again. Writer: retry-scheduler. Reader: assignment.
func ReconsiderSubject(seq uint64) string { return fmt.Sprintf("rollcall.reconsider.e%d", seq) }

// HealthSubject holds [Health]. Writer: salesforce-pusher. Readers:
// salesforce-pusher, token-refresher, `rollcall status`.
func HealthSubject(org string) string { return "rollcall.health." + org }

// CheckSubject holds [Check]. Writer: salesforce-pusher. Readers:
// salesforce-pusher, `rollcall status`, `rollcall person`.
func CheckSubject(org string) string { return "rollcall.check." + org }

// ConfigurationSubject holds [Configuration]: which configuration is in force.
// Every commit of assignment is guarded by it. Writer: assignment. Readers:
// assignment, `rollcall status`, `rollcall doctor`.
func ConfigurationSubject() string { return "rollcall.config" }

// SweepSubject holds [Sweep]: how far everybody is compared with the
// configuration in force. Writer: assignment. Readers: assignment, `rollcall
// status`, `rollcall doctor`.
func SweepSubject() string { return "rollcall.sweep" }

// BeatSubject holds [Beat], the newest sign of life of one replica of
// assignment, which has taken this number for as long as it lives. It goes with
// every commit. Writer: assignment. Readers: assignment, `rollcall status`,
// `rollcall doctor`.
func BeatSubject(number int) string { return fmt.Sprintf("rollcall.beat.%d", number) }

// PausesSubject holds [Pauses], all there are in one table. Writer: retry-scheduler.
// Readers: retry-scheduler, assignment, salesforce-pusher, `rollcall status`.
func PausesSubject() string { return "rollcall.pauses.all" }

// AsideSubject holds [Aside]. Writer: assignment. Readers: assignment,
// `rollcall status`.
func AsideSubject(source string) string { return "rollcall.aside." + source }

// HeldSubject holds [Held]. Writer: assignment. Readers: retry-scheduler,
// `rollcall hold`.
func HeldSubject(org string, key Key) string { return "rollcall.held." + org + "." + string(key) }

// GuardSubject holds [Guard]. Writer: assignment. Readers: assignment,
// retry-scheduler, `rollcall hold`.
func GuardSubject(org string) string { return "rollcall.guard." + org }

// ReleaseSubject holds [Release]. Writer: retry-scheduler. Reader: assignment.
func ReleaseSubject(org string, key Key) string { return "rollcall.release." + org + "." + string(key) }

// NoOrg stands in the place of the org in the dead letter of an event that
// could not be understood, and so belongs to no org.
const NoOrg = "_"

// DeadSubject holds [DeadLetter]. Writer: retry-scheduler. Readers:
// retry-scheduler, `rollcall tasks`.
func DeadSubject(org string, cause Cause, key Key) string {
	return "rollcall.dead." + org + "." + string(cause) + "." + string(key)
}

// DeadFilter matches dead letters; an empty part matches any.
func DeadFilter(org string, cause Cause, key Key) string {
	return DeadSubject(orAny(org), Cause(orAny(string(cause))), Key(orAny(string(key))))
}

// OperatorSubject holds one entry of the audit log: [OperatorRequest] from an
// admin, or what came of it. Writers: `rollcall tasks` (retry, discard), `rollcall
// hold` (release, reject), `rollcall person` (merge, unlink, allow), `rollcall resync`,
// `rollcall pause` and `resume`, `rollcall publish` (snapshot), salesforce-pusher
// (merged, unlinked, allowed, refused of those), retry-scheduler (all others). Readers:
// retry-scheduler, salesforce-pusher, `rollcall audit`.
func OperatorSubject(verb Verb) string { return "rollcall.operator." + string(verb) }

func orAny(s string) string {
	if s == "" {
		return "*"
	}
	return s
}

// Address is a subject taken apart: its kind ("work", "outcome", …) and the
// parts it names, each empty where the kind has none.
type Address struct {
	Kind  string
	Org   string
	Lane  Lane
	Cause Cause
	Key   Key
}

// ParseSubject takes a ROSTER or DEAD subject apart. It is the inverse of the
// builders above; an unknown shape is an error.
func ParseSubject(subject string) (Address, error) {
	p := strings.Split(subject, ".")
	if p[0] != "rollcall" || slices.Contains(p, "") {
		return Address{}, fmt.Errorf("parse subject %q: not one of rollcall's", subject)
	}
	switch shapeOf(p) {
	case "kind":
		return Address{Kind: p[1]}, nil
	case "kind.key":
		return Address{Kind: p[1], Key: Key(p[2])}, nil
	case "kind.org":
		return Address{Kind: p[1], Org: p[2]}, nil
	case "kind.org.key":
		return Address{Kind: p[1], Org: p[2], Key: Key(p[3])}, nil
	case "kind.org.lane.key":
		return Address{Kind: p[1], Org: p[2], Lane: Lane(p[3]), Key: Key(p[4])}, nil
	case "kind.org.cause.key":
		return Address{Kind: p[1], Org: p[2], Cause: Cause(p[3]), Key: Key(p[4])}, nil
	}
	return Address{}, fmt.Errorf("parse subject %q: not one of rollcall's", subject)
}

// shapeOf says what the tokens of a subject mean, empty where it is none of ours.
func shapeOf(p []string) string {
	if len(p) == 2 && (p[1] == "config" || p[1] == "sweep") {
		return "kind"
	}
	if len(p) < 3 {
		return ""
	}
	shape := ""
	switch p[1] {
	case "person", "group", "rejection", "reconsider", "beat":
		shape = "kind.key"
	case "health", "guard", "check":
		shape = "kind.org"
	case "desired", "link", "owner", "outcome", "retry", "look", "discarded", "held", "release":
		shape = "kind.org.key"
	case "work", "turn":
		shape = "kind.org.lane.key"
	case "dead":
		shape = "kind.org.cause.key"
	}
	if strings.Count(shape, ".") != len(p)-2 {
		return ""
	}
	return shape
}
