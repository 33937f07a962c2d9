package bus

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

//go:generate go run ./permissionsdoc -accounts ../../../deploy/compose/nats/accounts.conf -page ../../../docs/permissions.md

// Names of the roles that are not services.
const (
	// RoleOperator is whoever uses `rollcall status`, `tasks`, `person`, `events`, `audit`.
	RoleOperator = "operator"
	// RoleProvisioner is `rollcall provision`.
	RoleProvisioner = "provisioner"
	// rolePublisher begins the name of a source's role.
	rolePublisher = "publisher-"
)

// RolePublisher is the role of an upstream source.
func RolePublisher(source string) string { return rolePublisher + source }

// Role is one user of NATS, and the least that it needs: subjects to publish
// and to subscribe follow from what it does.
type Role struct {
	// Name is the service's, or one of the names above.
	Name string
	// Who says in a few words who that is.
	Who string
	// Writes are the subjects of the messages it stores.
	Writes []string
	// Feeds are the durable consumers it takes messages from.
	Feeds []Place
	// Reads are streams in which it reads any message.
	Reads []string
	// Follows are subjects whose newest message it reads and waits for, where
	// the rest of the stream is none of its business. Looks are such subjects
	// for which it does not wait.
	Follows, Looks []Place
	// Removes are streams from which it removes messages.
	Removes []string
	// Lists are streams whose consumers it may look at.
	Lists []string
	// Inspects lets it ask how much is stored, and how the server keeps its disk.
	Inspects bool
	// Provisions are the streams, and their consumers, that it makes.
	Provisions []Place
}

// Place is something in a stream: a consumer, or the messages of a subject.
type Place struct{ Stream, Name string }

// tokensStream is the stream behind the bucket.
const (
	tokensStream = "KV_" + events.BucketTokens
	tokensPrefix = "$KV." + events.BucketTokens + "."
)

// Roles are all users of an installation with these orgs and sources. Every
// subject has one writer; where two are named, events says why that is harmless.
func Roles(orgs, sources []string) []Role {
	token := Place{tokensStream, tokensPrefix + "*"}
	var work []Place
	for _, org := range orgs {
		for _, lane := range events.Lanes() {
			work = append(work, Place{events.StreamRoster, events.WorkConsumer(org, lane)})
		}
	}
	roles := []Role{
		{
			Name: "assignment", Who: "the service: works out what each person should have",
			Writes: []string{
				events.PersonSubject("*"), events.GroupSubject("*"), events.DesiredSubject("*", "*"),
				events.WorkSubject("*", "*", "*"), events.RejectionsAll,
				events.ConfigurationSubject(), events.SweepSubject(), events.BeatsAll, events.AsidesAll, events.HeldAll, events.GuardsAll,
			},
			Feeds: []Place{
				{events.StreamDirectory, events.ConsumerAssignment}, {events.StreamRoster, events.ConsumerReconsider},
				{events.StreamRoster, events.ConsumerReleases},
			},
			Reads:   []string{events.StreamDirectory, events.StreamRoster},
			Follows: []Place{{events.StreamRoster, events.ConfigurationSubject()}},
		},
		{
			Name: "token-refresher", Who: "the service: keeps the orgs signed in; and `rollcall connect`",
			Writes:  []string{tokensPrefix + ">"},
			Reads:   []string{tokensStream},
			Follows: []Place{token, {events.StreamRoster, events.HealthAll}},
			Looks:   []Place{{tokensStream, tokensPrefix + ">"}}, // logins that wait for their browser
		},
		{
			Name: "salesforce-pusher", Who: "the service: makes Salesforce so",
			Writes: append(entries(events.VerbMerged, events.VerbUnlinked, events.VerbAllowed, events.VerbRefused),
				events.LinkSubject("*", "*"), events.OwnerSubject("*", "*"), events.OutcomeSubject("*", "*"), events.HealthAll, events.ChecksAll,
				events.WorkSubject("*", "*", "*"), // when it was fenced, and of whom Salesforce has something else
				events.LookSubject("*", "*"), events.TurnSubject("*", "*", "*"),
			),
			Feeds: append(work, Place{events.StreamOperator, events.ConsumerMerge}, Place{events.StreamOperator, events.ConsumerUnlink}, Place{events.StreamOperator, events.ConsumerAllow}), Reads: []string{events.StreamRoster}, Follows: []Place{token},
		},
		{
			Name: "retry-scheduler", Who: "the service: decides what comes of failures",
			Writes: append(entries(events.VerbRetried, events.VerbDiscarded, events.VerbPaused, events.VerbResumed, events.VerbRefused, events.VerbClosed,
				events.VerbReleased, events.VerbRejected, events.VerbResynced),
				events.DeadSubject("*", "*", "*"), events.RetrySubject("*", "*"), events.DiscardedSubject("*", "*"),
				events.ReconsiderAll, events.WorkSubject("*", "*", "*"), events.PausesSubject(), events.ReleasesAll,
			),
			Feeds: []Place{
				{events.StreamRoster, events.ConsumerOutcomes}, {events.StreamRoster, events.ConsumerRejections},
				{events.StreamOperator, events.ConsumerOperator},
			},
			Reads:   []string{events.StreamRoster, events.StreamDead, events.StreamOperator},
			Removes: []string{events.StreamDead},
		},
		{
			Name: RoleOperator, Who: "an admin: `rollcall status`, `tasks`, `person`, `events`, `audit`, `doctor`, `pause`, `resume`, `publish --snapshot`",
			Writes: entries(asked()...),
			Reads:  []string{events.StreamDirectory, events.StreamRoster, events.StreamDead, events.StreamOperator},
			Looks:  []Place{token},
			Lists:  []string{events.StreamDirectory, events.StreamRoster, events.StreamOperator},

			Inspects: true,
		},
		{Name: RoleProvisioner, Who: "`rollcall provision`: makes streams and consumers", Provisions: places(orgs)},
	}
	for _, source := range sources {
		roles = append(roles, Role{
			Name: RolePublisher(source), Who: "the upstream source " + source + ", and `rollcall publish` of its exports",
			Writes: []string{events.DirectorySubject(source, "*")},
		})
	}
	return roles
}

