package app_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/rollcall-sync/rollcall/pkg/events"
	"github.com/rollcall-sync/rollcall/services/internal/app"
	"github.com/rollcall-sync/rollcall/services/internal/bus"
	"github.com/rollcall-sync/rollcall/services/internal/bus/bustest"
)

// worker is a service that says when it runs and ends when told to.
type worker struct {
	running chan struct{}
	fail    error
	ready   error
}

func (w *worker) Run(ctx context.Context) error {
	close(w.running)
	if w.fail != nil {
		return w.fail
	}
	<-ctx.Done()
	return nil
}

func (w *worker) Ready() error { return w.ready }

func newWorker() *worker { return &worker{running: make(chan struct{})} }

// building hands out w and tells where the probes are through the log.
func building(w *worker) app.Build {
	return func(context.Context, app.Env) (app.Service, error) { return w, nil }
}

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rollcall.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// nobody is where no server is: the system gives this port to no test.
const nobody = "nats://127.0.0.1:1"

// freePort returns a port that was free a moment ago.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func TestRunServesProbesUntilToldToStop(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	listen := freePort(t)
	cfg := writeConfig(t, "nats: {url: \""+s.URL()+"\"}\nserve: {listen: \""+listen+"\"}\n")
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorker()
	w.ready = errors.New("no org is connected")
	done := make(chan error, 1)
	var log buffer
	go func() {
		done <- app.Run(ctx, "assignment", []string{"--config", cfg}, io.Discard, &log, building(w))
	}()
	<-w.running

	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/metrics": 200} {
		status, body := get(t, "http://"+listen+path)
		if status != want {
			t.Errorf("%s = %d, want %d: %s", path, status, want, body)
		}
		if path == "/readyz" && !strings.Contains(body, "no org is connected") {
			t.Errorf("/readyz does not say why: %s", body)
		}
		if path == "/metrics" && !strings.Contains(body, "go_goroutine_count") {
			t.Errorf("/metrics has no runtime metrics:\n%.400s", body)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopped with %v", err)
	}
	if !strings.Contains(log.String(), `"msg":"stopped"`) {
		t.Errorf("log: %s", log.String())
	}
}

func TestRunSaysWhatToChange(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = taken.Close() })
	reach := "nats: {url: \"" + s.URL() + "\", connectTimeout: 200ms}\n"
	none := "nats: {url: \"" + nobody + "\", connectTimeout: 200ms}\n"

	cases := map[string]struct {
		args []string
		exit int
		says string
	}{
		"no config":         {nil, app.ExitUsage, "--config is required"},
		"no such file":      {[]string{"--config", "none.yaml"}, app.ExitUsage, "none.yaml does not exist"},
		"unknown flag":      {[]string{"--colour"}, app.ExitUsage, "colour"},
		"stray argument":    {[]string{"now"}, app.ExitUsage, `unexpected argument "now"`},
		"unknown key":       {[]string{"--config", writeConfig(t, "natz: {}\n")}, app.ExitUsage, "line 1: natz: is not a key"},
		"unreachable":       {[]string{"--config", writeConfig(t, none)}, app.ExitFailed, "nobody answered within 200ms"},
		"unreachable, flag": {[]string{"--config", writeConfig(t, reach), "--nats-url", nobody}, app.ExitFailed, "nobody answered"},
		"port taken": {
			[]string{"--config", writeConfig(t, reach+"serve: {listen: \""+taken.Addr().String()+"\"}\n")},
			app.ExitFailed, "is taken by another program: set serve.listen",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := app.Run(bounded(t), "assignment", c.args, io.Discard, io.Discard, building(newWorker()))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("err = %v, want it to say %q", err, c.says)
			}
			if got := app.ExitCode(err); got != c.exit {
				t.Errorf("exit code = %d, want %d", got, c.exit)
			}
		})
	}
}

func TestRunRefusesStreamsWithOtherSettings(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	loosen(t, s.URL())
	for _, provision := range []string{"true", "false"} {
		cfg := writeConfig(t, "nats: {url: \""+s.URL()+"\", provision: "+provision+"}\nserve: {listen: \"\"}\n")
		err := app.Run(bounded(t), "assignment", []string{"--config", cfg}, io.Discard, io.Discard, building(newWorker()))
		if err == nil || !strings.Contains(err.Error(), "stream DIRECTORY: max_age is 1h0m0s, must be 0s") {
			t.Errorf("provision %s: %v", provision, err)
		}
	}
}

