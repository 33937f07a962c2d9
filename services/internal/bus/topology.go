package bus

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/rollcall-sync/rollcall/pkg/events"
)

const (
	// ackWait is how long an unacked message stays with a worker that may have
	// died. Claims in ROSTER, not this, keep two workers apart.
	ackWait = 30 * time.Second
	// maxAckPending is several batches for each of several replicas.
	maxAckPending = 4000
	// maxBackfillPending is two bulk loads: while one runs, its people stay
	// unacked.
	maxBackfillPending = 20_000
	duplicates         = 10 * time.Minute
)

// ErrSettings marks a stream that is there with settings on which Rollcall's
// promises cannot rest: trying again does not help.
var ErrSettings = errors.New("stream")

// Passing says of an error of Provision, Verify or Plan whether it may pass
// by itself: a server that is just starting, or a cluster without a leader yet.
func Passing(err error) bool {
	if errors.Is(err, ErrSettings) {
		return false
	}
	var api *jetstream.APIError
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, jetstream.ErrNoStreamResponse) ||
		errors.As(err, &api) && api.Code == http.StatusServiceUnavailable
}

// Topology says what an installation needs.
type Topology struct {
	// Orgs are the names of the configured orgs: each has its work consumers.
	Orgs []string
	// Replicas of every stream. Default 1.
	Replicas int
}

// provisioning is the part of the bus that makes streams and consumers.
type provisioning struct{ *Bus }

// Provision creates what is missing, and changes settings of streams that are
// there where nothing is lost by it, with a line in the log for each. Other
// settings by which something would be lost are an error that names each.
func (b *Bus) Provision(ctx context.Context, t Topology) error {
	var faults []error
	p := provisioning{b}
	for _, want := range streamConfigs(t) {
		faults = append(faults, p.provisionStream(ctx, want))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if err := p.provisionBucket(ctx, bucketConfig(t)); err != nil {
		return err
	}
	for stream, consumers := range consumerConfigs(t) {
		for _, want := range consumers {
			if err := p.provisionConsumer(ctx, stream, want); err != nil {
				return fmt.Errorf("provision consumer %s of %s: %w", want.Durable, stream, err)
			}
		}
	}
	return nil
}

// Each request has its own deadline: one that is lost with a dying server would
// otherwise be waited for as long as the caller waits for everything.

func (b provisioning) provisionConsumer(ctx context.Context, stream string, want jetstream.ConsumerConfig) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := b.js.CreateOrUpdateConsumer(ctx, stream, want)
	return err
}

// Verify says whether everything is there as Provision makes it, of what our
// role may look at. What no promise rests on can wait, and is no error.
func (b *Bus) Verify(ctx context.Context, t Topology) (waits []Change, err error) {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	p := provisioning{b}
	plan, err := p.plan(ctx, t, p.sees(t))
	for _, m := range plan.Make {
		err = errors.Join(err, fmt.Errorf("%s is missing", m))
	}
	for _, c := range plan.Change {
		if c.Waits {
			waits = append(waits, c)
			continue
		}
		err = errors.Join(err, c.unmade())
	}
	return waits, err
}

// Plan is what Provision would do.
type Plan struct {
	// Make names what is missing.
	Make   []string
	Change []Change
}

// Plan looks at what is there. Its error joins what Provision would refuse.
func (b *Bus) Plan(ctx context.Context, t Topology) (Plan, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*requestTimeout)
	defer cancel()
	return provisioning{b}.plan(ctx, t, func(string, string) bool { return true })
}

// sees says which streams (with no consumer) and consumers our role may look at.
func (b provisioning) sees(t Topology) func(stream, consumer string) bool {
	roles := Roles(t.Orgs, nil)
	i := slices.IndexFunc(roles, func(r Role) bool { return r.Name == b.name })
	if i < 0 || len(roles[i].Provisions) > 0 {
		return func(string, string) bool { return true }
	}
	role := roles[i]
	return func(stream, consumer string) bool {
		if consumer == "" {
			return slices.Contains(role.streams(), stream)
		}
		return slices.Contains(role.Feeds, Place{stream, consumer}) || slices.Contains(role.Lists, stream)
	}
}

func (b provisioning) plan(ctx context.Context, t Topology, sees func(stream, consumer string) bool) (Plan, error) {
	var p Plan
	var faults []error
	consumers := consumerConfigs(t)
	for _, want := range append(streamConfigs(t), jetstream.StreamConfig{Name: tokensStream}) {
		if !sees(want.Name, "") {
			continue
		}
		s, err := b.js.Stream(ctx, want.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			p.Make = append(p.Make, "stream "+want.Name)
		case err != nil:
			faults = append(faults, fmt.Errorf("look up stream %s: %w", want.Name, err))
			continue
		default:
			changes, err := compare(s.CachedInfo(), want, t)
			p.Change, faults = append(p.Change, changes...), append(faults, err)
		}
		for _, c := range consumers[want.Name] {
			if sees(want.Name, c.Durable) {
				missing, err := b.missing(ctx, want.Name, c)
				p.Make, faults = append(p.Make, missing...), append(faults, err)
			}
		}
	}
	return p, errors.Join(faults...)
}

