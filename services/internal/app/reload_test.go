package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rollcall-sync/rollcall/services/internal/config"
)

// reloading is a program whose one service says under which revision it runs.
type reloading struct {
	*testing.T
	path    string
	watcher *Watcher
	crew    *Crew
	hangup  chan os.Signal
	log     *lines
	stop    context.CancelFunc
	done    chan error

	mu      sync.Mutex
	began   []string // revisions, as their services begin
	refused bool
	fault   error // of build
	alone   bool
	hold    chan struct{} // the first service ends only then
	running int
	told    bool          // that the first is to stop
	second  chan struct{} // closed when there is one
}

// lines may be written by the program while the test reads.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.buf.String(), text)
}

// revised is a service made from one revision.
type revised struct {
	*reloading
	revision string
}

func (s *revised) Run(ctx context.Context) error {
	s.mu.Lock()
	first := len(s.began) == 0
	s.began = append(s.began, s.revision)
	s.running++
	if len(s.began) == 2 {
		close(s.second)
	}
	s.mu.Unlock()
	<-ctx.Done()
	s.mu.Lock()
	s.told = true
	s.mu.Unlock()
	if first && s.hold != nil {
		<-s.hold
	}
	s.mu.Lock()
	s.running--
	s.mu.Unlock()
	return nil
}

func (s *revised) Ready() error { return nil }
func (s *revised) Alone() bool  { return s.alone }

func (s *revised) Refused(is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = is
}

// reload runs a program with a configuration file.
func reload(t *testing.T, edit func(*reloading)) *reloading {
	t.Helper()
	r := &reloading{T: t, path: filepath.Join(t.TempDir(), "rollcall.yaml"), hangup: make(chan os.Signal, 1), log: &lines{}, second: make(chan struct{})}
	r.write("revision: one\n")
	if edit != nil {
		edit(r)
	}
	load := func() (config.File, error) { return config.Load(r.path) }
	file, err := load()
	if err != nil {
		t.Fatal(err)
	}
	r.watcher = NewWatcher(r.path, file, load, r.hangup, slog.New(slog.NewTextHandler(r.log, nil)))
	r.watcher.Every = 10 * time.Millisecond
	r.crew = NewCrew(r.member(file))
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	r.stop, r.done = cancel, done
	go func() {
		done <- r.crew.RunFollowing(ctx, nil, r.watcher, func(_ context.Context, f config.File) ([]Member, error) {
			r.mu.Lock()
			defer r.mu.Unlock()
			return []Member{r.member(f)}, r.fault
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("it ended with %v", err)
		}
	})
	r.await("one")
	return r
}

func (r *reloading) member(f config.File) Member {
	return Member{Name: "service", Service: &revised{reloading: r, revision: f.Revision}}
}

func (r *reloading) write(text string) {
	r.Helper()
	if err := os.WriteFile(r.path, []byte(text), 0o600); err != nil {
		r.Fatal(err)
	}
}

func (r *reloading) until(what string, is func() bool) {
	r.Helper()
	limit := time.NewTimer(20 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-limit.C:
			r.Fatalf("it never came to pass that %s", what)
		}
	}
}

// await waits until these revisions have begun, in this order, and one runs.
func (r *reloading) await(revisions ...string) {
	r.Helper()
	want := fmt.Sprint(revisions)
	r.until(want+" ran", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return fmt.Sprint(r.began) == want && r.running == 1
	})
}

func TestAChangedConfigurationIsTakenOver(t *testing.T) {
	t.Parallel()
	r := reload(t, nil)
	r.write("revision: two\n")
	r.await("one", "two")
	r.until("it is said", func() bool { return r.log.count("changed configuration is in use") == 1 })
	if says := r.watcher.Remark(); says != "" {
		t.Error(says)
	}
}

