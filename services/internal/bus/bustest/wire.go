package bustest

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Wire is a way to the server on which single messages get lost or come late,
// and which can go dead without closing, as a host or a network does.
type Wire struct {
	to, url string
	silent  atomic.Bool

	mu    sync.Mutex
	rules []*Rule
	conns []net.Conn
}

// Frame is one message on the wire.
type Frame struct {
	// ToServer is its direction.
	ToServer bool
	Subject  string
	// Reply is where a message to the server wants its answer.
	Reply string
	// Header is as on the wire, with its first line.
	Header, Data string
}

// Rule says what becomes of the frames that it is about.
type Rule struct {
	left  int // below zero: any number
	match func(Frame) bool
	keep  bool
	alter func(string) string
	done  chan struct{}

	mu    sync.Mutex
	kept  []byte
	reply string
	line  *line
	met   int
}

// line is one connection through the wire.
type line struct {
	client, server net.Conn
	// cut says that the client's end is gone, and the server does not know.
	cut     atomic.Bool
	answers chan Frame
}

// Wire opens a new way to the server.
func (s *Server) Wire(t testing.TB) *Wire {
	t.Helper()
	to, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &Wire{to: to.Host, url: "nats://" + l.Addr().String()}
	t.Cleanup(func() {
		_ = l.Close()
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, c := range w.conns {
			_ = c.Close()
		}
	})
	go w.accept(l)
	return w
}

// URL is where the server is reached over the wire.
func (w *Wire) URL() string { return w.url }

// Silence makes the wire go dead, or not any more: nothing passes, and nobody
// is told.
func (w *Wire) Silence(on bool) { w.silent.Store(on) }

// Lose drops the next n frames for which match is true. match may first do
// something, which has then happened before the frame is missed.
func (w *Wire) Lose(n int, match func(Frame) bool) *Rule {
	return w.add(&Rule{left: n, match: match})
}

// Alter changes every frame for which match is true. The change must leave the
// frame as long as it is.
func (w *Wire) Alter(match func(Frame) bool, change func(string) string) *Rule {
	return w.add(&Rule{left: -1, match: match, alter: change})
}

// Keep cuts the connection off at the next frame to the server for which match
// is true, without the server knowing, and keeps the frame until
// [Rule.Release].
func (w *Wire) Keep(match func(Frame) bool) *Rule {
	return w.add(&Rule{left: 1, match: func(f Frame) bool { return f.ToServer && match(f) }, keep: true})
}

func (w *Wire) add(r *Rule) *Rule {
	r.done = make(chan struct{})
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rules = append(w.rules, r)
	return r
}

// Met is how many frames the rule has dropped, changed or kept.
func (r *Rule) Met() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.met
}

// Done is closed when the rule has met all the frames it is for.
func (r *Rule) Done() <-chan struct{} { return r.done }

// Release lets the server have the frame that was kept, over the connection on
// which it was on its way, and returns the server's answer.
func (r *Rule) Release(ctx context.Context) (Frame, error) {
	r.mu.Lock()
	l, kept, reply := r.line, r.kept, r.reply
	r.mu.Unlock()
	if l == nil {
		return Frame{}, fmt.Errorf("no frame was kept")
	}
	if _, err := l.server.Write(kept); err != nil {
		return Frame{}, err
	}
	for {
		select {
		case f := <-l.answers: // those to later requests, too: the server still counts this connection in
			if f.Subject == reply {
				return f, nil
			}
		case <-ctx.Done():
			return Frame{}, ctx.Err()
		}
	}
}

func (w *Wire) accept(l net.Listener) {
	for {
		client, err := l.Accept()
		if err != nil {
			return
		}
		server, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", w.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, client, server)
		w.mu.Unlock()
		n := &line{client: client, server: server, answers: make(chan Frame, 1024)}
		go w.carry(n, true)
		go w.carry(n, false)
	}
}

// carry passes frames on. It closes nothing that is dead or cut off: nobody
// would tell the other end.
func (w *Wire) carry(l *line, toServer bool) {
	from, to := l.server, l.client
	if toServer {
		from, to = l.client, l.server
	}
	in := bufio.NewReader(from)
	for {
		raw, f, err := readFrame(in)
		if err != nil {
			break
		}
		f.ToServer = toServer
		switch {
		case w.silent.Load():
		case l.cut.Load() && !toServer:
			if f.Subject != "" {
				select {
				case l.answers <- f:
				default: // nobody waits
				}
			}
		case l.cut.Load(), f.Subject != "" && w.caught(l, f, raw):
		default:
			_, _ = to.Write(raw) // an end that is gone is noticed at its own
		}
	}
	if !w.silent.Load() && !l.cut.Load() {
		_ = to.Close()
	}
}

// caught says whether a rule takes the frame.
func (w *Wire) caught(l *line, f Frame, raw []byte) bool {
	w.mu.Lock()
	rules := append([]*Rule(nil), w.rules...)
	w.mu.Unlock()
	for _, r := range rules {
		if r.takes(l, f, raw) {
			return true
		}
	}
	return false
}

func (r *Rule) takes(l *line, f Frame, raw []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left == 0 || l.cut.Load() || !r.match(f) {
		return false
	}
	r.left--
	r.met++
	if r.alter != nil {
		copy(raw, r.alter(string(raw)))
		return false
	}
	if r.keep {
		r.line, r.kept, r.reply = l, raw, f.Reply
		l.cut.Store(true)
		_ = l.client.Close()
	}
	if r.left == 0 {
		close(r.done)
	}
	return true
}

// readFrame reads one line of NATS's protocol, with the message that belongs to
// it. Lines that carry none have no subject.
// (For MSG, Reply is the subscription's number: nobody asks.)
func readFrame(in *bufio.Reader) ([]byte, Frame, error) {
	first, err := in.ReadString('\n')
	if err != nil {
		return nil, Frame{}, err
	}
	parts := strings.Fields(first)
	if len(parts) < 3 {
		return []byte(first), Frame{}, nil
	}
	f := Frame{Subject: parts[1]}
	var head int
	sizes := 1
	switch strings.ToUpper(parts[0]) {
	case "PUB", "MSG":
	case "HPUB", "HMSG":
		sizes = 2
		head, err = strconv.Atoi(parts[len(parts)-2])
	default:
		return []byte(first), Frame{}, nil
	}
	if len(parts) > 2+sizes {
		f.Reply = parts[2]
	}
	size, sizeErr := strconv.Atoi(parts[len(parts)-1])
	if err != nil || sizeErr != nil {
		return nil, Frame{}, fmt.Errorf("frame %q", first)
	}
	body := make([]byte, size+len("\r\n"))
	if _, err := io.ReadFull(in, body); err != nil {
		return nil, Frame{}, err
	}
	f.Header, f.Data = string(body[:head]), string(body[head:size])
	return append([]byte(first), body...), f, nil
}
