package bus

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	pullExpiry    = 10 * time.Second
	pullHeartbeat = 2 * time.Second
	rebuildWait   = 200 * time.Millisecond
	// lookUpTimeout is how long opening a feed waits for the server.
	lookUpTimeout = 30 * time.Second
)

// ErrClosed is returned by a feed that was closed.
var ErrClosed = errors.New("feed is closed")

// Message is an entry to be handled, then acked or put back.
type Message struct {
	Entry
	// Deliveries is 1 at the first delivery.
	Deliveries int
	msg        jetstream.Msg
}

// Ack says that the message has been dealt with. It is a hint: the message may
// come again.
func (m *Message) Ack() error {
	if err := m.msg.Ack(); err != nil {
		return fmt.Errorf("ack: %w", err)
	}
	return nil
}

// Nak puts the message back, to come again after delay.
func (m *Message) Nak(delay time.Duration) error {
	if err := m.msg.NakWithDelay(delay); err != nil {
		return fmt.Errorf("nak: %w", err)
	}
	return nil
}

// Working says that the message is still being dealt with: the ack wait begins
// again.
func (m *Message) Working() error {
	if err := m.msg.InProgress(); err != nil {
		return fmt.Errorf("in progress: %w", err)
	}
	return nil
}

// Feed hands out the messages of one durable consumer in batches. Any number of
// processes may feed on one consumer.
type Feed struct {
	ch     chan *Message
	cancel context.CancelFunc
	wg     sync.WaitGroup
	// handBack puts a message back that nobody took.
	handBack func(*Message)
	quiet    chan struct{} // the server sends no heartbeats
	wake     chan struct{} // set by Priority
	mu       sync.Mutex
}

// Feed opens a feed on a consumer made by Provision, holding up to prefetch
// messages ready. It first asks for everything unacked again, and whenever the
// server was away: what a worker that died had in hand comes at once, not after
// the ack wait.
func (b *Bus) Feed(ctx context.Context, stream, consumer string, prefetch int) (*Feed, error) {
	cons, err := b.lookUp(ctx, stream, consumer)
	if err != nil {
		return nil, fmt.Errorf("look up consumer %s of %s (has the installation been provisioned?): %w", consumer, stream, err)
	}
	b.fed.add(fedOn{stream, consumer})
	_ = b.rewind(ctx, stream, consumer) // only sooner than the ack wait
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f := &Feed{ch: make(chan *Message, prefetch), cancel: cancel, handBack: func(m *Message) { b.handBack(ctx, m) },
		quiet: make(chan struct{}, 1)}
	f.wg.Go(func() { b.rewindAfterTrouble(ctx, f, stream, consumer) })
	f.wg.Go(func() { b.pump(ctx, f, cons, stream, consumer, prefetch) })
	return f, nil
}

// lookUp finds a consumer, over a restart of the server.
func (b *Bus) lookUp(ctx context.Context, stream, consumer string) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, lookUpTimeout)
	defer cancel()
	for {
		try, done := context.WithTimeout(ctx, requestTimeout)
		cons, err := b.js.Consumer(try, stream, consumer)
		done()
		if err == nil || errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
			return cons, err
		}
		if wait(ctx, rebuildWait) != nil {
			return nil, err
		}
	}
}

// pump keeps an iterator going until the feed is closed, over lost connections
// and deleted consumers.
func (b *Bus) pump(ctx context.Context, f *Feed, cons jetstream.Consumer, stream, name string, prefetch int) {
	for ctx.Err() == nil {
		it, err := cons.Messages(jetstream.PullMaxMessages(prefetch),
			jetstream.PullExpiry(pullExpiry), jetstream.PullHeartbeat(pullHeartbeat),
			jetstream.WithMessagesErrOnMissingHeartbeat(true))
		if err == nil {
			stop := context.AfterFunc(ctx, it.Drain) // what the client has got is handed back below
			err = b.deliver(ctx, f, it)
			stop()
			it.Stop()
		}
		if ctx.Err() != nil {
			return
		}
		b.log.WarnContext(ctx, "consumer is being opened again", "consumer", name, "error", err)
		if wait(ctx, rebuildWait) != nil {
			return
		}
		if again, err := b.lookUp(ctx, stream, name); err == nil {
			cons = again
		}
	}
}

func (b *Bus) deliver(ctx context.Context, f *Feed, it jetstream.MessagesContext) error {
	for {
		msg, err := it.Next()
		if errors.Is(err, jetstream.ErrNoHeartbeat) {
			f.wentQuiet() // the iterator asks again by itself
			continue
		}
		if err != nil {
			return err
		}
		m, err := newMessage(msg)
		if err != nil {
			b.log.WarnContext(ctx, "message without metadata", "error", err)
			continue
		}
		if m.misdirected() {
			b.genuine(ctx, m.Entry) // says so
			_ = m.Ack()             // only a hint, as any
			continue
		}
		if ctx.Err() != nil {
			b.handBack(ctx, m)
			continue
		}
		select {
		case f.ch <- m:
			f.signal()
		case <-ctx.Done():
			b.handBack(ctx, m)
		}
	}
}

// handBack lets another worker have a message at once: unacked, it would wait
// for the ack wait to pass.
func (b *Bus) handBack(ctx context.Context, m *Message) {
	if err := m.Nak(0); err != nil {
		b.log.DebugContext(ctx, "message is not handed back", "error", err)
	}
}

