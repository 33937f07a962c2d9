package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// Change is one setting of a stream that is there which Provision changes:
// nothing is lost by it.
type Change struct {
	Stream, Setting string
	From, To        any
	// Waits says that no promise of Rollcall's rests on it: services start
	// without it.
	Waits bool
}

// String says it in words.
func (c Change) String() string {
	return fmt.Sprintf("%s of stream %s from %v to %v", c.Setting, c.Stream, c.From, c.To)
}

// unmade is what a change is to whoever may not make it.
func (c Change) unmade() error {
	return fmt.Errorf("%w %s: %s is %v, must be %v", ErrSettings, c.Stream, c.Setting, c.From, c.To)
}

// setting is one that differs from what it should be.
type setting struct {
	name       string
	have, want any
	waits      bool
	// loses says what would be lost by changing it; then nobody does.
	loses string
	set   func(*jetstream.StreamConfig)
}

// compareStream sets a stream beside what it should be: to is its configuration
// with everything put right that may be. An error names what may not.
func compareStream(have jetstream.StreamInfo, want jetstream.StreamConfig) (to jetstream.StreamConfig, changes []Change, err error) {
	to = have.Config
	to.Subjects = slices.Clone(to.Subjects)
	for _, s := range slices.Concat(limits(have, want), switches(have.Config, want)) {
		switch {
		case s.have == s.want:
		case s.loses != "":
			err = errors.Join(err, fmt.Errorf("%w %s: %s is %v, must be %v, and is not changed: %s", ErrSettings, want.Name, s.name, s.have, s.want, s.loses))
		default:
			s.set(&to)
			changes = append(changes, Change{Stream: want.Name, Setting: s.name, From: s.have, To: s.want, Waits: s.waits})
		}
	}
	return to, changes, err
}

// limits are the settings that decide how much is kept.
func limits(info jetstream.StreamInfo, want jetstream.StreamConfig) []setting {
	have := info.Config
	const drops = "messages would be dropped"
	below := func(limit int64, held uint64) string {
		if limit > 0 && uint64(limit) < held {
			return fmt.Sprintf("it holds %d", held)
		}
		return ""
	}
	fewer := ""
	if n := want.MaxMsgsPerSubject; n > 0 && (have.MaxMsgsPerSubject <= 0 || have.MaxMsgsPerSubject > n) {
		fewer = drops
	}
	return []setting{
		{name: "retention", have: have.Retention, want: want.Retention, loses: drops},
		{name: "max_age", have: have.MaxAge, want: want.MaxAge, loses: "how long something is kept is the decision of whoever set it"},
		{name: "max_msgs_per_subject", have: bound(have.MaxMsgsPerSubject), want: bound(want.MaxMsgsPerSubject), loses: fewer,
			set: func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject = want.MaxMsgsPerSubject }},
		{name: "max_msgs", have: bound(have.MaxMsgs), want: bound(want.MaxMsgs), loses: below(want.MaxMsgs, info.State.Msgs),
			set: func(c *jetstream.StreamConfig) { c.MaxMsgs = want.MaxMsgs }},
		{name: "max_bytes", have: bound(have.MaxBytes), want: bound(want.MaxBytes), loses: below(want.MaxBytes, info.State.Bytes),
			set: func(c *jetstream.StreamConfig) { c.MaxBytes = want.MaxBytes }},
		{name: "discard", have: have.Discard, want: want.Discard,
			set: func(c *jetstream.StreamConfig) { c.Discard = want.Discard }},
	}
}

