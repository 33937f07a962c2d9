package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/events"
)

// StreamStatus is how a stream stands.
type StreamStatus struct {
	Name      string    `json:"name"`
	Messages  uint64    `json:"messages"`
	Bytes     uint64    `json:"bytes"`
	FirstSeq  uint64    `json:"firstSeq"`
	LastSeq   uint64    `json:"lastSeq"`
	FirstTime time.Time `json:"firstTime,omitzero"`
	LastTime  time.Time `json:"lastTime,omitzero"`
	Subjects  uint64    `json:"subjects"`
}

// ConsumerStatus is how far behind a consumer is.
type ConsumerStatus struct {
	Name        string `json:"name"`
	Stream      string `json:"stream"`
	Pending     uint64 `json:"pending"`
	AckPending  int    `json:"ackPending"`
	Redelivered int    `json:"redelivered"`
	Waiting     int    `json:"waiting"`
	// AckFloor is the stream sequence up to which everything is acked.
	AckFloor uint64 `json:"ackFloor"`
}

// Streams returns how Rollcall's streams stand.
func (b *Bus) Streams(ctx context.Context) ([]StreamStatus, error) {
	var out []StreamStatus
	for _, name := range []string{events.StreamDirectory, events.StreamRoster, events.StreamDead, events.StreamOperator} {
		s, err := b.Stream(ctx, name)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

// Consumer returns how far behind one consumer is.
func (b *Bus) Consumer(ctx context.Context, stream, name string) (ConsumerStatus, error) {
	c, err := b.js.Consumer(ctx, stream, name)
	if err != nil {
		return ConsumerStatus{}, fmt.Errorf("look up consumer %s of %s: %w", name, stream, err)
	}
	i := c.CachedInfo()
	return ConsumerStatus{Name: name, Stream: stream, Pending: i.NumPending, AckPending: i.NumAckPending,
		Redelivered: i.NumRedelivered, Waiting: i.NumWaiting, AckFloor: i.AckFloor.Stream}, nil
}

// Consumers returns how far behind all durable consumers of a stream are.
func (b *Bus) Consumers(ctx context.Context, stream string) ([]ConsumerStatus, error) {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("look up stream %s: %w", stream, err)
	}
	lister := s.ListConsumers(ctx)
	var out []ConsumerStatus
	for i := range lister.Info() {
		if i.Config.Durable == "" {
			continue
		}
		out = append(out, ConsumerStatus{Name: i.Name, Stream: stream, Pending: i.NumPending, AckPending: i.NumAckPending,
			Redelivered: i.NumRedelivered, Waiting: i.NumWaiting, AckFloor: i.AckFloor.Stream})
	}
	if err := lister.Err(); err != nil {
		return nil, fmt.Errorf("list consumers of %s: %w", stream, err)
	}
	return out, nil
}
