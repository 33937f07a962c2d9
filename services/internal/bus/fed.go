package bus

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// fed are the consumers that a connection feeds on.
type fed struct {
	mu   sync.Mutex
	list []fedOn
}

type fedOn struct{ stream, consumer string }

func (f *fed) add(on fedOn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !slices.Contains(f.list, on) {
		f.list = append(f.list, on)
	}
}

// Fed returns how far behind the consumers are that this connection has fed on:
// a service may ask for its own only.
func (b *Bus) Fed(ctx context.Context) ([]ConsumerStatus, error) {
	b.fed.mu.Lock()
	list := slices.Clone(b.fed.list)
	b.fed.mu.Unlock()
	out := make([]ConsumerStatus, 0, len(list))
	for _, on := range list {
		c, err := b.Consumer(ctx, on.stream, on.consumer)
		if err != nil {
			return out, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Stream returns how one stream stands.
func (b *Bus) Stream(ctx context.Context, name string) (StreamStatus, error) {
	s, err := b.js.Stream(ctx, name)
	if err != nil {
		return StreamStatus{}, fmt.Errorf("look up stream %s: %w", name, err)
	}
	st := s.CachedInfo().State
	return StreamStatus{Name: name, Messages: st.Msgs, Bytes: st.Bytes, FirstSeq: st.FirstSeq, FirstTime: st.FirstTime,
		LastSeq: st.LastSeq, LastTime: st.LastTime, Subjects: st.NumSubjects}, nil
}
