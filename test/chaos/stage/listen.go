package stage

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/rollcall-sync/rollcall/test/chaos/dump"
)

// listener hears everything that is published, whatever becomes of it, in the order
// in which the server takes it.
type listener struct {
	mu    sync.Mutex
	heard []dump.Message
}

// mostHeard bounds what is kept.
const mostHeard = 500_000

func listen(nc *nats.Conn) (*listener, error) {
	l := &listener{}
	sub, err := nc.Subscribe("rollcall.>", func(m *nats.Msg) {
		one := dump.NewMessage(m.Subject, 0, time.Now(), m.Data)
		l.mu.Lock()
		defer l.mu.Unlock()
		if len(l.heard) < mostHeard {
			l.heard = append(l.heard, one)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return l, nil
}

func (l *listener) all() []dump.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard
}
