package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// rewindEvery bounds how often silence alone rewinds a consumer.
const rewindEvery = 10 * time.Second

// rewind asks for everything unacked again: what nobody has in hand any more
// comes at once, not after the ack wait. What another worker has in hand, and
// what was acked after the oldest that was not, comes twice, which is harmless
// by design.
func (b *Bus) rewind(ctx context.Context, stream, consumer string) error {
	ctx, done := context.WithTimeout(ctx, requestTimeout)
	defer done()
	_, err := b.js.ResetConsumer(ctx, stream, consumer)
	if err != nil {
		b.log.DebugContext(ctx, "consumer was not reset", "consumer", consumer, "error", err)
	}
	return err
}

// rewindAfterTrouble rewinds the feed's consumer when the connection is back,
// and when its server has gone quiet: acks and what was put back in between got
// lost.
func (b *Bus) rewindAfterTrouble(ctx context.Context, f *Feed, stream, consumer string) {
	back := b.nc.StatusChanged(nats.CONNECTED)
	defer b.nc.RemoveStatusListener(back)
	var last time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-back:
		case <-f.quiet:
			if time.Since(last) < rewindEvery {
				continue
			}
		}
		b.rewindStubbornly(ctx, stream, consumer)
		last = time.Now()
	}
}

// rewindStubbornly goes on while servers elect a leader, but not for ever: the
// ack wait passes meanwhile.
func (b *Bus) rewindStubbornly(ctx context.Context, stream, consumer string) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	for {
		err := b.rewind(ctx, stream, consumer)
		if err == nil || errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
			return
		}
		if wait(ctx, rebuildWait) != nil {
			return
		}
	}
}

// wentQuiet notes that the server sends no heartbeats.
func (f *Feed) wentQuiet() {
	select {
	case f.quiet <- struct{}{}:
	default:
	}
}
