package bus_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// wire is a connection to a server that can go dead without closing, as it does
// when a host or a network is lost.
type wire struct {
	url  string
	dead atomic.Bool
}

func newWire(t *testing.T, server string) *wire {
	t.Helper()
	to, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	w := &wire{url: "nats://" + l.Addr().String()}
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			upstream, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", to.Host)
			if err != nil {
				_ = client.Close()
				continue
			}
			go w.carry(upstream, client)
			go w.carry(client, upstream)
		}
	}()
	return w
}

// carry closes nothing that is dead: nobody would tell either end.
func (w *wire) carry(to, from net.Conn) {
	_, _ = io.Copy(writer(func(p []byte) (int, error) {
		if w.dead.Load() {
			return len(p), nil
		}
		return to.Write(p)
	}), from)
	if !w.dead.Load() {
		_ = to.Close()
	}
}

type writer func([]byte) (int, error)

func (w writer) Write(p []byte) (int, error) { return w(p) }

// A server that is gone without a word is noticed, and found again.
func TestSilentServerIsNotReady(t *testing.T) {
	t.Parallel()
	w := newWire(t, bustest.Start(t, topo).URL())
	b, err := bus.Connect(t.Context(), bus.Options{URL: w.url, Ping: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if err := b.Ready(); err != nil {
		t.Fatal(err)
	}
	w.dead.Store(true)
	await(t, "unready while nobody answers", func() bool { return b.Ready() != nil })
	w.dead.Store(false)
	await(t, "ready again", func() bool { return b.Ready() == nil })
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !is() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("not %s", what)
		}
	}
}