// Kubernetes mounts a ConfigMap as links: the file to ..data/file, ..data to a
// folder with a date, and a change is a new ..data.
func TestAChangedConfigMapIsTakenOver(t *testing.T) {
	t.Parallel()
	var dir string
	mount := func(revision string) {
		folder := filepath.Join(dir, "..2026_"+revision)
		for _, err := range []error{
			os.Mkdir(folder, 0o700),
			os.WriteFile(filepath.Join(folder, "rollcall.yaml"), []byte("revision: "+revision+"\n"), 0o600),
			os.Symlink("..2026_"+revision, filepath.Join(dir, "..data_tmp")),
			os.Rename(filepath.Join(dir, "..data_tmp"), filepath.Join(dir, "..data")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	r := reload(t, func(r *reloading) {
		dir = t.TempDir()
		mount("one")
		r.path = filepath.Join(dir, "rollcall.yaml")
		if err := os.Symlink(filepath.Join("..data", "rollcall.yaml"), r.path); err != nil {
			t.Fatal(err)
		}
	})
	mount("two")
	r.await("one", "two")
}

func TestAFaultyConfigurationIsRefusedWhole(t *testing.T) {
	t.Parallel()
	r := reload(t, nil)
	r.write("revision: two\nnatz: {}\n")
	r.until("the file is refused", func() bool { return strings.Contains(r.watcher.Remark(), "natz: is not a key") })
	r.until("the service knows", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.refused })
	for range 3 { // asked again and again, it says so once
		r.hangup <- syscall.SIGHUP
	}
	r.until("it was asked", func() bool { return r.log.count("asked to read") >= 2 })
	if n := r.log.count("is refused"); n != 1 {
		t.Errorf("said %d times", n)
	}
	if err := os.Remove(r.path); err != nil {
		t.Fatal(err)
	}
	r.until("a file that is gone is refused", func() bool { return strings.Contains(r.watcher.Remark(), "does not exist") })
	r.write("revision: one\n")
	r.until("what is in use is back", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.watcher.Remark() == "" && !r.refused })
	r.await("one")
	r.write("revision: three\n")
	r.await("one", "three")
}

// What cannot be used though it has no faults, as when NATS is away, is tried again.
func TestWhatCannotBeUsedIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := reload(t, nil)
	r.mu.Lock()
	r.fault = errors.New("consumer pusher-acme-leaver of ROSTER is missing")
	r.mu.Unlock()
	r.write("revision: two\n")
	r.until("the file is refused", func() bool { return strings.Contains(r.watcher.Remark(), "pusher-acme-leaver") })
	r.mu.Lock()
	r.fault = nil
	r.mu.Unlock()
	r.await("one", "two")
}

// half is a file of which a part is written: it is a mapping of its own.
func TestHalfAFileIsNotTakenOver(t *testing.T) {
	t.Parallel()
	w := &Watcher{Path: filepath.Join(t.TempDir(), "rollcall.yaml"), Log: slog.New(slog.DiscardHandler), Every: time.Millisecond}
	text, loads := 0, 0
	w.Load = func() (config.File, error) {
		loads++
		return config.File{}, nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.each = func() []byte { // another text at each look
		if text++; text == 50 {
			cancel()
		}
		return fmt.Append(nil, text)
	}
	w.Run(ctx, func(context.Context, config.File) error { return nil }, func(bool) {})
	if loads != 0 {
		t.Errorf("a file that was still being written was read %d times", loads)
	}
}

func TestSettingsThatNeedARestartAreNamed(t *testing.T) {
	t.Parallel()
	r := reload(t, nil)
	r.write("revision: two\nnats: {url: \"nats://elsewhere:4222\"}\nlog: {level: debug}\n")
	r.await("one", "two")
	if says := r.watcher.Remark(); says != "changed settings that need a restart: nats.url, log.level" {
		t.Error(says)
	}
	r.until("it is said", func() bool { return r.log.count("changed configuration is in use") == 1 })
	if n := r.log.count("nats.url, log.level"); n != 1 {
		t.Errorf("logged %d times", n)
	}
	r.watcher.mu.Lock()
	defer r.watcher.mu.Unlock()
	if now := r.watcher.current; now.NATS.URL != "nats://127.0.0.1:4222" || now.Log.Level != "info" {
		t.Errorf("it goes on with %+v, %+v", now.NATS, now.Log)
	}
}

// The new one is there before the old one has finished what it has in hand.
func TestNobodyWaitsForTheBatchInHand(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	r := reload(t, func(r *reloading) { r.hold = hold })
	r.write("revision: two\n")
	r.until("both run", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.running == 2 })
	close(hold)
	r.await("one", "two")
}

// Of a service that holds a port there is one at a time.
func TestOfSomeThereIsOneAtATime(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	r := reload(t, func(r *reloading) { r.alone, r.hold = true, hold })
	r.write("revision: two\n")
	r.until("the old one is told to stop", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.told })
	select {
	case <-r.second:
		t.Error("the new one runs beside the old one")
	case <-time.After(100 * time.Millisecond): // it is not to come
	}
	close(hold)
	r.await("one", "two")
}

// A program does not end before the batch of a service that was replaced.
func TestTheEndWaitsForWhoWasReplaced(t *testing.T) {
	t.Parallel()
	hold := make(chan struct{})
	r := reload(t, func(r *reloading) { r.hold = hold })
	r.write("revision: two\n")
	r.until("both run", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.running == 2 })
	r.stop()
	r.until("the new one has ended", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.running == 1 })
	select {
	case err := <-r.done:
		t.Errorf("the program ended: %v", err)
		r.done <- err
	case <-time.After(100 * time.Millisecond): // there is nothing to wait for: it is to do nothing
	}
	close(hold)
}
