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

// Passing says of an error of Provision, Verify or Missing whether it may pass
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

// Provision creates what is missing. Streams that are there with other settings
// are an error that names each setting: they hold data, so nobody changes them
// by starting a program.
func (b *Bus) Provision(ctx context.Context, t Topology) error {
	var faults []error
	for _, want := range streamConfigs(t) {
		faults = append(faults, b.provisionStream(ctx, want))
	}
	if err := errors.Join(faults...); err != nil {
		return err
	}
	if err := b.provisionBucket(ctx, bucketConfig(t)); err != nil {
		return fmt.Errorf("provision bucket %s: %w", events.BucketTokens, err)
	}
	for stream, consumers := range consumerConfigs(t) {
		for _, want := range consumers {
			if err := b.provisionConsumer(ctx, stream, want); err != nil {
				return fmt.Errorf("provision consumer %s of %s: %w", want.Durable, stream, err)
			}
		}
	}
	return nil
}

// Each request has its own deadline: one that is lost with a dying server would
// otherwise be waited for as long as the caller waits for everything.

func (b *Bus) provisionBucket(ctx context.Context, want jetstream.KeyValueConfig) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := b.js.CreateOrUpdateKeyValue(ctx, want)
	return err //nolint:wrapcheck // the caller says what it is about
}

func (b *Bus) provisionConsumer(ctx context.Context, stream string, want jetstream.ConsumerConfig) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := b.js.CreateOrUpdateConsumer(ctx, stream, want)
	return err //nolint:wrapcheck // the caller says what it is about
}

// Verify says whether everything is there as Provision makes it, of what our
// role may look at.
func (b *Bus) Verify(ctx context.Context, t Topology) error {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	missing, err := b.missing(ctx, t, b.sees(t))
	for _, m := range missing {
		err = errors.Join(err, fmt.Errorf("%s is missing", m))
	}
	return err
}

// Missing names what Provision would make. Its error joins what is there with
// other settings.
func (b *Bus) Missing(ctx context.Context, t Topology) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, 4*requestTimeout)
	defer cancel()
	return b.missing(ctx, t, func(string, string) bool { return true })
}

// sees says which streams (with no consumer) and consumers our role may look at.
func (b *Bus) sees(t Topology) func(stream, consumer string) bool {
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

func (b *Bus) missing(ctx context.Context, t Topology, sees func(stream, consumer string) bool) ([]string, error) {
	var missing []string
	var faults []error
	bucket := jetstream.StreamConfig{Name: tokensStream}
	consumers := consumerConfigs(t)
	for _, want := range append(streamConfigs(t), bucket) {
		if !sees(want.Name, "") {
			continue
		}
		s, err := b.js.Stream(ctx, want.Name)
		switch {
		case errors.Is(err, jetstream.ErrStreamNotFound):
			missing = append(missing, "stream "+want.Name)
		case err != nil:
			faults = append(faults, fmt.Errorf("look up stream %s: %w", want.Name, err))
			continue
		case want.Name != bucket.Name: // the bucket's settings are the client's
			faults = append(faults, compareStream(s.CachedInfo().Config, want))
		}
		for _, c := range consumers[want.Name] {
			if !sees(want.Name, c.Durable) {
				continue
			}
			have, err := b.js.Consumer(ctx, want.Name, c.Durable)
			switch {
			case err == nil && have.CachedInfo().Config.FilterSubject != c.FilterSubject:
				missing = append(missing, fmt.Sprintf("consumer %s of %s with filter %s", c.Durable, want.Name, c.FilterSubject))
			case errors.Is(err, jetstream.ErrConsumerNotFound), errors.Is(err, jetstream.ErrStreamNotFound):
				missing = append(missing, fmt.Sprintf("consumer %s of %s", c.Durable, want.Name))
			case err != nil:
				faults = append(faults, fmt.Errorf("look up consumer %s of %s: %w", c.Durable, want.Name, err))
			}
		}
	}
	return missing, errors.Join(faults...)
}

func (b *Bus) provisionStream(ctx context.Context, want jetstream.StreamConfig) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	_, err := b.js.CreateStream(ctx, want)
	if err == nil {
		return nil
	}
	if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
		return fmt.Errorf("provision stream %s: %w", want.Name, err)
	}
	s, err := b.js.Stream(ctx, want.Name)
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", want.Name, err)
	}
	have := s.CachedInfo().Config
	if err := compareStream(have, want); err != nil {
		return err
	}
	return b.addSubjects(ctx, have, want)
}

// addSubjects lets a newer version add subjects to a stream that is otherwise
// as it should be.
func (b *Bus) addSubjects(ctx context.Context, have, want jetstream.StreamConfig) error {
	missing := false
	for _, s := range want.Subjects {
		if !slices.Contains(have.Subjects, s) {
			have.Subjects = append(have.Subjects, s)
			missing = true
		}
	}
	if !missing {
		return nil
	}
	if _, err := b.js.UpdateStream(ctx, have); err != nil {
		return fmt.Errorf("add subjects to stream %s: %w", want.Name, err)
	}
	return nil
}

// compareStream names every setting on which Rollcall's promises rest.
func compareStream(have, want jetstream.StreamConfig) error {
	var faults []error
	diffs := []struct {
		setting    string
		have, want any
	}{
		{"retention", have.Retention, want.Retention},
		{"storage", have.Storage, want.Storage},
		{"discard", have.Discard, want.Discard},
		{"max_msgs_per_subject", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject},
		{"max_age", have.MaxAge, want.MaxAge},
		{"max_msgs", have.MaxMsgs, want.MaxMsgs},
		{"max_bytes", have.MaxBytes, want.MaxBytes},
		{"allow_atomic", have.AllowAtomicPublish, want.AllowAtomicPublish},
		{"allow_direct", have.AllowDirect, want.AllowDirect},
		{"allow_msg_schedules", have.AllowMsgSchedules, want.AllowMsgSchedules},
		{"num_replicas", min(have.Replicas, want.Replicas), want.Replicas}, // more take nothing from a promise
	}
	for _, d := range diffs {
		if d.have != d.want {
			faults = append(faults, fmt.Errorf("%w %s: %s is %v, must be %v", ErrSettings, want.Name, d.setting, d.have, d.want))
		}
	}
	return errors.Join(faults...)
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
		events.StreamOperator:  {consumerConfig(events.ConsumerOperator, events.OperatorAll)},
	}
}

func consumerConfig(name, filter string) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: name, FilterSubject: filter,
		DeliverPolicy: jetstream.DeliverAllPolicy, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxAckPending: maxAckPending, MaxDeliver: -1,
	}
}
