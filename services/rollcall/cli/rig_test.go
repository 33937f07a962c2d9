package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/rollcall/cli"
)

// patience bounds every wait: a test that needs it has failed.
const patience = 60 * time.Second

// ran is how a command line ended.
type ran struct {
	code     int
	out, err string
}

// run runs one command line.
func run(t *testing.T, args ...string) ran {
	t.Helper()
	return runIn(t, nil, args...)
}

func runIn(t *testing.T, in io.Reader, args ...string) ran {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	var out, err watched
	code := cli.Execute(ctx, args, cli.Streams{In: in, Out: &out, Err: &err})
	return ran{code: code, out: out.String(), err: err.String()}
}

// decode reads standard output, which must be exactly one JSON value.
func decode[T any](t *testing.T, r ran) T {
	t.Helper()
	var v T
	d := json.NewDecoder(strings.NewReader(r.out))
	if err := d.Decode(&v); err != nil {
		t.Fatalf("standard output is not JSON: %v\n%s\nstandard error:\n%s", err, r.out, r.err)
	}
	if _, err := d.Token(); err != io.EOF {
		t.Errorf("standard output holds more than one JSON value:\n%s", r.out)
	}
	return v
}

// watched is a buffer in which a test waits for a text.
type watched struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	text string
	seen chan struct{}
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	n, err := w.buf.Write(p)
	if w.seen != nil && strings.Contains(w.buf.String(), w.text) {
		close(w.seen)
		w.seen = nil
	}
	return n, err
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.buf.String()
}

// demo is a running `rollcall up --demo`.
type demo struct {
	url  string
	said func() string
	stop func() ran
}

// startDemo starts one and waits until it says what to try next.
func startDemo(t *testing.T, dir string) demo {
	t.Helper()
	listen := freePort(t)
	ctx, cancel := context.WithCancel(t.Context())
	seen := make(chan struct{})
	var out watched
	err := &watched{text: "Ctrl-C stops it", seen: seen}
	ended := make(chan int, 1)
	go func() {
		ended <- cli.Execute(ctx, []string{
			"up", "--demo", "--data", dir, "--listen", listen, "--emulator-listen", "127.0.0.1:0", "--serve-listen", "",
		}, cli.Streams{Out: &out, Err: err})
	}()
	select {
	case <-seen:
	case code := <-ended:
		t.Fatalf("up ended with %d:\n%s", code, err.String())
	case <-time.After(patience):
		t.Fatalf("up does not become quiet:\n%s", err.String())
	}
	var once sync.Once
	var last ran
	stop := func() ran {
		once.Do(func() {
			cancel()
			last = ran{code: <-ended, out: out.String(), err: err.String()}
		})
		return last
	}
	t.Cleanup(func() { stop() })
	return demo{url: "nats://" + listen, said: err.String, stop: stop}
}

// nobody is where no server is: the system gives this port to no test.
const nobody = "nats://127.0.0.1:1"

// freePort returns an address that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