// A setting on which no promise rests keeps no service from starting.
func TestRunStartsWithAnotherDuplicateWindow(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	s.SetStream(t, events.StreamDirectory, func(c *jetstream.StreamConfig) { c.Duplicates = time.Minute })
	cfg := writeConfig(t, "nats: {url: \""+s.URL()+"\", provision: false}\nserve: {listen: \"\"}\n")
	ctx, cancel := context.WithCancel(bounded(t))
	w, done := newWorker(), make(chan error, 1)
	var log buffer
	go func() { done <- app.Run(ctx, "assignment", []string{"--config", cfg}, io.Discard, &log, building(w)) }()
	select {
	case <-w.running:
	case err := <-done:
		t.Fatalf("it did not start: %v", err)
	}
	cancel()
	if err := <-done; err != nil || !strings.Contains(log.String(), "duplicate_window of stream DIRECTORY from 1m0s to 10m0s") {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// A service that may not make streams says who does.
func TestRunSaysWhoProvisions(t *testing.T) {
	t.Parallel()
	s := bustest.StartEmpty(t)
	cfg := writeConfig(t, "nats: {url: \""+s.URL()+"\", provision: false}\nserve: {listen: \"\"}\n")
	err := app.Run(bounded(t), "assignment", []string{"--config", cfg}, io.Discard, io.Discard, building(newWorker()))
	for _, want := range []string{"run `rollcall provision`", "stream DIRECTORY is missing", "consumer assignment of DIRECTORY is missing"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not say %q", err, want)
		}
	}
	if strings.Contains(fmt.Sprint(err), events.StreamDead) {
		t.Errorf("it looks at what it may not see: %v", err)
	}
}

// loosen gives DIRECTORY a setting under which events would be lost.
func loosen(t *testing.T, url string) {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), events.StreamDirectory)
	if err != nil {
		t.Fatal(err)
	}
	c := stream.CachedInfo().Config
	c.MaxAge = 3600e9
	if _, err := js.UpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func TestRunAllStopsAllWhenOneFails(t *testing.T) {
	t.Parallel()
	broken, healthy := newWorker(), newWorker()
	broken.fail = errors.New("the stream is gone")
	err := app.RunAll(t.Context(), nil, app.Member{Name: "pusher", Service: broken}, app.Member{Name: "retry", Service: healthy})
	if err == nil || err.Error() != "pusher: the stream is gone" {
		t.Errorf("err = %v", err)
	}
}

func TestRunPrintsVersion(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := app.Run(bounded(t), "assignment", []string{"--version"}, &out, io.Discard, nil); err != nil || !strings.HasPrefix(out.String(), "assignment ") {
		t.Errorf("out = %q, err = %v", out.String(), err)
	}
}

func get(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// buffer may be written by the program while the test reads.
type buffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// bounded ends a program that should have refused to start.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestRunTakesAChangedConfigurationOver: the service is made anew, the program
// goes on, and what is wrong with a file is said where readiness is asked for.
func TestRunTakesAChangedConfigurationOver(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t, bus.Topology{})
	listen := freePort(t)
	text := "nats: {url: \"" + s.URL() + "\"}\nserve: {listen: \"" + listen + "\"}\n"
	cfg := writeConfig(t, text)
	ctx, cancel := context.WithCancel(t.Context())
	done, made := make(chan error, 1), make(chan string, 9)
	go func() {
		done <- app.Run(ctx, "assignment", []string{"--config", cfg}, io.Discard, io.Discard, func(_ context.Context, env app.Env) (app.Service, error) {
			made <- env.File.Revision
			return newWorker(), nil
		})
	}()
	if got := <-made; got != "" {
		t.Errorf("made of revision %q", got)
	}
	for _, c := range []struct{ more, says string }{
		{"revision: two\n", "ok\n"},
		{"revision: 3\nrules: []\n", "ok\nthe changed configuration is refused, the one before stays in force: configuration file"},
		{"revision: four\n", "ok\n"},
	} {
		if err := os.WriteFile(cfg, []byte(text+c.more), 0o600); err != nil {
			t.Fatal(err)
		}
		if want, ok := strings.CutPrefix(strings.TrimSpace(c.more), "revision: "); ok && c.says == "ok\n" {
			if got := <-made; got != want {
				t.Errorf("made of revision %q, want %q", got, want)
			}
		}
		tick := time.NewTicker(20 * time.Millisecond)
		for status, body := 0, ""; status != http.StatusOK || !strings.HasPrefix(body, c.says); <-tick.C {
			if status, body = get(t, "http://"+listen+"/readyz"); t.Context().Err() != nil {
				t.Fatalf("%d %s", status, body)
			}
		}
		tick.Stop()
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("stopped with %v", err)
	}
}