func (f *Feed) signal() {
	f.mu.Lock()
	wake := f.wake
	f.mu.Unlock()
	if wake == nil {
		return
	}
	select {
	case wake <- struct{}{}:
	default:
	}
}

func newMessage(msg jetstream.Msg) (*Message, error) {
	meta, err := msg.Metadata()
	if err != nil {
		return nil, fmt.Errorf("read message metadata: %w", err)
	}
	return &Message{
		Entry: Entry{Subject: msg.Subject(), Seq: meta.Sequence.Stream, Time: meta.Timestamp,
			Header: Header(msg.Headers()), Data: msg.Data()},
		Deliveries: int(meta.NumDelivered), //nolint:gosec // a count of deliveries
		msg:        msg,
	}, nil
}

// Next waits for a message, takes what else is there up to limit, and waits up
// to linger, from the first message on, for the rest. It returns ctx's error when ctx ends before a
// message came, and what it has otherwise.
func (f *Feed) Next(ctx context.Context, limit int, linger time.Duration) ([]*Message, error) {
	select {
	case m := <-f.ch:
		return f.fill(ctx, []*Message{m}, limit, linger), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// TryNext takes what is there, up to limit, without waiting.
func (f *Feed) TryNext(limit int) []*Message {
	var out []*Message
	for len(out) < limit {
		select {
		case m := <-f.ch:
			out = append(out, m)
		default:
			return out
		}
	}
	return out
}

func (f *Feed) fill(ctx context.Context, out []*Message, limit int, linger time.Duration) []*Message {
	out = append(out, f.TryNext(limit-len(out))...)
	if linger <= 0 || len(out) >= limit {
		return out
	}
	t := time.NewTimer(linger)
	defer t.Stop()
	for len(out) < limit {
		select {
		case m := <-f.ch:
			out = append(out, m)
		case <-t.C:
			return out
		case <-ctx.Done():
			return out
		}
	}
	return out
}

// Close stops the feed. Messages not handed out go back, to another worker if
// there is one.
func (f *Feed) Close() {
	f.cancel()
	f.wg.Wait()
	for _, m := range f.TryNext(cap(f.ch)) {
		f.handBack(m)
	}
}

// Priority takes from several feeds, the first one first.
type Priority struct {
	feeds []*Feed
	muted []atomic.Bool
	wake  chan struct{}
	// paused says of a feed that nothing is to be taken from it; nil where nobody
	// says so.
	paused func(i int) bool
}

// NewPriority makes a Priority. The feeds must not be used otherwise.
func NewPriority(feeds ...*Feed) *Priority {
	p := &Priority{feeds: feeds, muted: make([]atomic.Bool, len(feeds)), wake: make(chan struct{}, 1)}
	for _, f := range feeds {
		f.mu.Lock()
		f.wake = p.wake
		f.mu.Unlock()
	}
	p.signal() // for what came before we were listening; a feed may have signalled already
	return p
}

// Next waits until any feed has a message and returns a batch of the first one
// that has, with its index. linger says how long to gather for feed i; it is
// cut short when a feed before i has something.
func (p *Priority) Next(ctx context.Context, limit int, linger func(i int) time.Duration) (int, []*Message, error) {
	for {
		if err := ctx.Err(); err != nil {
			return 0, nil, err
		}
		for i, f := range p.feeds {
			if p.passed(i) {
				continue
			}
			if msgs := f.TryNext(limit); len(msgs) > 0 {
				return i, p.gather(ctx, i, msgs, limit, linger(i)), nil
			}
		}
		select {
		case <-p.wake:
		case <-ctx.Done():
			return 0, nil, ctx.Err()
		}
	}
}

func (p *Priority) gather(ctx context.Context, i int, msgs []*Message, limit int, linger time.Duration) []*Message {
	if linger <= 0 || len(msgs) >= limit {
		return msgs
	}
	t := time.NewTimer(linger)
	defer t.Stop()
	for len(msgs) < limit {
		select {
		case m := <-p.feeds[i].ch:
			msgs = append(msgs, m)
		case <-p.wake:
			if p.waiting(i) {
				p.signal()
				return msgs
			}
		case <-t.C:
			p.signal()
			return msgs
		case <-ctx.Done():
			return msgs
		}
	}
	p.signal()
	return msgs
}

// signal makes the next call look at all feeds again: this one may have used
// up a wake-up that was meant for them.
func (p *Priority) signal() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// waiting says whether a feed before i has something.
func (p *Priority) waiting(i int) bool {
	for j, f := range p.feeds[:i] {
		if len(f.ch) > 0 && !p.passed(j) {
			return true
		}
	}
	return false
}

// passed says whether Next passes over a feed.
func (p *Priority) passed(i int) bool { return p.muted[i].Load() || p.paused != nil && p.paused(i) }

// Mute makes Next pass over a feed, or not any more. It may be called while Next
// waits.
func (p *Priority) Mute(i int, on bool) {
	p.muted[i].Store(on)
	p.signal()
}

// Heed makes Next ask, before it takes from a feed, whether that is paused. It is
// called before the first Next. What was handed out is not taken back, and what
// waits goes on waiting: nothing is put back.
func (p *Priority) Heed(paused func(i int) bool) { p.paused = paused }

// Wake makes Next ask again.
func (p *Priority) Wake() { p.signal() }

// Close closes all feeds.
func (p *Priority) Close() {
	for _, f := range p.feeds {
		f.Close()
	}
}
