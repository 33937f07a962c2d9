package up

import (
	"log/slog"
	"sync"
	"time"

	"github.com/rollcall-sync/rollcall/pkg/salesforce/emulator"
)

const (
	// keepEvery is how often the keeper looks whether the org has changed;
	// keepAtLeast bounds how long it waits for a pause in the changes.
	keepEvery   = time.Second
	keepAtLeast = 30 * time.Second
)

// keeper writes an emulated org to a file when it has changed, so that it
// outlives its process as a real one does.
type keeper struct {
	srv  *emulator.Server
	path string
	log  *slog.Logger
	stop chan struct{}
	done sync.WaitGroup

	// seen and saved count mutating calls: at the last look, in the file.
	seen, saved int64
	savedAt     time.Time
}

// keep writes srv to path from now on.
func keep(srv *emulator.Server, path string, log *slog.Logger) *keeper {
	k := &keeper{srv: srv, path: path, log: log, stop: make(chan struct{}), savedAt: time.Now()}
	k.done.Go(k.run)
	return k
}

func (k *keeper) run() {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-k.stop:
			k.save()
			return
		case <-tick.C:
			k.look()
		}
	}
}

// look saves in a pause, or when there has been none for long.
func (k *keeper) look() {
	now := k.srv.Counters().MutatingCalls
	paused := now == k.seen
	k.seen = now
	if now != k.saved && (paused || time.Since(k.savedAt) > keepAtLeast) {
		k.save()
	}
}

func (k *keeper) save() {
	n := k.srv.Counters().MutatingCalls
	if err := k.srv.SaveFile(k.path); err != nil {
		k.log.Error("emulated org not saved", "error", err)
		return
	}
	k.saved, k.savedAt = n, time.Now()
}

// close writes the last state.
func (k *keeper) close() {
	if k == nil {
		return
	}
	close(k.stop)
	k.done.Wait()
}
