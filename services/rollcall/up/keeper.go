package up

import (
	"bufio"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const (
	// keepEvery is how often the keeper looks whether the org has changed;
	// keepAtLeast bounds how long it waits for a pause in the changes.
	keepEvery   = time.Second
	keepAtLeast = 30 * time.Second
	// cheap is how long writing the org may take for it to be written before
	// every answer; a larger org is written in pauses.
	cheap = 50 * time.Millisecond
)

// keeper writes an emulated org to a file when it has changed, so that it
// outlives its process as a real one does.
type keeper struct {
	srv  *emulator.Server
	path string
	log  *slog.Logger
	stop chan struct{}
	done sync.WaitGroup

	mu sync.Mutex
	// seen and saved count changes: at the last look, in the file.
	seen, saved int64
	savedAt     time.Time
	took        time.Duration
}

// keep writes srv to path from now on.
func keep(srv *emulator.Server, path string, log *slog.Logger) *keeper {
	k := &keeper{srv: srv, path: path, log: log, stop: make(chan struct{}), savedAt: time.Now()}
	k.done.Go(k.run)
	return k
}

// ServeHTTP lets the org answer. What has changed is on disk before anybody is
// told, while that is cheap: a process that is killed then forgets nothing that
// Rollcall remembers.
func (k *keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w = &lateWriter{ResponseWriter: w, before: k.saveIfCheap}
	}
	k.srv.ServeHTTP(w, r)
}

// lateWriter does something before the first byte of an answer.
type lateWriter struct {
	http.ResponseWriter
	before func()
	once   sync.Once
}

// WriteHeader and Write are http.ResponseWriter's.
func (w *lateWriter) WriteHeader(status int) {
	w.once.Do(w.before)
	w.ResponseWriter.WriteHeader(status)
}

func (w *lateWriter) Write(p []byte) (int, error) {
	w.once.Do(w.before)
	return w.ResponseWriter.Write(p)
}

// Hijack lets the org drop the connection, which it does after the fact.
func (w *lateWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.once.Do(w.before)
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

// Unwrap lets http.ResponseController reach the connection.
func (w *lateWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (k *keeper) run() {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-k.stop:
			k.mu.Lock()
			defer k.mu.Unlock()
			k.save()
			return
		case <-tick.C:
			k.look()
		}
	}
}

// look saves in a pause, or when there has been none for long.
func (k *keeper) look() {
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.changes()
	paused := now == k.seen
	k.seen = now
	if now != k.saved && (paused || time.Since(k.savedAt) > keepAtLeast) {
		k.save()
	}
}

// changes counts what may have changed the org, also what nobody heard of.
func (k *keeper) changes() int64 {
	n := k.srv.Counters()
	return n.MutatingCalls + n.LateApplied
}

func (k *keeper) saveIfCheap() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.took < cheap {
		k.save()
	}
}

func (k *keeper) save() {
	n, began := k.changes(), time.Now()
	if err := k.srv.SaveFile(k.path); err != nil {
		k.log.Error("emulated org not saved", "error", err)
		return
	}
	k.saved, k.savedAt, k.took = n, time.Now(), time.Since(began)
}

// close writes the last state.
func (k *keeper) close() {
	if k == nil {
		return
	}
	close(k.stop)
	k.done.Wait()
}
