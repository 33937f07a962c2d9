package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	// followEvery bounds how late a change is seen whose announcement got lost.
	followEvery = time.Second
	// readsPerNews is how often a subject is read after news of it, each time
	// after twice the wait: news comes when something is sent, before it is stored.
	readsPerNews  = 8
	firstNewsWait = 2 * time.Millisecond
)

// Follow calls each with the newest message of every subject, and again when
// there is a newer one, until ctx ends; then it returns nil. Of several in quick
// succession it may show the last only: it is for state.
//
// Unlike [Bus.Watch] it makes no consumer, and so needs no more than the right
// to read these very subjects. Whoever may make a consumer of a name not known
// beforehand may change every other one of the stream.
func (b *Bus) Follow(ctx context.Context, stream string, subjects []string, each func(Entry)) error {
	news := make(chan struct{}, 1)
	for _, s := range subjects {
		sub, err := b.nc.Subscribe(s, func(*nats.Msg) {
			select {
			case news <- struct{}{}:
			default:
			}
		})
		if err != nil {
			return fmt.Errorf("follow %s: %w", stream, err)
		}
		defer func() { _ = sub.Unsubscribe() }()
	}
	f := &following{bus: b, stream: stream, subjects: subjects, seen: map[string]uint64{}, each: each}
	for ctx.Err() == nil {
		f.read(ctx)
		f.rest(ctx, news)
	}
	return nil
}

type following struct {
	bus      *Bus
	stream   string
	subjects []string
	seen     map[string]uint64
	each     func(Entry)
	// left is how many more reads the last news is worth, wait the time before
	// the next.
	left    int
	wait    time.Duration
	failing bool
}

// rest waits until it is time to read again.
func (f *following) rest(ctx context.Context, news <-chan struct{}) {
	d := followEvery
	if f.left > 0 {
		d = f.wait
		f.left--
		f.wait *= 2
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-news:
		f.left, f.wait = readsPerNews, firstNewsWait
	}
}

func (f *following) read(ctx context.Context) {
	for _, s := range f.subjects {
		e, err := f.bus.newest(ctx, f.stream, s)
		if err != nil && !errors.Is(err, ErrNotFound) {
			if ctx.Err() == nil && !f.failing {
				f.bus.log.WarnContext(ctx, "newest message cannot be read", "stream", f.stream, "error", err)
			}
			f.failing = true
			return
		}
		f.failing = false
		if e.Seq > f.seen[s] {
			f.seen[s] = e.Seq
			f.each(e)
		}
	}
}

// newest reads one subject in the way that permissions can tell from others.
func (b *Bus) newest(ctx context.Context, stream, subject string) (Entry, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m, err := b.nc.RequestWithContext(ctx, "$JS.API.DIRECT.GET."+stream+"."+subject, nil)
	if err != nil {
		return Entry{}, fmt.Errorf("read newest of %s: %w", stream, err)
	}
	if status := m.Header.Get(statusHeader); !ofStream(m) && status == statusNone {
		return Entry{}, ErrNotFound
	} else if !ofStream(m) {
		return Entry{}, fmt.Errorf("read newest of %s: %s %s", stream, status, m.Header.Get(reasonHeader))
	}
	e, err := entry(m)
	if err != nil {
		return Entry{}, fmt.Errorf("read newest of %s: %w", stream, err)
	}
	return b.genuine(ctx, e), nil
}