// switches are the others.
func switches(have, want jetstream.StreamConfig) []setting {
	const kept = "the server cannot"
	missing := slices.DeleteFunc(slices.Clone(want.Subjects), func(s string) bool { return slices.Contains(have.Subjects, s) })
	schedules := ""
	if have.AllowMsgSchedules {
		schedules = kept + " switch it off again"
	}
	return []setting{
		{name: "storage", have: have.Storage, want: want.Storage, loses: kept + " move a stream"},
		{name: "subjects", have: phrase("without", missing), want: phrase("with", missing),
			set: func(c *jetstream.StreamConfig) { c.Subjects = append(c.Subjects, missing...) }},
		// More replicas than asked for take nothing from a promise.
		{name: "num_replicas", have: have.Replicas, want: max(have.Replicas, want.Replicas),
			set: func(c *jetstream.StreamConfig) { c.Replicas = want.Replicas }},
		{name: "allow_atomic", have: have.AllowAtomicPublish, want: want.AllowAtomicPublish,
			set: func(c *jetstream.StreamConfig) { c.AllowAtomicPublish = want.AllowAtomicPublish }},
		{name: "allow_direct", have: have.AllowDirect, want: want.AllowDirect,
			set: func(c *jetstream.StreamConfig) { c.AllowDirect = want.AllowDirect }},
		{name: "allow_msg_schedules", have: have.AllowMsgSchedules, want: want.AllowMsgSchedules, loses: schedules,
			set: func(c *jetstream.StreamConfig) { c.AllowMsgSchedules, c.AllowRollup = true, true }},
		{name: "duplicate_window", have: have.Duplicates, want: want.Duplicates, waits: true,
			set: func(c *jetstream.StreamConfig) { c.Duplicates = want.Duplicates }},
		{name: "description", have: have.Description, want: want.Description, waits: true,
			set: func(c *jetstream.StreamConfig) { c.Description = want.Description }},
	}
}

// bound says a limit in words.
func bound(n int64) any {
	if n <= 0 {
		return "none"
	}
	return n
}

func phrase(word string, subjects []string) string {
	if len(subjects) == 0 {
		return ""
	}
	return word + " " + strings.Join(subjects, ", ")
}

// provisionStream makes a stream, or changes what may be changed of one that is
// there.
func (b provisioning) provisionStream(ctx context.Context, want jetstream.StreamConfig) error {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	s, err := b.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		if _, err = b.js.CreateStream(ctx, want); err == nil {
			return nil
		}
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			return fmt.Errorf("provision stream %s: %w", want.Name, err)
		}
		s, err = b.js.Stream(ctx, want.Name) // made by another process that starts
	}
	if err != nil {
		return fmt.Errorf("look up stream %s: %w", want.Name, err)
	}
	to, changes, err := compareStream(*s.CachedInfo(), want)
	if err != nil || len(changes) == 0 {
		return err
	}
	return b.change(ctx, to, changes)
}

// provisionBucket makes the bucket. Its settings are the client's, but for the
// replicas, of which an existing one may have more.
func (b provisioning) provisionBucket(ctx context.Context, want jetstream.KeyValueConfig) error {
	ctx, cancel := context.WithTimeout(ctx, 2*requestTimeout)
	defer cancel()
	s, err := b.js.Stream(ctx, tokensStream)
	switch {
	case errors.Is(err, jetstream.ErrStreamNotFound):
		if _, err = b.js.CreateKeyValue(ctx, want); errors.Is(err, jetstream.ErrBucketExists) {
			err = nil // by another process that starts
		}
	case err == nil:
		to, changes := compareBucket(s.CachedInfo().Config, want.Replicas)
		if len(changes) > 0 {
			return b.change(ctx, to, changes)
		}
	}
	if err != nil {
		return fmt.Errorf("provision bucket %s: %w", want.Bucket, err)
	}
	return nil
}

func compareBucket(have jetstream.StreamConfig, replicas int) (jetstream.StreamConfig, []Change) {
	if have.Replicas >= replicas {
		return have, nil
	}
	c := Change{Stream: have.Name, Setting: "num_replicas", From: have.Replicas, To: replicas}
	have.Replicas = replicas
	return have, []Change{c}
}

func (b provisioning) change(ctx context.Context, to jetstream.StreamConfig, changes []Change) error {
	if _, err := b.js.UpdateStream(ctx, to); err != nil {
		said := make([]string, len(changes))
		for i, c := range changes {
			said[i] = c.String()
		}
		return fmt.Errorf("change %s: %w", strings.Join(said, "; "), err)
	}
	for _, c := range changes {
		b.log.InfoContext(ctx, "stream setting changed", "stream", c.Stream, "setting", c.Setting, "from", fmt.Sprint(c.From), "to", fmt.Sprint(c.To))
	}
	return nil
}