func compare(have *jetstream.StreamInfo, want jetstream.StreamConfig, t Topology) (changes []Change, err error) {
	if want.Name == tokensStream {
		_, changes = compareBucket(have.Config, bucketConfig(t).Replicas)
		return changes, nil
	}
	_, changes, err = compareStream(*have, want)
	return changes, err
}

// missing names a consumer that is not there as it should be.
func (b provisioning) missing(ctx context.Context, stream string, c jetstream.ConsumerConfig) ([]string, error) {
	have, err := b.js.Consumer(ctx, stream, c.Durable)
	switch {
	case err == nil && have.CachedInfo().Config.FilterSubject != c.FilterSubject:
		return []string{fmt.Sprintf("consumer %s of %s with filter %s", c.Durable, stream, c.FilterSubject)}, nil
	case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
		return []string{fmt.Sprintf("consumer %s of %s", c.Durable, stream)}, nil
	case err != nil:
		return nil, fmt.Errorf("look up consumer %s of %s: %w", c.Durable, stream, err)
	}
	return nil, nil
}

func streamConfigs(t Topology) []jetstream.StreamConfig {
	base := jetstream.StreamConfig{
		Retention: jetstream.LimitsPolicy, Storage: jetstream.FileStorage, Discard: jetstream.DiscardOld,
		MaxMsgs: -1, MaxBytes: -1, MaxMsgsPerSubject: -1,
		Replicas: max(t.Replicas, 1), Duplicates: duplicates,
		AllowDirect: true, AllowAtomicPublish: true,
	}
	directory := base
	directory.Name, directory.Subjects = events.StreamDirectory, []string{events.DirectoryAll}
	directory.Description = "events as they came"

	roster := base
	roster.Name, roster.Subjects = events.StreamRoster, events.RosterSubjects()
	roster.Description = "the state of every person, newest message per subject"
	roster.MaxMsgsPerSubject = 1
	roster.AllowMsgSchedules = true
	roster.AllowRollup = true // the server sets it with schedules

	dead := base
	dead.Name, dead.Subjects = events.StreamDead, []string{events.DeadAll}
	dead.Description = "dead letters, one per person, org and cause"
	dead.MaxMsgsPerSubject = 1

	operator := base
	operator.Name, operator.Subjects = events.StreamOperator, []string{events.OperatorAll}
	operator.Description = "the audit log: what admins asked for and what came of it"
	return []jetstream.StreamConfig{directory, roster, dead, operator}
}

func bucketConfig(t Topology) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{
		Bucket: events.BucketTokens, Description: "sealed tokens and token state per org",
		History: 1, Storage: jetstream.FileStorage, Replicas: max(t.Replicas, 1),
	}
}

func consumerConfigs(t Topology) map[string][]jetstream.ConsumerConfig {
	roster := []jetstream.ConsumerConfig{
		consumerConfig(events.ConsumerReconsider, events.ReconsiderAll),
		consumerConfig(events.ConsumerReleases, events.ReleasesAll),
		consumerConfig(events.ConsumerOutcomes, events.OutcomesAll),
		consumerConfig(events.ConsumerRejections, events.RejectionsAll),
	}
	for _, org := range t.Orgs {
		for _, lane := range events.Lanes() {
			c := consumerConfig(events.WorkConsumer(org, lane), events.WorkFilter(org, lane))
			if lane == events.LaneBackfill {
				c.MaxAckPending = maxBackfillPending
			}
			roster = append(roster, c)
		}
	}
	return map[string][]jetstream.ConsumerConfig{
		events.StreamDirectory: {consumerConfig(events.ConsumerAssignment, events.DirectoryAll)},
		events.StreamRoster:    roster,
		events.StreamOperator: {
			consumerConfig(events.ConsumerOperator, events.OperatorAll),
			consumerConfig(events.ConsumerMerge, events.OperatorSubject(events.VerbMerge)),
			consumerConfig(events.ConsumerUnlink, events.OperatorSubject(events.VerbUnlink)),
			consumerConfig(events.ConsumerAllow, events.OperatorSubject(events.VerbAllow)),
		},
	}
}

func consumerConfig(name, filter string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: name, FilterSubject: filter,
		DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxAckPending: maxAckPending, MaxDeliver: -1,
	}
}
