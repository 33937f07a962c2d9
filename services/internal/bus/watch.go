package bus

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"
)

// Watch calls each with the newest message of every subject matching filter,
// then with every new one, in order, until ctx ends. It survives reconnects and
// returns nil when ctx ends. It makes a consumer, which no service may: services
// use [Bus.Follow].
func (b *Bus) Watch(ctx context.Context, stream, filter string, each func(Entry)) error {
	var from uint64
	for ctx.Err() == nil {
		last, err := b.watchOnce(ctx, stream, filter, from, each)
		from = max(from, last)
		if ctx.Err() == nil {
			b.log.WarnContext(ctx, "watch is being opened again", "stream", stream, "error", err)
		}
		_ = wait(ctx, rebuildWait) // the loop looks at ctx
	}
	return nil
}

func (b *Bus) watchOnce(ctx context.Context, stream, filter string, from uint64, each func(Entry)) (uint64, error) {
	cfg := jetstream.OrderedConsumerConfig{FilterSubjects: []string{filter}, DeliverPolicy: jetstream.DeliverLastPerSubjectPolicy}
	if from > 0 {
		cfg.DeliverPolicy, cfg.OptStartSeq = jetstream.DeliverByStartSequencePolicy, from+1
	}
	cons, err := b.js.OrderedConsumer(ctx, stream, cfg)
	if err != nil {
		return 0, fmt.Errorf("watch %s: %w", stream, err)
	}
	it, err := cons.Messages(jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat))
	if err != nil {
		return 0, fmt.Errorf("watch %s: %w", stream, err)
	}
	defer context.AfterFunc(ctx, it.Stop)()
	defer it.Stop()
	var last uint64
	for {
		msg, err := it.Next()
		if err != nil {
			return last, fmt.Errorf("watch %s: %w", stream, err)
		}
		m, err := newMessage(msg)
		if err != nil {
			continue
		}
		last = m.Seq
		each(m.Entry)
	}
}

// Bucket is a key-value bucket: one message per key.
type Bucket struct {
	bus  *Bus
	name string
}

// Bucket returns the bucket of this name, made by Provision.
func (b *Bus) Bucket(name string) *Bucket { return &Bucket{bus: b, name: name} }

func (k *Bucket) stream() string            { return "KV_" + k.name }
func (k *Bucket) subject(key string) string { return "$KV." + k.name + "." + key }

// Get returns the newest value of key, or [ErrNotFound]. Its Seq is what Set
// compares with.
func (k *Bucket) Get(ctx context.Context, key string) (Entry, error) {
	e, err := k.bus.newest(ctx, k.stream(), k.subject(key))
	if err != nil && !errors.Is(err, ErrNotFound) {
		return Entry{}, err
	}
	if err != nil || len(e.Data) == 0 {
		return e, fmt.Errorf("read %s in bucket %s: %w", key, k.name, ErrNotFound)
	}
	return e, nil
}

// Set stores a value if the newest one still has sequence lastSeq (0: there is
// none), and returns the new sequence or [ErrConflict].
func (k *Bucket) Set(ctx context.Context, key string, data []byte, lastSeq uint64) (uint64, error) {
	res, err := k.bus.Commit(ctx, k.stream(), []Group{{{Subject: k.subject(key), Data: data, Guarded: true, LastSeq: lastSeq}}})
	if err != nil {
		return 0, err
	}
	if res[0].Err != nil {
		return 0, fmt.Errorf("write %s in bucket %s: %w", key, k.name, res[0].Err)
	}
	return res[0].Seqs[0], nil
}

// Follow calls each with the value of every key, and again when it changes. The
// entry's Subject is the key.
func (k *Bucket) Follow(ctx context.Context, keys []string, each func(Entry)) error {
	subjects := make([]string, len(keys))
	for i, key := range keys {
		subjects[i] = k.subject(key)
	}
	return k.bus.Follow(ctx, k.stream(), subjects, func(e Entry) {
		e.Subject = e.Subject[len(k.subject("")):]
		each(e)
	})
}

// Watch calls each with the value of key (">" for all) and every change. The
// entry's Subject is the key.
func (k *Bucket) Watch(ctx context.Context, key string, each func(Entry)) error {
	prefix := len(k.subject(""))
	return k.bus.Watch(ctx, k.stream(), k.subject(key), func(e Entry) {
		e.Subject = e.Subject[prefix:]
		each(e)
	})
}