// entries are the audit log's subjects of these verbs.
func entries(verbs ...events.Verb) []string {
	out := make([]string, len(verbs))
	for i, v := range verbs {
		out[i] = events.OperatorSubject(v)
	}
	return out
}

// asked are the verbs of admins.
func asked() []events.Verb {
	return slices.DeleteFunc(events.Verbs(), func(v events.Verb) bool { return !v.Asked() })
}

// places are all streams, and all consumers with the subject they are made by.
func places(orgs []string) []Place {
	topology := Topology{Orgs: orgs}
	var out []Place
	consumers := consumerConfigs(topology)
	for _, s := range streamConfigs(topology) {
		out = append(out, Place{Stream: s.Name})
		for _, c := range consumers[s.Name] {
			out = append(out, Place{s.Name, c.Durable + "." + c.FilterSubject})
		}
	}
	return append(out, Place{Stream: tokensStream})
}

// InboxPrefix keeps the replies to one role from the others.
func InboxPrefix(role string) string { return "_INBOX_" + role }

// Variable is the name under which the role's public key stands in NATS's
// configuration.
func (r Role) Variable() string {
	return "NKEY_" + strings.ToUpper(strings.ReplaceAll(r.Name, "-", "_"))
}

// Subscribe are the subjects the role may subscribe to.
func (r Role) Subscribe() []string {
	out := []string{InboxPrefix(r.Name) + ".>"}
	for _, f := range r.Follows {
		out = append(out, f.Name)
	}
	return out
}

// Publish are the subjects the role may publish.
func (r Role) Publish() []string {
	out := slices.Clone(r.Writes)
	for _, s := range r.streams() {
		out = append(out, "$JS.API.STREAM.INFO."+s)
	}
	for _, s := range r.Reads {
		out = append(out, "$JS.API.DIRECT.GET."+s)
	}
	for _, f := range slices.Concat(r.Follows, r.Looks) {
		out = append(out, fmt.Sprintf("$JS.API.DIRECT.GET.%s.%s", f.Stream, f.Name))
	}
	for _, f := range r.Feeds {
		at := f.Stream + "." + f.Name
		out = append(out, "$JS.API.CONSUMER.INFO."+at, "$JS.API.CONSUMER.RESET."+at, "$JS.API.CONSUMER.MSG.NEXT."+at,
			"$JS.ACK."+at+".>",
			"$JS.ACK.*.*."+at+".>") // as servers with js_ack_fc_v2 write it
	}
	for _, s := range r.Removes {
		out = append(out, "$JS.API.STREAM.MSG.DELETE."+s)
	}
	for _, s := range r.Lists {
		out = append(out, "$JS.API.CONSUMER.LIST."+s, "$JS.API.CONSUMER.INFO."+s+".*")
	}
	if r.Inspects {
		out = append(out, "$JS.API.INFO", varz)
	}
	return append(out, r.provisioning()...)
}

// provisioning is what making streams takes. Removing them takes more, which
// nobody has.
func (r Role) provisioning() []string {
	if len(r.Provisions) == 0 {
		return nil
	}
	out := []string{"$JS.API.INFO"}
	for _, p := range r.Provisions {
		if p.Name != "" {
			consumer, _, _ := strings.Cut(p.Name, ".")
			out = append(out, "$JS.API.CONSUMER.CREATE."+p.Stream+"."+p.Name, "$JS.API.CONSUMER.INFO."+p.Stream+"."+consumer)
			continue
		}
		out = append(out, "$JS.API.STREAM.CREATE."+p.Stream, "$JS.API.STREAM.UPDATE."+p.Stream, "$JS.API.STREAM.INFO."+p.Stream)
	}
	return out
}

// streams are those whose settings the role may see: it works on them.
func (r Role) streams() []string {
	out := slices.Concat(r.Reads, r.Lists)
	for _, f := range r.Feeds {
		out = append(out, f.Stream)
	}
	slices.Sort(out)
	return slices.Compact(out)
}
